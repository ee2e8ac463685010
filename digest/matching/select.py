"""From what matched to the few papers worth a reader's morning, each with the reason beside it. Pure.

Curator's pins come first. Then every interest in turn brings its best paper that is not there yet, so a broad
topic cannot drown a narrow one; a weight of 2 means two turns. One place may go to a paper from just outside
what the reader follows, and places left over to what the community raised; both say so. The order within is by
reciprocal rank fusion (Cormack, Clarke & Büttcher, SIGIR 2009): being high on several lists beats being first
on one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digest.matching import match
from digest.matching.batch import FEWEST_FOR_EXPLORING, MOST_COMMUNITY
from digest.matching.index import FUSION, VOTE_SHARE, PaperIndex
from digest.matching.interest_query import (
    AUTHOR,
    CATEGORY,
    COMMUNITY,
    DESCRIPTION,
    EXPLORE,
    FILTER,
    LIKED,
    PIN,
    TOPIC,
    InterestQuery,
    Learned,
    Reason,
)
from subscriptions import query

__all__ = [
    "AUTHOR",
    "CATEGORY",
    "COMMUNITY",
    "DESCRIPTION",
    "EXPLORE",
    "FILTER",
    "LIKED",
    "PIN",
    "TOPIC",
    "Choice",
    "InterestQuery",
    "Learned",
    "Reason",
    "Selection",
    "select",
    "to_json",
]

PICKED = Reason(PIN, "Picked by the curator")


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen paper (its id), its score (only comparable within one letter) and its reasons, strongest first."""

    paper: int
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """What goes into one letter. `matched` papers answered the wants in all; `unreadable` wants were left out."""

    choices: tuple[Choice, ...]
    matched: int
    unreadable: tuple[str, ...] = ()


def select(
    day: PaperIndex,
    wants: Sequence[InterestQuery],
    limit: int,
    community: bool = True,
    explore: bool = False,
    without: int = 0,
) -> Selection:
    """The best `limit` papers of a day for these wants. `matched` may be 0 while pins or community picks remain.

    With `explore`, a letter of five or more keeps its last place for one paper from just outside the wants.
    `without` are the bits of papers the reader had before (`Day.standing`): they count as muted.
    """
    lists, muted, unreadable = _lists(day, wants)
    muted |= without
    matched = 0
    for one in lists:
        matched |= one.bits
    closed = muted | matched
    matched &= ~muted
    pins = [place for place in day.pinned if not muted >> place & 1][:limit]
    explores = explore and limit >= FEWEST_FOR_EXPLORING and len(pins) < limit
    beyond = _beyond(day, lists, closed) if explores else None
    taken = dict.fromkeys(pins)
    _take_turns(taken, lists, muted, limit if beyond is None or beyond in taken else limit - 1)
    extras: dict[int, Reason] = {}
    if beyond is not None and beyond not in taken:
        extras[beyond] = exploration(day, (one.want for one in lists), beyond)
    if community:
        extras |= _community(day, {*taken, *extras}, muted, limit - len(taken) - len(extras))
    scores = {place: _score(day, lists, place) for place in taken}
    rest = sorted((place for place in taken if place not in pins), key=lambda place: -scores[place])
    choices = [
        choice(day, place, scores[place], _reasons(day, lists, place, place in pins)) for place in [*pins, *rest]
    ]
    choices += [choice(day, place, 0.0, (reason,)) for place, reason in extras.items()]
    return Selection(tuple(choices), matched.bit_count(), unreadable)


def to_json(selection: Selection) -> list[dict[str, Any]]:
    """What a delivery row keeps of a selection."""
    return [
        {
            "paper": choice.paper,
            "score": choice.score,
            "reasons": [
                {"kind": reason.kind, "label": reason.label, "words": list(reason.words)} for reason in choice.reasons
            ],
        }
        for choice in selection.choices
    ]


@dataclass(slots=True)
class _List:
    """A want with what it found: places best first, and each one's rank from 0."""

    want: InterestQuery
    bits: int
    places: Sequence[int]
    rank: dict[int, int]
    next: int = 0
    turns: int = 0


