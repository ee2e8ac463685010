"""The choice for many readers at once, in the same words as `selection.select` gives one.

The arrays of `matching.bulk` choose; here their numbers become papers with reasons. Descriptions, likes and queries
that cannot be read have no place in those arrays: whoever holds one is left to `select`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digest.matching import batch, match
from digest.matching.batch import Readers, Table
from digest.matching.index import FUSION, PaperIndex
from digest.matching.interest_query import DESCRIPTION, LIKED, TOPIC, InterestQuery
from digest.matching.select import PICKED, Choice, Selection, choice, exploration, popular
from subscriptions import query

FEWEST = 16  # readers: for fewer, the arrays cost more than they save
MOST_CELLS = 16_000_000  # queries x papers kept, some ten bytes each


@dataclass(frozen=True, slots=True)
class Asked:
    """What one reader asked for, as `select` takes it."""

    wants: Sequence[InterestQuery]
    limit: int
    community: bool = True
    explore: bool = False


class Crowd:
    """The readers of one window. What their distinct queries found is kept from call to call, up to `MOST_CELLS`,
    and so are the papers that one interest brings."""

    def __init__(self, day: PaperIndex) -> None:
        self.day = day
        self._pinned = frozenset(day.pinned)
        self._begin()

    def _begin(self) -> None:
        self._table = Table.empty(self.day)
        self._alone: dict[tuple[int, int, str, str, float], Choice] = {}

    def select(self, asked: Sequence[Asked]) -> list[Selection | None]:
        """A selection for each; None for those that have to be chosen for alone."""
        chosen: list[Selection | None] = [None] * len(asked)
        if len(asked) < FEWEST or not 0 < len(self.day) < batch.MOST_PAPERS:
            return chosen
        if self._table.cells > MOST_CELLS:
            self._begin()
        rows = {number: found for number, one in enumerate(asked) if (found := self._rows(one.wants)) is not None}
        if rows:
            held = [asked[number] for number in rows]
            for number, selection in zip(rows, self._selected(held, list(rows.values())), strict=True):
                chosen[number] = selection
        return chosen

    def _rows(self, wants: Sequence[InterestQuery]) -> list[int] | None:
        """The table's row of each want; None where one has none, or where there are too many."""
        if len(wants) > batch.MOST_INTERESTS or any(one.kind in {DESCRIPTION, LIKED} for one in wants):
            return None
        try:
            return [self._table.row(one.query, one.label if one.kind == TOPIC else "") for one in wants]
        except query.QueryError:
            return None

    def _selected(self, asked: Sequence[Asked], rows: Sequence[Sequence[int]]) -> list[Selection]:
        best = batch.best(self._table, _packed(asked, rows), np.array([one.limit for one in asked], np.int64))
        columns = (best.papers, best.reasons, best.matched, best.beyond, best.raised)
        found = zip(asked, rows, *(column.tolist() for column in columns), strict=True)
        return [self._selection(*one) for one in found]

    def _selection(
        self,
        asked: Asked,
        rows: Sequence[int],
        places: list[int],
        masks: list[int],
        matched: int,
        beyond: int,
        picks: list[int],
    ) -> Selection:
        best = zip(places, masks, strict=True)
        chosen = [self._choice(asked.wants, rows, place, mask) for place, mask in best if place >= 0]
        if beyond >= 0:
            wants = [one for one, row in zip(asked.wants, rows, strict=True) if self._counts(one, row)]
            chosen.append(choice(self.day, beyond, 0.0, (exploration(self.day, wants, beyond),)))
        chosen += [choice(self.day, place, 0.0, (popular(self.day, place),)) for place in picks if place >= 0]
        return Selection(tuple(chosen), matched)

    def _counts(self, want: InterestQuery, row: int) -> bool:
        return not want.muted and want.weight > 0 and bool(self._table.answers[row].places)

    def _choice(self, wants: Sequence[InterestQuery], rows: Sequence[int], place: int, mask: int) -> Choice:
        """A paper with its score and its reasons. Most are there for one interest, which many readers share."""
        number = mask.bit_length() - 1
        if not mask or mask != 1 << number:
            return self._made([(wants[at], rows[at]) for at in range(mask.bit_length()) if mask >> at & 1], place)
        want = wants[number]
        key = (rows[number], place, want.kind, want.label, want.weight)
        known = self._alone.get(key)
        if known is None:
            known = self._alone[key] = self._made([(want, rows[number])], place)
        return known

    def _made(self, held: Sequence[tuple[InterestQuery, int]], place: int) -> Choice:
        """The interest the paper stands highest with comes first; of equals, the one that found fewer papers."""
        found = [(self._table.answers[row], want) for want, row in held]
        score = sum(want.weight / (FUSION + answer.rank[place]) for answer, want in found)
        found.sort(key=lambda one: (one[0].rank[place], len(one[0].places)))
        reasons = [match.explain(self.day, want, place) for _, want in found]
        pinned = (PICKED,) if place in self._pinned else ()
        return choice(self.day, place, score + float(self._table.votes[place]), (*pinned, *reasons))


def _packed(asked: Sequence[Asked], rows: Sequence[Sequence[int]]) -> Readers:
    wants = [want for one in asked for want in one.wants]
    return Readers(
        starts=np.cumsum([0, *(len(one) for one in rows)]),
        query=np.array([row for one in rows for row in one], np.int32),
        weight=np.array([want.weight for want in wants], np.float64),
        muted=np.array([want.muted for want in wants], np.bool_),
        community=np.array([one.community for one in asked], np.bool_),
        explore=np.array([one.explore for one in asked], np.bool_),
    )
