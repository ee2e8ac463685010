"""Reading lists that readers bring along: BibTeX, RIS, or ids and links one a line. Pure.

Good entries are taken, bad ones are named with their place: one broken entry never costs the others.
"""

from subscriptions.bibliography.detect import MOST_ENTRIES, ListError, decoded, read
from subscriptions.bibliography.entries import BadEntry, ParseResult, Reference

__all__ = ["MOST_ENTRIES", "BadEntry", "ListError", "ParseResult", "Reference", "decoded", "read"]
