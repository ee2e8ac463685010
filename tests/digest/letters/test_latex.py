"""TeX made readable, and never a damaged word."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.letters import latex


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"Erd\H{o}s and Fr\'echet", "Erdős and Fréchet"),
        (r"\c{C}a\u{g}atay Y{\i}ld{\i}z, {\'E}ric, \'I\~nigo", "Çağatay Yıldız, Éric, Íñigo"),
        (r"S\o ren \O rsted, \AA ngstr\"om, na\"ive", "Søren Ørsted, Ångström, naïve"),
        (r"in $\mathcal{O}(n^2)$ steps", "in O(n²) steps"),
        (r"$\widetilde{O}(1/\varepsilon)$, $\sqrt{d}$, $\Sigma^{1/2} x_i'$", "Õ(1/ε), √d, Σ^(1/2) xᵢ′"),
        (r"$\mathbb R^d$ and $\mathbb{R}^{n}$", "ℝᵈ and ℝⁿ"),
        (r"3$\times$ faster, $\sim$10,000$\times$", "3× faster, ~10,000×"),
        (r"$\gamma($t$) = g_0 \cdot \exp(t \xi)$", "γ(t) = g₀ · exp(t ξ)"),
        (r"CO$_2$, R$^2$, $k$-NN, $p<0.05$", "CO₂, R², k-NN, p<0.05"),
        (r"$O(n\log n)$ and \(x^2\) and \[y_1\]", "O(n log n) and x² and y₁"),
        (r"{\sc OR-Instruct} \textbf{ifeval} \textit{a \emph{b} c}", "OR-Instruct ifeval a b c"),
        (r"10--20 pages, ``so'' 5\% at 45{\deg}", "10–20 pages, “so” 5% at 45°"),
        (r"\href{https://a.example/b}{here}, \url{https://a.example}", "here (https://a.example/b), https://a.example"),
    ],
)
def test_tex_is_shown_as_unicode(source: str, shown: str):
    assert latex.readable(source) == shown


@pytest.mark.parametrize(
    "source",
    [
        "$5 and saves $10",
        "costs $5-$10 per $1M",
        "from US$5 to A$10, $500-$1000",
        "A$B and C$D, 90$ synthetic data and 5$ more",
        r"C:\Users\name\in and \foo{x} \ourmethod{}",
        r"we use \cite{smith2020} and \def\a{\a\a}",
        r"\href{javascript:alert(1)}{x}",
        r"$\unknown{x} + 1$",
        "a --flag, an n--gram, it's snake_case",
    ],
)
def test_what_is_not_surely_tex_stays_as_it_was(source: str):
    assert latex.readable(source) == source


@pytest.mark.thorough
def test_s13_three_hundred_bombs_end_at_once():
    parts = [r"\def\a{\a\a}\a", "$" + "{" * 200 + "$", r"$\frac" * 40, r"\href{javascript:x}{y}", "$" * 200, r"\'" * 90]
    for n in range(300):
        bomb = (parts[n % 6] * (1 + n))[:20_000]
        began = time.process_time()
        latex.readable(bomb)
        assert time.process_time() - began < 0.25, bomb[:40]


@pytest.mark.thorough
@given(st.text(alphabet=st.sampled_from(list("ab1 $\\{}^_~'\"`()[]%&#")) | st.sampled_from("λé"), max_size=80))
def test_any_text_comes_back_as_text(source: str):
    assert isinstance(latex.readable(source), str)


@given(st.text(alphabet="abcdefg XYZ.,;:0123456789()/-", max_size=60).filter(lambda text: "--" not in text))
def test_words_without_tex_are_untouched(source: str):
    assert latex.readable(source) == source
