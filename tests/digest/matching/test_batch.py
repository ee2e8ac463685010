from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.matching import PaperIndex, batch
from digest.matching.batch import Readers, Table, best
from digest.matching.select import InterestQuery, select
from tests.digest.matching.papers import day, paper

QUERIES = ["red", "blue", "sea", "sun", "blue OR red", "red sea", "nothing"]
words = st.sampled_from(["red", "blue", "sea", "sun", "sky"])
papers = st.lists(
    st.builds(
        lambda title, votes, pinned: paper(" ".join(title), "", upvotes=votes, pinned=pinned),
        st.lists(words, min_size=1, max_size=3),
        st.sampled_from([0, 0, 0, 1, 5]),
        st.sampled_from([False, False, False, False, True]),
    ),
    min_size=1,
    max_size=70,
)
interests = st.lists(
    st.tuples(
        st.integers(0, len(QUERIES) - 1), st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.sampled_from([False] * 5 + [True])
    ),
    max_size=5,
)


def packed(readers: list[list[tuple[int, float, bool]]]) -> Readers:
    flat = [one for reader in readers for one in reader]
    return Readers(
        np.cumsum([0, *map(len, readers)]),
        np.array([query for query, _, _ in flat], np.int32),
        np.array([weight for _, weight, _ in flat], np.float32),
        np.array([muted for _, _, muted in flat], np.bool_),
    )


@pytest.mark.thorough
@given(papers, st.lists(interests, min_size=1, max_size=6), st.integers(1, 8))
def test_all_at_once_is_the_same_as_one_by_one(
    held: list, readers: list[list[tuple[int, float, bool]]], limit: int
) -> None:
    among = PaperIndex.build(held)
    together = best(Table.of(among, QUERIES), packed(readers), limit)
    for number, reader in enumerate(readers):
        wants = [
            InterestQuery(f"{place}", "filter", QUERIES[one], weight, muted)
            for place, (one, weight, muted) in enumerate(reader)
        ]
        alone = select(among, wants, limit, community=False)
        found = [place for place in together.papers[number].tolist() if place >= 0]
        assert [among.papers[place].id for place in found] == [choice.paper for choice in alone.choices]
        assert together.matched[number] == alone.matched
        for place, mask, choice in zip(found, together.reasons[number].tolist(), alone.choices, strict=False):
            said = {int(reason.label) for reason in choice.reasons if reason.kind == "filter"}
            assert {bit for bit in range(len(reader)) if mask >> bit & 1} == said, place


def test_nobody_and_nothing() -> None:
    table = Table.of(day("red"), QUERIES)
    assert best(table, packed([]), 5).papers.shape == (0, 5)
    assert best(table, packed([[]]), 5).matched.tolist() == [0]


@pytest.mark.thorough
@given(papers, st.lists(interests, min_size=5, max_size=12), st.integers(1, 8))
def test_blocks_side_by_side_are_the_same_as_one_block(
    held: list, readers: list[list[tuple[int, float, bool]]], limit: int
) -> None:
    table = Table.of(PaperIndex.build(held), QUERIES)
    whole = best(table, packed(readers), limit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "BLOCK", 2)
        patch.setattr(batch, "CORES", 3)
        apart = best(table, packed(readers), limit)
    for name in ("papers", "reasons", "matched", "beyond", "raised"):
        assert np.array_equal(getattr(whole, name), getattr(apart, name)), name
