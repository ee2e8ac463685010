"""How long things may wait, each with its reason."""

from __future__ import annotations

from datetime import timedelta

# After this a letter is not sent for its own moment any more, so that nobody gets two on one day;
# its papers come with the next one. A reader whose hour has come waits as long for an edition that is not out yet:
# arXiv's mailings have been hours late (info.arxiv.org/help/availability), and a machine may be off for a day.
LATE_LIMIT = timedelta(hours=20)
LATE_LIMIT_WEEKLY = timedelta(days=3)
