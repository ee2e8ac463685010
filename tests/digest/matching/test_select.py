from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.matching import PaperIndex
from digest.matching.interest_query import AUTHOR, CATEGORY, DESCRIPTION, FILTER, TOPIC, InterestQuery, Reason
from digest.matching.select import Selection, select, to_json
from tests.digest.matching import plain_choice
from tests.digest.matching.papers import day, paper


def want(text: str, **fields: object) -> InterestQuery:
    values = {"label": text.title(), "kind": "filter", "query": text} | fields
    return InterestQuery(**values)  # type: ignore[arg-type]


def titles(among: PaperIndex, selection: Selection) -> list[str]:
    by_id = {paper.id: paper.title for paper in among.papers}
    return [by_id[choice.paper] for choice in selection.choices]


def test_each_paper_comes_with_the_readers_words_and_the_words_found() -> None:
    among = day("speech networks", "chairs")
    choice = select(among, [want("network*", label="nets, any"), want("chairs", kind="topic")], 5).choices[0]
    assert choice.paper == among.papers[0].id
    assert choice.reasons == (Reason("filter", "nets, any", ("networks",)),)


def test_a_broad_interest_does_not_drown_a_narrow_one() -> None:
    among = day(*[f"model number {number}" for number in range(30)], "beetle", "beetles again")
    chosen = titles(among, select(among, [want("model"), want("beetle")], 6))
    assert {"beetle", "beetles again"} <= set(chosen)
    assert len(chosen) == 6


def test_a_heavier_interest_gets_more_places() -> None:
    among = day(*[f"model {number}" for number in range(20)], *[f"beetle {number}" for number in range(20)])
    chosen = titles(among, select(among, [want("model", weight=3.0), want("beetle", weight=1.0)], 8))
    assert sum(title.startswith("model") for title in chosen) == 6


def test_a_weight_of_nothing_brings_nothing() -> None:
    assert select(day("model"), [want("model", weight=0.0)], 5).choices == ()


def test_what_is_muted_never_comes_not_even_pinned() -> None:
    among = day(paper("speech survey", pinned=True), paper("speech", upvotes=3), paper("survey", upvotes=9))
    selection = select(among, [want("speech"), want("survey", muted=True)], 5)
    assert titles(among, selection) == ["speech"]
    assert selection.matched == 1


def test_pins_come_first_and_say_so() -> None:
    among = day("speech one", paper("chairs", pinned=True), paper("speech two", pinned=True))
    selection = select(among, [want("speech")], 3)
    assert titles(among, selection) == ["chairs", "speech two", "speech one"]
    assert [reason.kind for reason in selection.choices[0].reasons] == ["pin"]
    assert [reason.kind for reason in selection.choices[1].reasons] == ["pin", "filter"]
    assert selection.matched == 2


def test_the_limit_holds_even_for_pins() -> None:
    among = day(*[paper(f"speech {number}", pinned=True) for number in range(5)])
    assert len(select(among, [want("speech")], 3).choices) == 3


def test_places_left_over_go_to_what_the_community_raised() -> None:
    among = day("speech", *[paper(f"other {number}", upvotes=number) for number in range(6)])
    selection = select(among, [want("speech")], 10)
    assert titles(among, selection) == ["speech", "other 5", "other 4", "other 3"]
    assert selection.choices[1].reasons == (Reason("community", "5 readers raised it"),)
    assert selection.matched == 1


def test_a_reader_may_do_without_community_picks() -> None:
    among = day("speech", paper("other", upvotes=50))
    assert titles(among, select(among, [want("speech")], 10, community=False)) == ["speech"]


def test_votes_raise_a_paper_within_an_interest() -> None:
    among = day(*[f"speech {number}" for number in range(10)], paper("speech loved", upvotes=90))
    assert titles(among, select(among, [want("speech")], 3))[0] == "speech loved"


def test_a_paper_on_two_lists_stands_above_its_equals_and_names_both() -> None:
    among = day("speech a", "sound b", "speech sound", "x", "y")
    first = select(among, [want("speech"), want("sound")], 5).choices[0]
    assert first.paper == among.papers[2].id
    assert {reason.label for reason in first.reasons} == {"Speech", "Sound"}


def test_an_interest_that_cannot_be_read_is_named_and_the_others_go_on() -> None:
    selection = select(day("speech"), [want("(broken", label="mine"), want("speech")], 5)
    assert selection.unreadable == ("mine",)
    assert len(selection.choices) == 1


def test_what_is_kept_of_a_selection_is_plain_json() -> None:
    among = day("speech")
    (kept,) = to_json(select(among, [want("speech", kind="topic", label="Speech")], 5))
    assert kept["paper"] == among.papers[0].id
    assert kept["reasons"] == [{"kind": "topic", "label": "Speech", "words": ["speech"]}]
    assert kept["score"] > 0


