"""Reading lists that readers bring along: BibTeX, RIS, or ids and links one a line. Pure.

Good entries are taken, bad ones are named with their place: one broken entry never costs the others.
"""

from subscriptions.bibliography.entries import BadEntry, Reference, Shelf
from subscriptions.bibliography.reading import MOST_ENTRIES, ListError, decoded, read

__all__ = ["MOST_ENTRIES", "BadEntry", "ListError", "Reference", "Shelf", "decoded", "read"]
