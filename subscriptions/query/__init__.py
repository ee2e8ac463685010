"""The filter language: what a reader types into one box, read into a tree and written back in canonical form.

Pure: no database, no clock. The grammar is told to readers in docs/filters.md.
"""

from subscriptions.query.errors import QueryError
from subscriptions.query.parser import LONGEST, canonical, parse
from subscriptions.query.tree import And, Node, Not, Or, Term, all_of, any_of, format, negated, positive_terms, terms

__all__ = [
    "LONGEST",
    "And",
    "Node",
    "Not",
    "Or",
    "QueryError",
    "Term",
    "all_of",
    "any_of",
    "canonical",
    "format",
    "negated",
    "parse",
    "positive_terms",
    "terms",
]