words = st.sampled_from(["red", "blue", "sea", "sun", "sky"])
days = st.lists(
    st.builds(
        lambda title, votes, pinned: paper(" ".join(title), "", upvotes=votes, pinned=pinned),
        st.lists(words, max_size=3),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=20,
)
wants = st.lists(st.builds(want, words, weight=st.sampled_from([0.5, 1.0, 2.0]), muted=st.booleans()), max_size=4)


@pytest.mark.thorough
@given(days, wants, st.integers(1, 12), st.booleans())
def test_whatever_is_asked_the_letter_is_sound(
    papers: list, asked: list[InterestQuery], limit: int, community: bool
) -> None:
    among = PaperIndex.build(papers)
    selection = select(among, asked, limit, community)
    chosen = [choice.paper for choice in selection.choices]
    muted = {one.query for one in asked if one.muted}
    wanted = {one.query for one in asked if not one.muted}
    by_id = {one.id: set(one.title.split()) for one in papers}
    assert len(chosen) == len(set(chosen)) <= limit
    assert all(not by_id[one] & muted for one in chosen)
    assert all(choice.reasons for choice in selection.choices)
    assert selection.matched == sum(bool(found & wanted) and not found & muted for found in by_id.values())
    if len(chosen) < limit:
        assert {one for one, found in by_id.items() if found & wanted and not found & muted} <= set(chosen)


# -- the same as the rules written plainly ------------------------------------------------------------

ASKED = [
    ("red", FILTER),
    ("blue OR sea", FILTER),
    ("red sea", FILTER),
    ("-red sun", FILTER),
    ("sea*", FILTER),
    ("(red", FILTER),
    ("nothing", FILTER),
    ("sun", TOPIC),
    ("blue", TOPIC),
    ('author:"ada example"', AUTHOR),
    ("cat:cs.*", CATEGORY),
    ("The red sea and its sand in the sun.", DESCRIPTION),
]
more_words = st.sampled_from(["red", "blue", "sea", "sun", "sky", "sand"])
full_days = st.lists(
    st.builds(
        lambda title, abstract, votes, pinned, author, category: paper(
            " ".join(title), " ".join(abstract), upvotes=votes, pinned=pinned, authors=(author,), categories=(category,)
        ),
        st.lists(more_words, min_size=1, max_size=3),
        st.lists(more_words, max_size=5),
        st.sampled_from([0, 0, 0, 1, 5]),
        st.sampled_from([False] * 6 + [True]),
        st.sampled_from(["Ada Example", "Ben Sample"]),
        st.sampled_from(["cs.CL", "q-bio"]),
    ),
    max_size=80,
)
all_wants = st.lists(
    st.builds(
        lambda asked, label, weight, muted: InterestQuery(label, asked[1], asked[0], weight, muted),
        st.sampled_from(ASKED),
        st.sampled_from(["sky", "red sea", "my work", "†"]),
        st.sampled_from([0.0, 0.3, 0.5, 1.0, 2.0]),
        st.sampled_from([False] * 6 + [True]),
    ),
    max_size=8,
)
readers = st.tuples(
    all_wants, st.sampled_from([1, 3, 5, 7, 15]), st.booleans(), st.booleans(), st.integers(min_value=0)
)


@settings(max_examples=300, deadline=None)
@given(full_days, st.lists(readers, min_size=1, max_size=12))
def test_readers_who_share_a_day_get_what_the_plain_rules_give_each_alone(held: list, asked: list) -> None:
    shared = PaperIndex.build(held)
    for wants, limit, community, explore, number in asked:
        had = number & ((1 << len(held)) - 1)
        alone = plain_choice.select(PaperIndex.build(held), wants, limit, community, explore, had)
        assert select(shared, wants, limit, community, explore, had) == alone


def test_forty_wants_are_no_more_trouble_than_one() -> None:
    among = day(*[f"word{number} here" for number in range(60)])
    wants = [want(f"word{number}") for number in range(40)]
    assert select(among, wants, 50) == plain_choice.select(among, wants, 50)
    assert len(select(among, wants, 50).choices) == 40


def test_what_one_reader_asked_changes_nothing_for_the_next() -> None:
    among = day(*[f"speech {number}" for number in range(5)], paper("speech loved", upvotes=9))
    first = select(among, [want("speech", weight=2.0, label="one")], 3)
    select(among, [want("speech", label="two"), want("loved", muted=True)], 3)
    assert select(among, [want("speech", weight=2.0, label="one")], 3) == first
