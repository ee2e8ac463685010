"""The archive finds what a letter's filter finds, and stays in step with whoever writes."""

from __future__ import annotations

import importlib
import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection

from digest import search
from digest.matching import PaperIndex
from digest.matching.load import papers_announced
from digest.models import Paper
from digest.search import index, queries, schema
from subscriptions import query
from tests import make

pytestmark = pytest.mark.django_db

QUERIES = [
    "graph",
    "graphs networks",
    "=networks",
    "=network",
    "netw*",
    "stud* -=studies",
    '"graph network"',
    '"graph neural netw*"',
    "title:speech OR abstract:speech",
    "title:(speech graph)",
    "speech -noise",
    "speech (noise OR -graph)",
    "-(noise OR graph) speech",
    "C++",
    "c#",
    "few-shot",
    "α",
    "学习",
    '"speech noise"',
    "author:bengio",
    'author:"Yoshua Bengio"',
    'author:"Y. Bengio"',
    'author:"Bengio, Yoshua"',
    "author:beng*",
    "cat:cs",
    "cat:cs.CL",
    "cat:cs.*",
    "cat:c*",
    'cat:"cell biology"',
    "source:arxiv",
    "source:arxiv-cs-cl",
    "source:hf -cat:cs",
    "Erdős",
    '"a b c d e f g h studies networks graphs policies"',
]


PRINTED = [
    "Nell O’Hara",
    "O'Hara, N.",
    "Samir El-Amin",
    "Juan Carlos Peña-Ruiz",
    "J. C. Pena Ruiz",
    "L.J.P. van den Broek",
    "van den Broek, Lisa",
    "Rita da Costa",
    "Rita Costa",
    "S. M. de Vries Bok",
    "Hans-Peter Krueger",
    "H. Krüger",
    "Kruger, Hans",
    "Bjoern Kjaer",
    "Bjørn Kjær",
    "Meimei Wu",
    "Wu Mei-Mei",
    "Anna DeLuca",
    "A. De Luca",
    "Petit M.-A.",
    "Yu Xu",
    "Xue Yu",
    "Xiang-Yang Li",
    "Yang Li",
    "J. Y. Li",
    "Sammy Davis, Jr.",
]
ASKED = [
    "O'Hara",
    "OHara",
    "N. O'Hara",
    "El Amin",
    "Amin",
    "Peña-Ruiz",
    "Pena Ruiz",
    "Juan Pena Ruiz",
    "van den Broek",
    "Vandenbroek",
    "Lisa van den Broek",
    "van den Broek Lisa",
    "da Costa",
    "Rita Costa",
    "Vries Bok",
    "Krüger",
    "Krueger",
    "Hans Kruger",
    "Bjørn Kjær",
    "B. Kjaer",
    "Mei-Mei Wu",
    "Meimei",
    "De Luca",
    "A. DeLuca",
    "Marie-Anne Petit",
    "M. Petit",
    "Xue",
    "Yu",
    "Yang Li",
    "Li Yang",
    "Sammy Davis",
    "krue*",
    "Hans Krü*",
    "O'Ha*",
    "van den Bro*",
]


@pytest.mark.parametrize("name", ASKED)
def test_a_search_finds_the_people_that_a_filter_finds(name: str) -> None:
    for at, person in enumerate(PRINTED):
        make.announcement(make.paper(f"Paper {at}", authors=[person, "Ada Example"]), make.source("hf"))
    search.refresh()
    asked = query.canonical(f'author:"{name}"')
    assert matched(asked)
    assert set(search.by_tree(query.parse(asked), False, 100).papers) == matched(asked)


def test_papers_indexed_before_are_indexed_anew_by_the_migration() -> None:
    make.paper("Old", authors=["Nell O'Hara"])
    search.refresh()
    assert search.pending() == 0
    migration = importlib.import_module("digest.migrations.0002_one_of_each")
    migration.index_anew(None, connection.schema_editor())
    assert search.pending() == 1


def library() -> None:
    titles = [
        "Graph networks for speech",
        "A graph neural network",
        "Speech",
        "Noise studies",
        "C++ and C# for few-shot α-decay",
        "深度学习 in practice",
        "Erdos numbers",
        "a b c d e f g h study network graph policy",
    ]
    people = [["Yoshua Bengio"], ["Bengio, Y."], ["Samy Bengio", "Ada Example"], ["Y Bengio"], []]
    areas = [["cs.CL", "stat.ML"], ["cs.LG"], ["cell_biology"], ["csx"], []]
    for at, title in enumerate(titles):
        row = make.paper(
            title,
            abstract="Noise. It networks and studies speech" if at % 3 == 0 else "A graph without noise.",
            authors=people[at % 5],
            categories=areas[at % 5],
        )
        make.announcement(row, make.source("hf" if at % 2 else "arxiv-cs-cl"))
    search.refresh()


