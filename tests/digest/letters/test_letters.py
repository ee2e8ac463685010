"""From ledger rows to letters."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from digest.letters import layout
from digest.letters.letters import letters
from subscriptions.links import urls
from subscriptions.when import week
from tests import make
from tests.digest.letters import checks
from tests.digest.letters.posts import delivery

pytestmark = pytest.mark.django_db


def test_a_letter_has_the_paper_in_both_voices():
    paper = make.paper("Hearing with machines", abstract="We teach machines to hear. They do.")
    [letter] = letters([delivery([paper])], make.NOW)
    for part in (letter.text, letter.html):
        assert "Hearing with machines" in part
        assert "We teach machines to hear. They do." in part
        assert paper.url in part


def test_the_subject_is_the_date_and_the_best_title():
    [letter] = letters([delivery([make.paper("Hearing with machines"), make.paper("Second")])], make.NOW)
    assert letter.subject == "3 June: Hearing with machines"


PIN = {"kind": "pin", "label": "", "words": []}
COMMUNITY = {"kind": "community", "label": "", "words": []}
ONE = "1 is a pick or something new."
NOTHING = "Nothing new matches what you follow."


def greeting(text: str) -> str:
    return " ".join(text.split("\n\n")[1].split())


def test_the_greeting_counts_matches_apart_from_picks():
    papers = [make.paper(f"Paper {n}") for n in range(3)]
    row = delivery(papers, matched=9)
    row.papers[0]["reasons"] = [PIN]
    row.papers[2]["reasons"] = [COMMUNITY]
    [letter] = letters([row], make.NOW)
    assert greeting(letter.text) == (
        "3 papers for you today. 1 is the best of 9 that match what you follow, 2 are picks or something new."
    )
    assert "And 8 more on the web:" in letter.text


@pytest.mark.parametrize(
    ("matching", "outside", "matched", "said"),
    [
        (1, 0, 1, "1 paper for you today."),
        (1, 0, 9, "The best of 9 papers that match what you follow."),
        (2, 0, 9, "The best 2 of 9 papers that match what you follow."),
        (1, 4, 1, "5 papers for you today. 1 matches what you follow, 4 are picks or something new."),
        (2, 1, 2, f"3 papers for you today. 2 match what you follow, {ONE}"),
        (2, 1, 9, f"3 papers for you today. 2 are the best of 9 that match what you follow, {ONE}"),
        (0, 1, 0, f"{NOTHING} This one is a pick by the curator or the community, or something new."),
        (0, 4, 0, f"{NOTHING} These 4 are picks by the curator or the community, or something new."),
    ],
)  # fmt: skip
def test_the_greeting_counts_the_papers_that_are_on_the_letter(matching: int, outside: int, matched: int, said: str):
    assert layout.greeting("daily", layout.Tally(matching, outside, matched, 0), ()) == said


def test_the_greeting_and_the_line_beside_the_subject_name_the_same_number():
    row = delivery([make.paper(f"Paper {n}") for n in range(5)], matched=1)
    for one in row.papers[1:]:
        one["reasons"] = [COMMUNITY]
    [letter] = letters([row], make.NOW)
    assert greeting(letter.text).startswith("5 papers for you today. 1 matches")
    assert "5 papers for you. Paper 1" in letter.html


def test_a_letter_of_picks_alone_says_that_nothing_matched():
    row = delivery([make.paper()], matched=0)
    row.papers[0]["reasons"] = [COMMUNITY]
    [letter] = letters([row], make.NOW)
    assert greeting(letter.text).startswith("Nothing new matches what you follow.")


def test_a_late_riser_a_pin_and_a_note_are_labelled():
    papers = [make.paper("Pinned"), make.paper("Late"), make.paper("Plain")]
    row = delivery(papers)
    row.edition.entries.filter(paper=papers[1]).update(is_late_riser=True)
    row.edition.entries.filter(paper=papers[0]).update(note="Read this first.")
    row.papers[0]["reasons"].append(PIN)
    [letter] = letters([row], make.NOW)
    for part in (letter.text, letter.html):
        assert "The curator’s pick" in part
        assert "Read this first." in part
        assert "Late riser" in part


def test_a_weekly_letter_names_its_week_and_a_catch_up_its_days():
    papers = [make.paper("One")]
    first = make.edition(make.TODAY.replace(day=1), coverage={})
    make.edition(make.TODAY, papers=papers)
    last = make.edition(make.TODAY.replace(day=9), coverage={})
    weekly = delivery(papers, make.subscriber(frequency="weekly"), last, since=(first.serial or 1) - 1)
    away = delivery(papers, make.subscriber(), last, since=(first.serial or 1) - 1)
    [one, two] = letters([weekly, away], make.NOW)
    assert one.text.startswith("The week to 9 June 2026\n")
    assert one.subject == "Week to 9 June: One"
    assert two.text.startswith("While you were away: 1 June to 9 June 2026\n")


@pytest.mark.parametrize(
    ("days", "span", "heading"),
    [
        ("tue fri", 0, "Friday 5 June 2026\n"),
        ("tue fri", 2, "Wednesday 3 June to Friday 5 June 2026\n"),
        ("fri", 6, "Saturday 30 May to Friday 5 June 2026\n"),
        ("tue fri", 7, "While you were away: 29 May to 5 June 2026\n"),
        ("fri", 14, "While you were away: 22 May to 5 June 2026\n"),
        ("mon tue wed thu fri sat sun", 1, "Friday 5 June 2026\n"),
        ("mon tue wed thu fri sat sun", 4, "While you were away: 1 June to 5 June 2026\n"),
    ],
)
def test_several_days_by_choice_are_named_and_are_no_absence(days, span, heading):
    last_day, papers = date(2026, 6, 5), [make.paper("One")]
    first = make.edition(last_day - timedelta(days=span), papers)
    last = make.edition(last_day) if span else first
    reader = make.subscriber(frequency="chosen", days=week.read(days))
    [letter] = letters([delivery(papers, reader, last, since=(first.serial or 1) - 1)], make.NOW)
    assert letter.text.startswith(heading)
    is_away = heading.startswith("While")
    assert letter.subject == ("While you were away: One" if is_away else "5 June: One")
    assert ("today" in greeting(letter.text)) is (heading == "Friday 5 June 2026\n")


def test_a_letter_of_chosen_days_belongs_to_the_same_list_as_the_others():
    paper = make.paper()
    edition = make.edition(papers=[paper])
    readers = [make.subscriber(), make.subscriber(frequency="chosen", days=18)]
    daily, chosen = (one.headers for one in letters([delivery([paper], one, edition) for one in readers], make.NOW))
    assert daily["List-Id"] == chosen["List-Id"]
    assert chosen["Feedback-ID"].startswith("digest:chosen:")


def test_papers_of_a_letter_in_doubt_come_in_a_block_of_their_own():
    papers = [make.paper("New"), make.paper("Owed")]
    row = delivery(papers)
    row.papers[1]["reasons"].insert(0, {"kind": "carried", "label": "1 June", "words": []})
    [letter] = letters([row], make.NOW)
    assert "Also from 1 June" in letter.html
    assert "  - Owed\n" in letter.text
    assert " 2. Owed" not in letter.text


def late(name: str, lately: bool = True) -> dict[str, Any]:
    return {"name": name, "entries": 0, "complete": False, "lately": lately}


def receipt(missing: list[dict[str, Any]], **fields: Any) -> str:
    """The words of a letter whose edition lacks these sources."""
    here = {"name": "arXiv cs.CL", "entries": 2, "complete": True, "lately": True}
    names = [row["name"] for row in missing]
    coverage = {"looked_at": 2, "sources": [here, *missing], "missing": names} | fields
    [letter] = letters([delivery([make.paper()], edition=make.edition(coverage=coverage))], make.NOW)
    return " ".join(letter.text.split())


def test_what_came_late_is_said():
    words = receipt([late("arXiv cs.AI")])
    assert "Looked at 2 papers from arXiv cs.CL." in words
    assert "arXiv cs.AI had not been updated by 06:00 UTC; its papers come with the next letter." in words


def test_of_many_late_sources_three_are_named():
    words = receipt([late(name) for name in ("A", "B", "C", "D", "E")])
    assert "A, B, C and 2 more had not been updated by 06:00 UTC; their papers come with the next letter." in words


def test_nothing_is_promised_of_a_source_that_brought_nothing_lately():
    words = receipt([late("A", lately=False), late("B", lately=False)])
    assert "A and B had not been updated by 06:00 UTC." in words
    assert "next letter" not in words


def test_the_silent_are_counted_apart_from_the_late():
    words = receipt([late("A"), late("B", lately=False), late("C", lately=False)])
    assert "A had not been updated by 06:00 UTC; its papers come with the next letter." in words
    assert "Nothing came from 2 other sources." in words


def test_a_letter_of_samples_says_so_once_and_names_nobody_late():
    words = receipt([late("A"), late("B", lately=False)], samples=True)
    assert words.count("Bundled sample papers stood in for publishers that were not reached.") == 1
    assert "had not been updated" not in words
    assert "Nothing came from" not in words


def test_a_text_only_reader_gets_no_html():
    [letter] = letters([delivery([make.paper()], make.subscriber(text_only=True))], make.NOW)
    assert letter.html == ""


@pytest.mark.parametrize(("abstracts", "shown"), [("full", "End."), ("short", "Begin."), ("compact", "")])
def test_the_reader_chooses_how_much_of_the_abstract(abstracts: str, shown: str):
    paper = make.paper(abstract="Begin. " + "Middle words go on. " * 40 + "End.")
    [letter] = letters([delivery([paper], make.subscriber(abstracts=abstracts))], make.NOW)
    assert ("Begin." in letter.text) == bool(shown)
    assert ("End." in letter.text) == (shown == "End.")


def test_text_lines_have_72_columns_but_for_addresses():
    papers = [
        make.paper("A long title about many things " * 4, abstract="Many words are here. " * 30) for _ in range(9)
    ]
    [letter] = letters([delivery(papers)], make.NOW)
    long = [line for line in letter.text.split("\n") if len(line) > 72]
    assert all(line.strip().startswith("http") for line in long)


def test_a_thousand_letters_take_as_many_queries_as_one(django_assert_max_num_queries: Any):
    edition = make.edition(papers=[paper := make.paper()])
    rows = [delivery([paper], edition=edition) for _ in range(20)]
    with django_assert_max_num_queries(7):
        assert len(letters(rows, make.NOW)) == 20


def test_the_same_row_gives_the_same_bytes():
    row = delivery([make.paper()])
    assert letters([row], make.NOW) == letters([row], make.NOW)


def test_headers_are_those_of_a_list_that_can_be_left_with_one_click(settings: Any):
    row = delivery([make.paper()])
    [letter] = letters([row], make.NOW)
    message = checks.parsed(letter)
    unsubscribe = urls.unsubscribe_url(row.subscriber)
    assert message["Message-ID"] == f"<d.{row.uuid}@{settings.MAIL_DOMAIN}>"
    assert message["List-Unsubscribe"].strip().startswith(f"<{unsubscribe}>, <mailto:")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"].endswith(f"<digest.{settings.MAIL_DOMAIN}>")
    assert message["Feedback-ID"] == "digest:daily:offprint:offprint"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
