"""Fifty made-up papers and the letters about them: what a change of the letter's templates is held against."""

from __future__ import annotations

from datetime import date

from digest.letters import cards, compose
from digest.letters.cards import Card
from digest.letters.compose import LetterInput, Pick, ReaderLinks
from digest.letters.layout import Issue
from digest.letters.reasons import Reason

COUNT = 50
SITE = "https://golden.example"
DOORS = ReaderLinks(
    preferences=f"{SITE}/p/token/",
    pause=f"{SITE}/pause/token/",
    unsubscribe=f"{SITE}/u/token/",
    web=f"{SITE}/l/token/",
    more=f"{SITE}/l/token/more/",
    saved=f"{SITE}/s/token/",
    act=f"{SITE}/k/token",
)
TITLES = (
    "On the shape of things",
    "A <b>bold</b> & \"quoted\" title with 'marks'",
    "Straße, Ærø, Łódź and 日本語 in one line",
    "عنوان من اليمين إلى اليسار",
    "O(n²) and ℝᵈ, or: " + "a very long title that goes on and on " * 6,
    "{{ braces }} and {% tags %} and ${dollars}",
)
ABSTRACTS = ("", "One sentence.", "A sentence of usual length, with a comma. " * 12, "x" * 900, "5 < 7 & 9 > 2. " * 30)


def papers() -> list[Card]:
    """Short and long, with and without authors, links, votes and notes."""
    return [_paper(number) for number in range(1, COUNT + 1)]


def _paper(number: int) -> Card:
    url = f"https://publisher.example/{number}"
    return Card(
        paper=number,
        url=url,
        title=TITLES[number % len(TITLES)],
        authors=cards.author_line(["Ada Example", "Ben Sample", "Łucja Ö'Probe", "Four"][: number % 5]),
        facts="cs.CL · 3 June 2026 · arXiv cs.CL" if number % 4 else "",
        signals=cards.signal_line(number * 7 if number % 3 else None, number % 2),
        abstract=ABSTRACTS[number % len(ABSTRACTS)],
        note="Read section 4 first." if number % 9 == 0 else "",
        note_label="The curator says:" if number % 9 == 0 else "",
        links=cards.links(url, f"{url}.pdf" if number % 2 else "", f"https://code.example/{number}", ""),
    )


def orders() -> list[LetterInput]:
    """Daily, weekly, long and empty letters that have every golden paper between them."""
    issue = Issue(1, date(2026, 6, 3), "Two words.\n\nAnd two more.", "Ada", 812, ("arXiv",), ("cs.AI",), "05:30")
    said = (Reason("topic", "Speech <b>", ("speech", "asr")), Reason("filter", '"a phrase" OR b*', ()))
    picks = [Pick(card, (Reason("community"),) if card.paper % 8 == 0 else said, 3) for card in papers()]
    day = date(2026, 1, 2)
    return [
        LetterInput((issue,), tuple(picks[:12]), 40, DOORS, confirmed_on=day),
        LetterInput((issue,), tuple(picks[12:17]), 5, DOORS, weekly=True, level="full", confirmed_on=day),
        LetterInput((issue,), tuple(picks), 90, DOORS, level="compact", confirmed_on=day),
        LetterInput((issue,), (), 0, DOORS, confirmed_on=day),
    ]


def letters() -> list[compose.RenderedLetter]:
    return [compose.compose(order) for order in orders()]
