"""The filter language: what a reader types into one box, read into a tree and written back in canonical form.

Pure: no database, no clock. The grammar is told to readers in docs/filters.md.
"""

from subscriptions.query.errors import ProseError, QueryError
from subscriptions.query.parser import LONGEST, canonical, left_out, parse
from subscriptions.query.prose import SENTENCE, is_prose, plain
from subscriptions.query.tree import And, Node, Not, Or, Term, all_of, any_of, format, negated, positive_terms, terms

__all__ = [
    "LONGEST",
    "SENTENCE",
    "And",
    "Node",
    "Not",
    "Or",
    "ProseError",
    "QueryError",
    "Term",
    "all_of",
    "any_of",
    "canonical",
    "format",
    "is_prose",
    "left_out",
    "negated",
    "parse",
    "plain",
    "positive_terms",
    "terms",
]
