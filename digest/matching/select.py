"""From what matched to the few papers worth a reader's morning, each with the reason beside it. Pure.

Curator's pins come first. Then every interest in turn brings its best paper that is not there yet, so a broad
topic cannot drown a narrow one; a weight of 2 means two turns. One place may go to a paper from just outside
what the reader follows, and places left over to what the community raised; both say so. The order within is by
reciprocal rank fusion (Cormack, Clarke & Büttcher, SIGIR 2009): being high on several lists beats being first
on one.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from typing import Any

import numpy as np

from digest.matching import match
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
MOST_COMMUNITY = 3
FEWEST_FOR_EXPLORING = 5
NO_QUERY = frozenset({DESCRIPTION, LIKED})


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
    `without` are the bits of papers the reader had before (`PaperIndex.bits_of`): they count as muted.
    What a want finds is kept with the day, so that readers who share it cost little more than one.
    """
    lists, muted, unreadable = _lists(day, wants)
    muted |= without
    matched = 0
    for one in lists:
        matched |= one.bits
    closed = muted | matched
    pins = [place for place in day.pinned if not muted >> place & 1][:limit]
    beyond = None
    if explore and limit >= FEWEST_FOR_EXPLORING and len(pins) < limit:
        beyond = _beyond(day, lists, closed)
    if beyond in pins:
        beyond = None
    taken = dict.fromkeys(pins)
    _take_turns(taken, lists, muted, limit if beyond is None else limit - 1)
    scored = [_chosen(day, lists, place) for place in taken]
    rest = scored[len(pins) :]
    rest.sort(key=lambda one: -one[0])
    choices = [made for _, made in scored[: len(pins)]]
    choices += [made for _, made in rest]
    if beyond is not None:
        choices.append(_choice(day, beyond, 0.0, (_explored(day, lists, beyond),)))
        muted |= 1 << beyond
    if community:
        choices += _raised(day, taken, muted, limit - len(choices))
    return Selection(tuple(choices), (matched & ~muted).bit_count(), unreadable)


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


@dataclass(frozen=True, slots=True)
class _List:
    """What one want finds in a day: the papers as bits, and as places best first with each one's rank from 0.

    `named` are the papers that speak of a topic by its name. `alone` keeps, by place, the scored choices
    of papers that no other want of their reader finds.
    """

    want: InterestQuery
    bits: int
    places: Sequence[int]
    rank: dict[int, int]
    named: int
    alone: dict[int, tuple[float, Choice]] = field(default_factory=dict)


def _lists(day: PaperIndex, wants: Iterable[InterestQuery]) -> tuple[list[_List], int, tuple[str, ...]]:
    """The lists that bring papers, the bits of what is muted, and the labels of wants that cannot be read."""
    lists: list[_List] = []
    muted = 0
    unreadable: list[str] = []
    for want in wants:
        try:
            found = _found(day, want)
        except query.QueryError:
            unreadable.append(want.label)
            continue
        if want.muted:
            muted |= found.bits
        elif found.bits and want.weight > 0:
            lists.append(found)
    return lists, muted, tuple(unreadable)


def _found(day: PaperIndex, want: InterestQuery) -> _List:
    """What a want finds, kept with the day. What likes find is one reader's own, so it is not kept."""
    if want.kind == LIKED:
        return _list(day, want)
    key = (want.kind, want.label, want.query, want.weight)
    return day.once(("list", key), lambda: _list(day, want))


def _list(day: PaperIndex, want: InterestQuery) -> _List:
    answer = match.match(day, want)
    named = day.called(want.label) if want.kind == TOPIC else 0
    return _List(want, answer.bits, answer.places, answer.rank, named)


def _take_turns(taken: dict[int, None], lists: list[_List], muted: int, limit: int) -> None:
    """Each list's best in turn, weights as turns; of equal claims the list with fewer papers goes first."""
    claims = [(1 / one.want.weight, len(one.places), number) for number, one in enumerate(lists)]
    heapify(claims)
    left = [iter(one.places) for one in lists]
    turns = [1] * len(lists)
    while claims and len(taken) < limit:
        _, size, number = claims[0]
        for place in left[number]:
            if place not in taken and not muted >> place & 1:
                taken[place] = None
                turns[number] += 1
                heapreplace(claims, (turns[number] / lists[number].want.weight, size, number))
                break
        else:
            heappop(claims)


def _beyond(day: PaperIndex, lists: list[_List], closed: int) -> int | None:
    """The paper that comes nearest to the wants without answering any: it shares their words, weighed by rarity.

    Papers that speak of a topic by its very name are not outside it, whatever its filter asks for.
    """
    near = np.zeros(len(day), np.float32)
    for one in lists:
        closed |= one.named
        if one.want.kind not in NO_QUERY:
            near += one.want.weight * day.nearness(one.want.query)
    near[day.mask(closed)] = 0
    best = int(near.argmax()) if len(near) else 0
    return best if len(near) and near[best] > 0 else None


def _explored(day: PaperIndex, lists: Iterable[_List], place: int) -> Reason:
    """Why a paper is here that answers none of the wants: the words it shares with them."""
    found: dict[str, None] = {}
    for one in lists:
        if one.want.kind not in NO_QUERY:
            found.update(dict.fromkeys(day.words_for(one.want.query, place)))
    return Reason(EXPLORE, "Just outside what you follow", tuple(found))


def _raised(day: PaperIndex, taken: Container[int], muted: int, room: int) -> list[Choice]:
    """What the community raised most, for the places that are left, three at most."""
    picks: list[Choice] = []
    for place in day.liked_rank:
        if len(picks) >= min(MOST_COMMUNITY, room):
            break
        if place not in taken and not muted >> place & 1:
            reason = Reason(COMMUNITY, f"{day.papers[place].upvotes} readers raised it")
            picks.append(_choice(day, place, 0.0, (reason,)))
    return picks


def _chosen(day: PaperIndex, lists: list[_List], place: int) -> tuple[float, Choice]:
    """A paper with its score. Most are there for one want, which many readers share."""
    holding = [one for one in lists if place in one.rank]
    if len(holding) != 1:
        return _scored(day, holding, place)
    kept = holding[0].alone
    if place not in kept:
        kept[place] = _scored(day, holding, place)
    return kept[place]


def _scored(day: PaperIndex, holding: list[_List], place: int) -> tuple[float, Choice]:
    """Ranks fused into a score. The want the paper stands highest with comes first; of equals, the narrower."""
    score = sum(one.want.weight / (FUSION + one.rank[place]) for one in holding)
    voted = day.liked_rank.get(place)
    if voted is not None:
        score += VOTE_SHARE / (FUSION + voted)
    found = sorted(holding, key=lambda one: (one.rank[place], len(one.places)))
    reasons = [match.explain(day, one.want, place) for one in found]
    if day.papers[place].pinned:
        reasons.insert(0, PICKED)
    return score, _choice(day, place, score, tuple(reasons))


def _choice(day: PaperIndex, place: int, score: float, reasons: tuple[Reason, ...]) -> Choice:
    """The paper at `place`, as a letter keeps it."""
    return Choice(day.papers[place].id, round(100 * score, 3), reasons)
