"""From the papers that match to the few of one letter, each with the reasons beside it. Pure.

Curator's pins come first. Then every interest in turn brings its best paper that is not there yet, so a broad topic
cannot crowd out a narrow one; a weight of 2 means two turns. One place may go to exploration (a paper from just
outside the interests), and places left over to community picks; both say so. The order within is by reciprocal rank
fusion (Cormack, Clarke & Büttcher, SIGIR 2009): being high on several lists beats being first on one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from typing import Any

import numpy as np

from digest.matching.index import FUSION, VOTE_SHARE, PaperIndex
from digest.matching.interest_query import COMMUNITY, DESCRIPTION, EXPLORE, LIKED, PIN, TOPIC, InterestQuery, Reason
from digest.matching.match import explain, match
from subscriptions.query import QueryError

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
    """The papers of one letter. `matched` papers answered the queries in all; `unreadable` queries were left out."""

    choices: tuple[Choice, ...]
    matched: int
    unreadable: tuple[str, ...] = ()


def select(
    index: PaperIndex,
    wants: Sequence[InterestQuery],
    limit: int,
    community: bool = True,
    explore: bool = False,
    without: int = 0,
) -> Selection:
    """The best `limit` papers of an index for these queries. `matched` may be 0 while pins or community picks remain.

    With `explore`, a letter of five or more keeps its last place for one paper from just outside the interests.
    `without` are the bits of papers the reader had before (`PaperIndex.bits_of`): they count as muted.
    What a query finds is kept with the index, so that readers who share it cost little more than one.
    """
    lists, muted, unreadable = _lists(index, wants)
    muted |= without
    matched = 0
    for one in lists:
        matched |= one.bits
    pins = [place for place in index.pinned if not muted >> place & 1][:limit]
    room = limit
    explored = None
    if explore and limit >= FEWEST_FOR_EXPLORING and len(pins) < limit:
        explored = _nearest(index, lists, muted | matched)
        if explored in pins:
            explored = None
        if explored is not None:
            room -= 1
    taken = dict.fromkeys(pins)
    _take_turns(taken, lists, muted, room)
    scored = [_chosen(index, lists, place) for place in taken]
    rest = scored[len(pins) :]
    rest.sort(key=lambda one: -one[0])
    choices = [choice for _, choice in scored[: len(pins)]]
    choices += [choice for _, choice in rest]
    if explored is not None:
        choices.append(_choice(index, explored, 0.0, (_shared_words(index, lists, explored),)))
        muted |= 1 << explored
    if community:
        choices += _popular(index, taken, muted, limit - len(choices))
    return Selection(tuple(choices), (matched & ~muted).bit_count(), unreadable)


def to_json(selection: Selection) -> list[dict[str, Any]]:
    """What a delivery row keeps of a selection."""
    rows = []
    for choice in selection.choices:
        reasons = [{"kind": one.kind, "label": one.label, "words": list(one.words)} for one in choice.reasons]
        rows.append({"paper": choice.paper, "score": choice.score, "reasons": reasons})
    return rows


@dataclass(frozen=True, slots=True)
class _List:
    """What one query finds in an index: the papers as bits, and as places best first with each one's rank from 0.

    `named` are the bits of papers that contain a topic's name. `alone` keeps, by place, the scored choices of papers
    that no other query of their reader finds.
    """

    want: InterestQuery
    bits: int
    places: Sequence[int]
    rank: dict[int, int]
    named: int
    alone: dict[int, tuple[float, Choice]] = field(default_factory=dict)


def _lists(index: PaperIndex, wants: Iterable[InterestQuery]) -> tuple[list[_List], int, tuple[str, ...]]:
    """The lists that bring papers, the bits of what is muted, and the labels of queries that cannot be read."""
    lists: list[_List] = []
    muted = 0
    unreadable: list[str] = []
    for want in wants:
        try:
            found = _found(index, want)
        except QueryError:
            unreadable.append(want.label)
            continue
        if want.muted:
            muted |= found.bits
        elif found.bits and want.weight > 0:
            lists.append(found)
    return lists, muted, tuple(unreadable)


def _found(index: PaperIndex, want: InterestQuery) -> _List:
    """What a query finds, kept with the index. A profile is one reader's own, so its list is not kept."""
    if want.kind == LIKED:
        return _list(index, want)
    key = (want.kind, want.label, want.query, want.weight)
    return index.once(("list", key), lambda: _list(index, want))


def _list(index: PaperIndex, want: InterestQuery) -> _List:
    answer = match(index, want)
    named = 0
    if want.kind == TOPIC:
        named = index.bits_of_name(want.label)
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


def _nearest(index: PaperIndex, lists: list[_List], closed: int) -> int | None:
    """The open paper that comes nearest to the queries: it shares their words, weighed by rarity.

    Papers that contain a topic's name are not outside the topic, whatever its filter asks for.
    """
    near = np.zeros(len(index), np.float32)
    for one in lists:
        closed |= one.named
        if one.want.kind not in NO_QUERY:
            near += one.want.weight * index.nearness(one.want.query)
    near[index.mask(closed)] = 0
    if not near.any():
        return None
    return int(near.argmax())


def _shared_words(index: PaperIndex, lists: Iterable[_List], place: int) -> Reason:
    """Why an explored paper is here, which answers none of the queries: the words it shares with them."""
    found: dict[str, None] = {}
    for one in lists:
        if one.want.kind not in NO_QUERY:
            found.update(dict.fromkeys(index.words_for(one.want.query, place)))
    return Reason(EXPLORE, "Just outside what you follow", tuple(found))


def _popular(index: PaperIndex, taken: dict[int, None], muted: int, room: int) -> list[Choice]:
    """The papers with the most votes for the places that are left, three at most."""
    picks: list[Choice] = []
    for place in index.vote_rank:
        if len(picks) >= min(MOST_COMMUNITY, room):
            break
        if place not in taken and not muted >> place & 1:
            reason = Reason(COMMUNITY, f"{index.papers[place].upvotes} readers raised it")
            picks.append(_choice(index, place, 0.0, (reason,)))
    return picks


def _chosen(index: PaperIndex, lists: list[_List], place: int) -> tuple[float, Choice]:
    """A paper with its score. Most are there for one query, which many readers share."""
    holding = [one for one in lists if place in one.rank]
    if len(holding) != 1:
        return _scored(index, holding, place)
    kept = holding[0].alone
    if place not in kept:
        kept[place] = _scored(index, holding, place)
    return kept[place]


def _scored(index: PaperIndex, holding: list[_List], place: int) -> tuple[float, Choice]:
    """Ranks fused into a score. The query the paper ranks highest with comes first; of equals, the narrower."""
    score = 0.0
    reasons = []
    if index.papers[place].pinned:
        reasons.append(PICKED)
    for one in holding:
        score += one.want.weight / (FUSION + one.rank[place])
    for one in sorted(holding, key=lambda one: (one.rank[place], len(one.places))):
        reasons.append(explain(index, one.want, place))
    if place in index.vote_rank:
        score += VOTE_SHARE / (FUSION + index.vote_rank[place])
    return score, _choice(index, place, score, tuple(reasons))


def _choice(index: PaperIndex, place: int, score: float, reasons: tuple[Reason, ...]) -> Choice:
    """The paper at `place`, as a letter keeps it."""
    return Choice(index.papers[place].id, round(100 * score, 3), reasons)