def matched(text: str) -> set[int]:
    day = PaperIndex.build(papers_announced(Paper.objects.all()))
    return {day.papers[place].id for place in day.places(day.bits(query.parse(text))).tolist()}


@pytest.mark.parametrize("text", QUERIES)
@pytest.mark.parametrize("by_date", [True, False])
def test_the_archive_finds_what_a_filter_matches(text: str, by_date: bool) -> None:
    library()
    found = search.by_tree(query.parse(text), by_date, limit=100)

    assert set(found.papers) == matched(text)
    assert found.total == len(found.papers)


@pytest.mark.thorough
def test_any_query_finds_in_the_archive_what_it_matches_in_a_day() -> None:
    dice = random.Random(7)
    words = ["graph", "graphs", "network", "networks", "study", "studies", "noise", "c++", "学习", "alpha"]
    for _ in range(60):
        make.paper(" ".join(dice.choices(words, k=4)), abstract=" ".join(dice.choices(words, k=6)))
    search.refresh()
    for _ in range(150):
        text = _query(dice, words, 3)
        try:
            tree = query.parse(text)
        except query.QueryError:
            continue
        assert set(search.by_tree(tree, True, limit=100).papers) == matched(text), text


def _query(dice: random.Random, words: list[str], depth: int) -> str:
    shape = dice.randrange(6) if depth else 0
    if shape < 2:
        return dice.choice(["", "", "=", "title:", "abstract:"]) + dice.choice(words)
    if shape == 2:
        return f'"{" ".join(dice.choices(words, k=dice.randint(2, 3)))}"'
    if shape == 3:
        return f"-({_query(dice, words, depth - 1)})"
    joint = " OR " if shape == 4 else " "
    return "(" + joint.join(_query(dice, words, depth - 1) for _ in range(2)) + ")"


def test_a_paper_is_found_by_its_new_words_once_they_changed() -> None:
    one = make.paper("Old words")
    search.refresh()
    Paper.objects.filter(pk=one.pk).update(title="New words")
    search.refresh()

    assert search.by_tree(query.parse("title:new"), True, 10).papers == [one.pk]
    assert search.by_tree(query.parse("title:old"), True, 10).papers == []


def test_a_vote_does_not_send_a_paper_to_be_indexed_again() -> None:
    one = make.paper()
    search.refresh()
    Paper.objects.filter(pk=one.pk).update(upvotes=9)

    assert search.pending() == 0


def test_a_new_announcement_makes_a_paper_found_by_its_source() -> None:
    one = make.paper()
    search.refresh()
    make.announcement(one, make.source("hf"))
    search.refresh()

    assert search.by_tree(query.parse("source:hf"), True, 10).papers == [one.pk]


def test_a_deleted_paper_is_not_found() -> None:
    one = make.paper("Gone soon")
    search.refresh()
    one.delete()

    assert search.by_tree(query.parse("gone"), True, 10).total == 0
    assert search.refresh() == 0


def test_a_paper_that_was_merged_into_another_is_not_found() -> None:
    one, other = make.paper("Twice there"), make.paper("Twice there")
    search.refresh()
    Paper.objects.filter(pk=one.pk).update(merged_into=other)
    search.refresh()

    assert search.by_tree(query.parse("twice"), True, 10).papers == [other.pk]


def test_a_hidden_paper_is_no_answer_to_a_sentence_and_like_no_other() -> None:
    shown, hidden = make.paper("Speech in noise"), make.paper("Speech in rain")
    make.edition(papers=[shown, hidden]).entries.filter(paper=hidden).update(is_hidden=True)
    search.refresh()
    assert list(search.loosely(["speech", "rain"], 10)) == [shown.pk]
    assert search.like(hidden, 10) == [shown.pk]


def test_a_hidden_paper_is_not_found() -> None:
    one = make.paper("Spam")
    make.edition(papers=[one]).entries.update(is_hidden=True)
    search.refresh()

    assert search.by_tree(query.parse("spam"), False, 10).total == 0
    assert search.loosely(["spam"], 10) == {}


@pytest.mark.parametrize("state", ["collecting", "held", "frozen"])
def test_a_paper_is_found_once_its_edition_is_out(state: str) -> None:
    edition = make.edition(papers=[make.paper("Soon there")], state=state)
    search.refresh()
    assert search.by_tree(query.parse("soon"), True, 10).total == 0
    edition.state = "released"
    edition.save()

    assert search.by_tree(query.parse("soon"), True, 10).total == 1


def test_hiding_a_papers_return_does_not_hide_it() -> None:
    one = make.paper("Raised")
    make.edition(papers=[one])
    again = make.edition(make.TODAY + timedelta(days=3))
    again.entries.create(paper=one, is_late_riser=True, is_hidden=True)
    search.refresh()

    assert search.by_tree(query.parse("raised"), True, 10).total == 1
    assert not search.withheld().exists()


