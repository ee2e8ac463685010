"""Events of a subscription. Each is sent inside the transaction of the act itself.

A question that needs an answer goes through `questions.digest`.
"""

from __future__ import annotations

from django.dispatch import Signal

confirmed = Signal()
"""`subscriber`, `now`: a reader has just become active. Digest sets their cursor to the newest edition."""

resumed = Signal()
"""`subscriber`, `now`: a reader is back from a pause and wants no catch-up. Digest moves their cursor."""

exporting = Signal()
"""`subscriber`, `document` (dict): the receiver adds what it keeps about the reader."""

erased = Signal()
"""`subscriber`, `now`: the receiver deletes what it keeps about the reader."""

taste_changed = Signal()
"""`subscriber`, `now`, `is_reset`: the reader named papers, or wants all that was learnt forgotten."""
