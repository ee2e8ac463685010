"""Which papers the public sees: all but those a curator hid, and those of an edition that is not out yet.

A paper that came back as a late riser was public before, so hiding its return does not hide it.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from digest.models import Edition, EditionPaper

# The same twice: for the index's own SQL, and for the ORM.
WITHHELD = """
SELECT paper_id FROM digest_editionpaper WHERE is_hidden AND NOT is_late_riser
UNION ALL
SELECT place.paper_id FROM digest_editionpaper AS place JOIN digest_edition AS edition ON edition.id = place.edition_id
WHERE edition.state <> 'released' AND NOT place.is_late_riser
"""


def withheld() -> QuerySet[EditionPaper]:
    """The places of papers that the public does not see."""
    kept_back = Q(is_hidden=True) | Q(edition__in=Edition.objects.exclude(state=Edition.State.RELEASED))
    return EditionPaper.objects.filter(kept_back, is_late_riser=False)