def test_papers_come_newest_first_by_date_and_with_the_word_in_the_title_first_by_relevance() -> None:
    old = make.paper("Speech", abstract="Nothing else.", published_on="2020-01-01")
    new = make.paper("Other", abstract="A long text where speech is named once only, among many other words.")
    search.refresh()
    tree = query.parse("speech")

    assert search.by_tree(tree, True, 10).papers == [new.pk, old.pk]
    assert search.by_tree(tree, False, 10).papers == [old.pk, new.pk]


def test_pages_follow_one_another() -> None:
    for _ in range(5):
        make.paper("Speech")
    search.refresh()
    tree = query.parse("speech")
    first, second = (search.by_tree(tree, False, 3, offset).papers for offset in (0, 3))

    assert len(first) == 3
    assert len(second) == 2
    assert not set(first) & set(second)


def test_a_sentence_finds_the_papers_with_most_of_its_words() -> None:
    for _ in range(20):
        make.paper("How models do it", abstract="Models of things.")
    best = make.paper("How insects plan their flight", abstract="Insects plan.")
    some = make.paper("Insects", abstract="They are small.")
    search.refresh()
    found = search.loosely(["how", "do", "insects", "plan", "a", "flight", "ahead"], 10)

    assert list(found)[:2] == [best.pk, some.pk]
    assert 2 > found[best.pk] > found[some.pk] > 0


def test_papers_like_one_share_its_words_and_leave_it_out() -> None:
    one = make.paper("Insects plan their flight")
    other = make.paper("The flight of insects")
    make.paper("Graph networks")
    search.refresh()

    assert search.like(one, 5) == [other.pk]


def test_a_paper_that_shares_a_word_and_nothing_else_is_not_like_it() -> None:
    cloth = make.paper("A compact cloth state", abstract="Robots fold garments whose corners they recognise by touch.")
    quasar = make.paper("A compact quasar pair", abstract="Two nuclei shine inside merging galaxies at high redshift.")
    other = make.paper("Folding cloth", abstract="Robots fold garments and recognise them by touch.")
    search.refresh()

    assert quasar.pk in search.loosely(["compact", "cloth", "state"], 5)
    assert search.like(cloth, 5) == [other.pk]
    assert search.like(quasar, 5) == []


def test_words_nobody_wrote_find_nothing() -> None:
    make.paper()
    search.refresh()

    assert search.loosely(["qqqq", "zzzz"], 5) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [("how insects fly", {"how", "insects", "fly"}), ("few-shot", {"few", "shot"}), ("a OR b", set()), ("=a b", set())],
)
def test_only_words_make_a_sentence(text: str, found: set[str]) -> None:
    assert set(queries.plain_words(query.parse(text))) == found


def test_a_paper_the_database_cannot_take_is_left_out_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = make.paper("Bad"), make.paper("Good")
    write = type(index.store()).write

    def picky(self: Any, papers: list[int], rows: list[Any]) -> None:
        if bad.pk in papers:
            raise DataError("too long")
        write(self, papers, rows)

    monkeypatch.setattr(type(index.store()), "write", picky)

    assert search.refresh() == 2
    assert search.by_tree(query.parse("good"), True, 10).papers == [good.pk]
    assert search.pending() == 0


def test_a_database_that_is_away_is_not_mistaken_for_a_bad_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    make.paper()

    def away(self: Any, papers: list[int], rows: list[Any]) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(type(index.store()), "write", away)
    with pytest.raises(OperationalError):
        search.refresh()
    assert search.pending() == 1


@pytest.mark.parametrize("text", ["x" * 5_000, "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 " * 900, "word " * 40_000, "'\\'':1A", "tab\there"])
def test_any_text_can_be_indexed(text: str) -> None:
    one = make.paper(text[:1000], abstract=text, authors=[text[:300]], categories=[text[:100]])

    assert search.refresh() == 1
    assert search.by_tree(query.parse("cat:a OR thing OR word OR tab OR unicode OR 1a OR xxx*"), True, 10).papers == [
        one.pk
    ]


def test_what_was_missed_is_noted_when_the_schema_is_made_again() -> None:
    make.paper()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM digest_unindexed")
    schema.install()

    assert search.pending() == 1


def test_s20_hostile_words_stay_words() -> None:
    make.paper("A thing")
    search.refresh()
    for text in ["'; DROP TABLE digest_paper; --", '"a\\"b"', "thing' OR '1'='1", "{title}", "a\\'b", "%s %d", "x::y"]:
        try:
            tree = query.parse(text)
        except query.QueryError:
            continue
        search.by_tree(tree, False, 10)
    assert Paper.objects.count() == 1


@pytest.mark.parametrize("by_date", [True, False])
def test_searching_asks_the_database_once_or_twice(by_date: bool, django_assert_max_num_queries: Any) -> None:
    make.paper("Speech")
    search.refresh()
    with django_assert_max_num_queries(5):
        search.by_tree(query.parse("speech"), by_date, 10)
