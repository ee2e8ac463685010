"""Which papers of an index an interest query finds, best first, and the reason beside each paper."""

from __future__ import annotations

import numpy as np

from digest.matching import descriptions, liked_profile
from digest.matching.index import Answer, PaperIndex
from digest.matching.interest_query import DESCRIPTION, LIKED, InterestQuery, Learned, Reason
from digest.matching.lsa import Vectors
from digest.matching.stopwords import STOPWORDS

MOST_WORDS = 6


def match(index: PaperIndex, want: InterestQuery) -> Answer:
    """What a query finds, kept with the index unless it is one reader's profile. Raises QueryError if unreadable."""
    if want.kind == LIKED:
        return _liked(index, want.learned)
    if want.kind == DESCRIPTION:
        key = ("description", want.query)
        return index.once(key, lambda: index.ordered(descriptions.answer(index, want.query).places))
    return index.answer(want.query)


def explain(index: PaperIndex, want: InterestQuery, place: int) -> Reason:
    """Why the paper at `place` answers the query."""
    if want.kind == LIKED and want.learned:
        return _resembled(index, want.learned, place)
    if want.kind == DESCRIPTION:
        key = ("description words", (want.query, place))
        words = index.once(key, lambda: _shared_stems(index, want.query, place))
        return Reason(want.kind, want.label, words)
    return Reason(want.kind, want.label, index.words_for(want.query, place))


def vectors(index: PaperIndex, learned: Learned) -> Vectors:
    """The index's papers in the LSA model of a profile; computed once for each model."""
    model = learned.model
    return index.once(("vectors", id(model)), lambda: model.vectors(index.papers))


def _liked(index: PaperIndex, learned: Learned | None) -> Answer:
    """The papers that score above the profile's threshold."""
    if learned is None:
        return Answer(0, [], {})
    scores = liked_profile.scores(learned.profile, vectors(index, learned))
    places = np.flatnonzero(scores > learned.profile.threshold).astype(np.int32)
    order = np.argsort(-scores[places], kind="stable")
    return index.ordered(places[order])


def _resembled(index: PaperIndex, learned: Learned, place: int) -> Reason:
    """The liked paper that this one resembles most, and the features that count most for it."""
    papers = vectors(index, learned)
    names = index.once(("features", id(learned.model)), lambda: list(learned.model.features))
    features = liked_profile.top_features(learned.profile, papers, place, names)
    words = tuple(word for word in features if word not in STOPWORDS)
    return Reason(LIKED, liked_profile.nearest(learned.profile, papers, place), words)


def _shared_stems(index: PaperIndex, text: str, place: int) -> tuple[str, ...]:
    """The stems of a description that the paper holds, rarest first."""
    shared = descriptions.stems_of(text).keys() & index.stems_in(place).keys()
    rarest = sorted(shared, key=lambda stem: (index.found(stem), stem))
    return tuple(rarest[:MOST_WORDS])
