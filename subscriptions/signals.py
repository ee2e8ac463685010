"""What other rooms may want to hear of. Each is sent inside the transaction that makes it true."""

from __future__ import annotations

from django.dispatch import Signal

confirmed = Signal()
"""`subscriber`, `now`: a reader has just become active. Digest sets their cursor to the newest edition."""

resumed = Signal()
"""`subscriber`, `now`: a reader is back from a pause and wants no catch-up. Digest moves their cursor."""

exporting = Signal()
"""`subscriber`, `document` (dict): add what your room keeps about the reader."""

erased = Signal()
"""`subscriber`, `now`: scrub what your room keeps about the reader."""

previewing = Signal()
"""`wishes` (list of `interests.Wish`), `description`, `liked` (list of `bibliography.Reference`),
`now`: answer with a `previews.Preview` of the last 30 days."""

history = Signal()
"""`subscriber`, `now`: answer with a list of `previews.Letter`, newest first."""

explaining = Signal()
"""`subscriber`, `now`: answer with a `previews.Letter` that says what became of the reader's present day."""

wanting_now = Signal()
"""`subscriber`, `now`: plan the letter for today's edition at once; answer with a sentence for the reader."""

holding = Signal()
"""`now`: answer with the reason why nothing may be sent (a restored database), or nothing."""

locating_feed = Signal()
"""`topic` (slug or empty), `query` (canonical): answer with the absolute address of its public feed."""

showing_taste = Signal()
"""`subscriber`: answer with a `previews.Taste`: what was learnt from the papers they like."""

taking_back = Signal()
"""`subscriber`, `paper` (its id), `now`: unsay what the reader said of it; answer whether there was anything."""

taste_changed = Signal()
"""`subscriber`, `now`, `is_reset`: the reader named papers, or wants all that was learnt forgotten."""
