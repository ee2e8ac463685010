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