def _lists(day: PaperIndex, wants: Iterable[InterestQuery]) -> tuple[list[_List], int, tuple[str, ...]]:
    lists, muted, unreadable = [], 0, []
    for want in wants:
        try:
            answer = match.match(day, want)
        except query.QueryError:
            unreadable.append(want.label)
            continue
        if want.muted:
            muted |= answer.bits
        elif answer.bits and want.weight > 0:
            lists.append(_List(want, answer.bits, answer.places, answer.rank))
    return lists, muted, tuple(unreadable)


def _take_turns(taken: dict[int, None], lists: list[_List], muted: int, limit: int) -> None:
    """Each list's best in turn, weights as turns; of equal claims the list with fewer papers goes first."""
    open_lists = list(lists)
    while open_lists and len(taken) < limit:
        turn = min(open_lists, key=lambda one: ((one.turns + 1) / one.want.weight, len(one.places)))
        place = _next(turn, taken, muted)
        if place is None:
            open_lists.remove(turn)
            continue
        taken[place] = None
        turn.turns += 1


def _next(one: _List, taken: dict[int, None], muted: int) -> int | None:
    while one.next < len(one.places):
        place = one.places[one.next]
        one.next += 1
        if place not in taken and not muted >> place & 1:
            return place
    return None


def _beyond(day: PaperIndex, lists: list[_List], closed: int) -> int | None:
    """The paper that comes nearest to the wants without answering any: it shares their words, weighed by rarity."""
    near = np.zeros(len(day), np.float32)
    for one in lists:
        if one.want.kind not in {DESCRIPTION, LIKED}:
            near += one.want.weight * day.nearness(one.want.query)
    for one in lists:
        closed |= _named(day, one.want)
    near[day.places(closed)] = 0
    best = int(near.argmax()) if len(near) else 0
    return best if len(near) and near[best] > 0 else None


def _named(day: PaperIndex, want: InterestQuery) -> int:
    """Papers that speak of a topic by its very name are not outside it, whatever its filter asks for."""
    return day.called(want.label) if want.kind == TOPIC else 0


def exploration(day: PaperIndex, wants: Iterable[InterestQuery], place: int) -> Reason:
    """Why a paper is here that answers none of the wants: the words it shares with them."""
    found: dict[str, None] = {}
    for want in wants:
        if want.kind not in {DESCRIPTION, LIKED}:
            found.update(dict.fromkeys(day.words_for(want.query, place)))
    return Reason(EXPLORE, "Just outside what you follow", tuple(found))


def popular(day: PaperIndex, place: int) -> Reason:
    """Why a paper is here that only the community brought."""
    return Reason(COMMUNITY, f"{day.papers[place].upvotes} readers raised it")


def _community(day: PaperIndex, taken: set[int], muted: int, room: int) -> dict[int, Reason]:
    picks: dict[int, Reason] = {}
    for place in day.liked_rank:
        if len(picks) >= min(MOST_COMMUNITY, room):
            break
        if place not in taken and not muted >> place & 1:
            picks[place] = popular(day, place)
    return picks


def _score(day: PaperIndex, lists: list[_List], place: int) -> float:
    score = sum(one.want.weight / (FUSION + one.rank[place]) for one in lists if place in one.rank)
    voted = day.liked_rank.get(place)
    return score if voted is None else score + VOTE_SHARE / (FUSION + voted)


def _reasons(day: PaperIndex, lists: list[_List], place: int, pinned: bool) -> tuple[Reason, ...]:
    found = sorted((one for one in lists if place in one.rank), key=lambda one: (one.rank[place], len(one.places)))
    reasons = [match.explain(day, one.want, place) for one in found]
    return (PICKED, *reasons) if pinned else tuple(reasons)


def choice(day: PaperIndex, place: int, score: float, reasons: tuple[Reason, ...]) -> Choice:
    """The paper at `place`, as a letter keeps it."""
    return Choice(day.papers[place].id, round(100 * score, 3), reasons)
