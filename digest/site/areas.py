"""What arXiv's categories are called (https://arxiv.org/category_taxonomy), for those who do not know the codes."""

from __future__ import annotations

# One line a category: code, then name.
_NAMES = """
astro-ph.CO Cosmology
astro-ph.EP Earth and planetary astrophysics
astro-ph.GA Astrophysics of galaxies
astro-ph.HE High-energy astrophysics
astro-ph.IM Instruments and methods for astrophysics
astro-ph.SR Solar and stellar astrophysics
cond-mat.dis-nn Disordered systems and neural networks
cond-mat.mes-hall Mesoscale and nanoscale physics
cond-mat.mtrl-sci Materials science
cond-mat.other Other condensed matter
cond-mat.quant-gas Quantum gases
cond-mat.soft Soft condensed matter
cond-mat.stat-mech Statistical mechanics
cond-mat.str-el Strongly correlated electrons
cond-mat.supr-con Superconductivity
cs.AI Artificial intelligence
cs.AR Hardware architecture
cs.CC Computational complexity
cs.CE Computational engineering, finance and science
cs.CG Computational geometry
cs.CL Computation and language
cs.CR Cryptography and security
cs.CV Computer vision and pattern recognition
cs.CY Computers and society
cs.DB Databases
cs.DC Distributed, parallel and cluster computing
cs.DL Digital libraries
cs.DM Discrete mathematics
cs.DS Data structures and algorithms
cs.ET Emerging technologies
cs.FL Formal languages and automata
cs.GR Graphics
cs.GT Game theory
cs.HC Human-computer interaction
cs.IR Information retrieval
cs.IT Information theory
cs.LG Machine learning
cs.LO Logic in computer science
cs.MA Multi-agent systems
cs.MM Multimedia
cs.MS Mathematical software
cs.NA Numerical analysis
cs.NE Neural and evolutionary computing
cs.NI Networking
cs.OS Operating systems
cs.PF Performance
cs.PL Programming languages
cs.RO Robotics
cs.SC Symbolic computation
cs.SD Sound
cs.SE Software engineering
cs.SI Social and information networks
cs.SY Systems and control
econ.EM Econometrics
econ.GN General economics
econ.TH Theoretical economics
eess.AS Audio and speech processing
eess.IV Image and video processing
eess.SP Signal processing
eess.SY Systems and control
gr-qc General relativity and quantum cosmology
hep-ex High-energy physics: experiment
hep-lat High-energy physics: lattice
hep-ph High-energy physics: phenomenology
hep-th High-energy physics: theory
math-ph Mathematical physics
math.AG Algebraic geometry
math.AP Analysis of partial differential equations
math.CO Combinatorics
math.DG Differential geometry
math.DS Dynamical systems
math.GR Group theory
math.LO Logic
math.NA Numerical analysis
math.NT Number theory
math.OC Optimization and control
math.PR Probability
math.ST Statistics theory
nucl-ex Nuclear experiment
nucl-th Nuclear theory
physics.ao-ph Atmospheric and oceanic physics
physics.bio-ph Biological physics
physics.chem-ph Chemical physics
physics.comp-ph Computational physics
physics.flu-dyn Fluid dynamics
physics.geo-ph Geophysics
physics.med-ph Medical physics
physics.optics Optics
physics.soc-ph Physics and society
q-bio.BM Biomolecules
q-bio.CB Cell behaviour
q-bio.GN Genomics
q-bio.MN Molecular networks
q-bio.NC Neurons and cognition
q-bio.PE Populations and evolution
q-bio.QM Quantitative methods in biology
q-bio.TO Tissues and organs
q-fin.CP Computational finance
q-fin.RM Risk management
q-fin.ST Statistical finance
quant-ph Quantum physics
stat.AP Applied statistics
stat.CO Statistical computation
stat.ME Statistical methods
stat.ML Machine learning (statistics)
stat.TH Statistics theory
"""
NAMES = dict(line.split(" ", 1) for line in _NAMES.strip().splitlines())


def name(code: str) -> str:
    """`cs.CL` -> `Computation and language`; a code (or a journal's own name) that is not known stays."""
    return NAMES.get(code, code)
