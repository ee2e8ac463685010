"""Many readers at once get what each would get alone: same papers, same order, same scores, same words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.matching import PaperIndex, batch_select
from digest.matching.batch_select import Asked, Crowd
from digest.matching.interest_query import AUTHOR, CATEGORY, DESCRIPTION, FILTER, TOPIC, InterestQuery
from digest.matching.select import select
from tests.digest.matching.papers import paper

QUERIES = [
    ("red", FILTER),
    ("blue OR sea", FILTER),
    ("red sea", FILTER),
    ("-red sun", FILTER),
    ("sea*", FILTER),
    ("sun", TOPIC),
    ("blue", TOPIC),
    ('author:"ada example"', AUTHOR),
    ("cat:cs.*", CATEGORY),
    ("nothing", FILTER),
]
words = st.sampled_from(["red", "blue", "sea", "sun", "sky", "sand"])
papers = st.lists(
    st.builds(
        lambda title, abstract, votes, pinned, author, category: paper(
            " ".join(title), " ".join(abstract), upvotes=votes, pinned=pinned, authors=(author,), categories=(category,)
        ),
        st.lists(words, min_size=1, max_size=3),
        st.lists(words, max_size=5),
        st.sampled_from([0, 0, 0, 1, 5]),
        st.sampled_from([False] * 6 + [True]),
        st.sampled_from(["Ada Example", "Ben Sample"]),
        st.sampled_from(["cs.CL", "q-bio"]),
    ),
    min_size=1,
    max_size=80,
)
wants = st.lists(
    st.builds(
        lambda asked, label, weight, muted: InterestQuery(label, asked[1], asked[0], weight, muted),
        st.sampled_from(QUERIES),
        st.sampled_from(["sky", "red sea", "my work", "†"]),
        st.sampled_from([0.0, 0.3, 0.5, 1.0, 2.0]),
        st.sampled_from([False] * 6 + [True]),
    ),
    max_size=6,
)
readers = st.lists(
    st.builds(Asked, wants, st.sampled_from([1, 3, 5, 7, 15]), st.booleans(), st.booleans()), min_size=1, max_size=20
)


@pytest.fixture(autouse=True, scope="module")
def _even_for_one() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_select, "FEWEST", 1)
        yield


@pytest.mark.thorough
@settings(max_examples=300, deadline=None)
@given(papers, readers, readers)
def test_a_crowd_is_served_as_each_reader_alone(held: list, first: list[Asked], second: list[Asked]) -> None:
    together = Crowd(PaperIndex.build(held))
    for asked in (first, second):  # the second finds a table that is already there, and makes it grow
        for one, chosen in zip(asked, together.select(asked), strict=True):
            assert chosen == select(together.day, one.wants, one.limit, one.community, one.explore)


def test_who_holds_what_the_arrays_cannot_is_left_to_be_chosen_for_alone() -> None:
    together = Crowd(PaperIndex.build([paper("red sea"), paper("blue sun")]))
    red = InterestQuery("red", FILTER, "red")
    asked = [
        Asked([red], 5),
        Asked([InterestQuery("mine", DESCRIPTION, "The red sea in spring.")], 5),
        Asked([red, InterestQuery("broken", FILTER, "(red")], 5),
        Asked([red] * 33, 5),
        Asked([], 5),
    ]
    assert [chosen is None for chosen in together.select(asked)] == [False, True, True, True, False]
    assert Crowd(PaperIndex.build([])).select(asked) == [None] * 5


def test_a_table_that_grew_too_large_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_select, "MOST_CELLS", 10)
    together = Crowd(PaperIndex.build([paper("red sea"), paper("blue sun")]))
    for number in range(50):
        asked = [Asked([InterestQuery("one", FILTER, f"red OR word{number}")], 5)]
        assert together.select(asked) == [select(together.day, asked[0].wants, 5)]
        assert together._table.cells <= 12
