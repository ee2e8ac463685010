"""A want against a day: the papers it brings, best first, and the reason beside each. Equal wants are met once."""

from __future__ import annotations

import numpy as np

from digest.matching import descriptions, liked_profile
from digest.matching.index import Answer, PaperIndex
from digest.matching.interest_query import DESCRIPTION, LIKED, InterestQuery, Learned, Reason
from digest.matching.lsa import Vectors
from digest.matching.postings import Ints
from digest.matching.stopwords import SAYS_LITTLE

MOST_WORDS = 6


def match(day: PaperIndex, want: InterestQuery) -> Answer:
    """What a want brings to a selection. Raises QueryError where its query cannot be read."""
    if want.kind == LIKED:
        return _liked(day, want.learned) if want.learned else Answer(0, [], {})
    if want.kind == DESCRIPTION:
        return day.once(("description", want.query), lambda: day.ordered(descriptions.answer(day, want.query).places))
    return day.answer(want.query)


def explain(day: PaperIndex, want: InterestQuery, place: int) -> Reason:
    """Why the paper at `place` answers the want."""
    if want.kind == LIKED and want.learned:
        return _resembles(day, want.learned, place)
    if want.kind == DESCRIPTION:
        words = day.once(("said", (want.query, place)), lambda: _said(day, want.query, place))
        return Reason(want.kind, want.label, words)
    return Reason(want.kind, want.label, day.words_for(want.query, place))


def vectors(day: PaperIndex, learned: Learned) -> Vectors:
    """The day's papers in the space of a taste; found once per day."""
    return day.once(("vectors", id(learned.model)), lambda: learned.model.vectors(day.papers))


def _liked(day: PaperIndex, learned: Learned) -> Answer:
    scores = liked_profile.scores(learned.profile, vectors(day, learned))
    places: Ints = np.flatnonzero(scores > learned.profile.threshold).astype(np.int32)
    return day.ordered(places[np.argsort(-scores[places], kind="stable")])


def _resembles(day: PaperIndex, learned: Learned, place: int) -> Reason:
    among = vectors(day, learned)
    names = day.once(("features", id(learned.model)), lambda: list(learned.model.features))
    words = liked_profile.telling(learned.profile, among, place, names)
    return Reason(
        LIKED, liked_profile.nearest(learned.profile, among, place), tuple(w for w in words if w not in SAYS_LITTLE)
    )


def _said(day: PaperIndex, text: str, place: int) -> tuple[str, ...]:
    """The words of the description that the paper holds, rarest first."""
    held = set(day.stems_in(place))
    said = [stem for stem in descriptions.stems_of(text) if stem in held]
    return tuple(sorted(said, key=lambda stem: (day.found(stem), stem))[:MOST_WORDS])
