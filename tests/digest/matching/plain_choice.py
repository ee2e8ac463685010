"""The choice of `digest.matching.select` written plainly: nothing is kept, every rule is one loop. An oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digest.matching import match
from digest.matching.index import FUSION, VOTE_SHARE, Answer, PaperIndex
from digest.matching.interest_query import COMMUNITY, DESCRIPTION, EXPLORE, LIKED, TOPIC, InterestQuery, Reason
from digest.matching.select import FEWEST_FOR_EXPLORING, MOST_COMMUNITY, PICKED, Choice, Selection
from subscriptions import query


@dataclass
class Held:
    want: InterestQuery
    answer: Answer
    turns: int = 0


def select(
    day: PaperIndex,
    wants: Sequence[InterestQuery],
    limit: int,
    community: bool = True,
    explore: bool = False,
    without: int = 0,
) -> Selection:
    held: list[Held] = []
    muted = set(day.places(without).tolist())
    unreadable = []
    for want in wants:
        try:
            found = match.match(day, want)
        except query.QueryError:
            unreadable.append(want.label)
            continue
        if want.muted:
            muted.update(found.places)
        elif found.places and want.weight > 0:
            held.append(Held(want, found))
    matched = {place for one in held for place in one.answer.places}
    pins = [place for place in day.pinned if place not in muted][:limit]
    beyond = None
    if explore and limit >= FEWEST_FOR_EXPLORING and len(pins) < limit:
        beyond = nearest(day, held, matched | muted)
    if beyond in pins:
        beyond = None
    taken = in_turns(held, pins, muted, limit - (beyond is not None))
    taken[len(pins) :] = sorted(taken[len(pins) :], key=lambda place: -score(day, held, place))
    choices = [choice(day, place, score(day, held, place), *reasons(day, held, place)) for place in taken]
    if beyond is not None:
        shared = [word for one in queries(held) for word in day.words(day.tree(one.want.query), beyond)]
        reason = Reason(EXPLORE, "Just outside what you follow", tuple(dict.fromkeys(shared)))
        choices.append(choice(day, beyond, 0.0, reason))
    if community:
        left = [place for place in day.vote_rank if place not in {*taken, beyond, *muted}]
        choices += [raised(day, place) for place in left[: max(0, min(MOST_COMMUNITY, limit - len(choices)))]]
    return Selection(tuple(choices), len(matched - muted), tuple(unreadable))


def in_turns(held: list[Held], pins: list[int], muted: set[int], limit: int) -> list[int]:
    taken = list(pins)
    while len(taken) < limit:
        place = next_paper(held, taken, muted)
        if place is None:
            break
        taken.append(place)
    return taken


def raised(day: PaperIndex, place: int) -> Choice:
    return choice(day, place, 0.0, Reason(COMMUNITY, f"{day.papers[place].upvotes} readers raised it"))


def next_paper(held: list[Held], taken: list[int], muted: set[int]) -> int | None:
    """The paper of the list whose turn it is: the smallest (turns + 1) / weight, then the shortest list."""
    for one in sorted(held, key=lambda one: ((one.turns + 1) / one.want.weight, len(one.answer.places))):
        for place in one.answer.places:
            if place not in taken and place not in muted:
                one.turns += 1
                return place
    return None


def nearest(day: PaperIndex, held: list[Held], closed: set[int]) -> int | None:
    near = np.zeros(len(day), np.float32)
    for one in queries(held):
        near += one.want.weight * day.nearness(one.want.query)
        if one.want.kind == TOPIC:
            closed = closed | set(day.places(day.bits_of_name(one.want.label)).tolist())
    for place in closed:
        near[place] = 0
    if not len(near) or near.max() <= 0:
        return None
    return int(near.argmax())


def queries(held: list[Held]) -> list[Held]:
    return [one for one in held if one.want.kind not in {DESCRIPTION, LIKED}]


def score(day: PaperIndex, held: list[Held], place: int) -> float:
    total = sum(one.want.weight / (FUSION + one.answer.rank[place]) for one in held if place in one.answer.rank)
    if place in day.vote_rank:
        total += VOTE_SHARE / (FUSION + day.vote_rank[place])
    return total


def reasons(day: PaperIndex, held: list[Held], place: int) -> list[Reason]:
    found = [one for one in held if place in one.answer.rank]
    found.sort(key=lambda one: (one.answer.rank[place], len(one.answer.places)))
    picked = [PICKED] if place in day.pinned else []
    return picked + [match.explain(day, one.want, place) for one in found]


def choice(day: PaperIndex, place: int, scored: float, *why: Reason) -> Choice:
    return Choice(day.papers[place].id, round(100 * scored, 3), why)
