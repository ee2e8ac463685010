from __future__ import annotations

import time

import pytest

from digest.matching import descriptions, near_duplicates
from digest.matching.interest_query import DESCRIPTION, InterestQuery
from digest.matching.select import select
from tests.digest.matching.papers import day, paper

LIBRARY = day(
    paper("Speech enhancement for hearing aids", "We clean noisy speech for people who use hearing aids."),
    paper("Legged robots on ice", "A robot walks; speech is never mentioned but hearing is."),
    paper("Learning the song of birds", "Recordings of songs in a forest."),
    paper("Robots and birds", "Wings for a robot."),
    *[paper(f"Filler {number}", "Nothing that matters to anyone at all.") for number in range(20)],
)


def titles(text: str) -> list[str]:
    return [LIBRARY.papers[place].title for place in descriptions.answer(LIBRARY, text).places]


def test_sentences_find_what_they_speak_of_best_first() -> None:
    assert (
        titles("I work on speech enhancement and on better hearing aids.")[0] == "Speech enhancement for hearing aids"
    )
    assert titles("How do birds learn their songs?")[0] == "Learning the song of birds"


@pytest.mark.parametrize("text", ["", "I like to work on this and that.", "quaternions"])
def test_sentences_that_say_nothing_here_find_nothing(text: str) -> None:
    assert titles(text) == []


def test_one_word_is_enough_when_it_is_the_whole_description() -> None:
    assert set(titles("robots")) == {"Legged robots on ice", "Robots and birds"}


def test_one_shared_word_of_many_is_not_enough() -> None:
    assert "Legged robots on ice" not in titles("speech enhancement for noisy recordings of people with hearing aids")


def test_fifty_kilobytes_take_no_longer_than_they_should() -> None:
    text = " ".join(f"{word}{number}" for number in range(1500) for word in ("robot", "bird", "speech hearing "))
    started = time.process_time()
    descriptions.answer(LIBRARY, text[:50_000])
    assert time.process_time() - started < 1


def test_a_described_paper_says_which_of_the_readers_words_it_holds() -> None:
    want = InterestQuery("I study bird song…", DESCRIPTION, "I study bird song in the forest")
    choice = select(LIBRARY, [want], 5).choices[0]
    assert choice.reasons[0].label == "I study bird song…"
    assert set(choice.reasons[0].words) == {"bird", "song", "forest"}


def test_a_near_copy_waits_behind_every_other_match() -> None:
    words = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron speech"
    among = day(
        paper("speech one", f"{words} speech speech"),
        paper("speech one again", f"{words} speech speech indeed"),
        paper("other", "speech is here among much that is quite different from all of that"),
    )
    assert near_duplicates.alike(among.postings) == {0: {1}, 1: {0}}
    chosen = [choice.paper for choice in select(among, [InterestQuery("s", "filter", "speech")], 3).choices]
    assert set(chosen[:2]) == {among.papers[2].id, chosen[0]}
    assert chosen[2] in {among.papers[0].id, among.papers[1].id}


def test_a_paper_that_names_the_topic_is_not_outside_it() -> None:
    among = day("language models trained", "pruning of large language models", "language of birds", "stars")
    want = InterestQuery("Large language models", "topic", "language trained")
    assert select(among, [want], 5, explore=True).choices[-1].paper == among.papers[2].id


def test_exploring_brings_one_near_miss_and_says_so() -> None:
    among = day("speech recognition", "speech recognition now", "speech synthesis", "birds", "stars")
    selection = select(among, [InterestQuery("s", "filter", "recognition speech")], 5, explore=True)
    assert selection.choices[-1].paper == among.papers[2].id
    assert selection.choices[-1].reasons[0].kind == "explore"
    assert selection.choices[-1].reasons[0].words == ("speech",)
    assert selection.matched == 2
    assert len(select(among, [InterestQuery("s", "filter", "recognition speech")], 4, explore=True).choices) == 2
