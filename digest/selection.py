"""From what matched to the few papers worth a reader's morning, each with the reason beside it. Pure.

Curator's pins come first. Then every interest in turn brings its best paper that is not there yet, so a broad
topic cannot drown a narrow one; a weight of 2 means two turns. Places left over go to what the community raised.
The order within is by reciprocal rank fusion (Cormack, Clarke & Büttcher, SIGIR 2009): being high on several
lists beats being first on one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from digest.matching.day import FUSION, VOTE_SHARE, Day
from subscriptions import query

PIN, COMMUNITY = "pin", "community"
MOST_COMMUNITY = 3


@dataclass(frozen=True, slots=True)
class Want:
    """One thing a reader asked for: `query` in canonical form; `muted` means never show what it finds."""

    label: str
    kind: str
    query: str
    weight: float = 1.0
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a paper is here: the kind of want, its label in the reader's words, and the words found in the paper."""

    kind: str
    label: str
    words: tuple[str, ...] = ()


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


def select(day: Day, wants: Sequence[Want], limit: int, community: bool = True) -> Selection:
    """The best `limit` papers of a day for these wants. `matched` may be 0 while pins or community picks remain."""
    lists, muted, unreadable = _lists(day, wants)
    matched = 0
    for one in lists:
        matched |= one.bits
    matched &= ~muted
    pins = [place for place in day.pinned if not muted >> place & 1][:limit]
    taken = dict.fromkeys(pins)
    _take_turns(taken, lists, muted, limit)
    picks = _community(day, taken, muted, limit) if community else []
    scores = {place: _score(day, lists, place) for place in taken}
    order = [*pins, *sorted((place for place in taken if place not in pins), key=lambda place: -scores[place]), *picks]
    choices = tuple(
        Choice(day.papers[place].id, round(100 * scores.get(place, 0.0), 3), _reasons(day, lists, place, place in pins))
        for place in order
    )
    return Selection(choices, matched.bit_count(), unreadable)


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

    want: Want
    bits: int
    places: Sequence[int]
    rank: dict[int, int]
    next: int = 0
    turns: int = 0


def _lists(day: Day, wants: Iterable[Want]) -> tuple[list[_List], int, tuple[str, ...]]:
    lists, muted, unreadable = [], 0, []
    for want in wants:
        try:
            answer = day.answer(want.query)
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


def _community(day: Day, taken: dict[int, None], muted: int, limit: int) -> list[int]:
    room = min(MOST_COMMUNITY, limit - len(taken))
    picks: list[int] = []
    for place in day.liked_rank:
        if len(picks) >= room:
            break
        if place not in taken and not muted >> place & 1:
            picks.append(place)
    return picks


def _score(day: Day, lists: list[_List], place: int) -> float:
    score = sum(one.want.weight / (FUSION + one.rank[place]) for one in lists if place in one.rank)
    voted = day.liked_rank.get(place)
    return score if voted is None else score + VOTE_SHARE / (FUSION + voted)


def _reasons(day: Day, lists: list[_List], place: int, pinned: bool) -> tuple[Reason, ...]:
    found = sorted((one for one in lists if place in one.rank), key=lambda one: (one.rank[place], len(one.places)))
    reasons = [Reason(one.want.kind, one.want.label, day.words_for(one.want.query, place)) for one in found]
    if pinned:
        reasons.insert(0, Reason(PIN, "Picked by the curator"))
    return tuple(reasons) or (Reason(COMMUNITY, f"{day.papers[place].upvotes} readers raised it"),)
