"""Everything of a letter but its cards: heading, curator's notes, receipt, footer.

Rendered once for an edition and form of letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from django.template import engines
from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from digest.letters import text as letter_text
from digest.letters.placeholders import PlaceholderText, cut, placeholder

Form = Literal["daily", "days", "weekly", "catchup", "empty"]
HOLES = (
    "subject", "preheader", "greeting", "contents", "cards", "carried", "overflow", "more_url", "why_sent", "web_url",
    "preferences_url", "pause_url", "unsubscribe_url", "saved_url",
)  # fmt: skip
KEPT_FRAMES = 500
NOTE_CHARS = 3_000
SUBJECT_CHARS = 64
PREHEADER_CHARS = 130
CATCH_UP_DAYS = 4  # longer than a weekend with a holiday beside it
NAMED_SOURCES = 4
NAMED_LATE = 3


@dataclass(frozen=True, slots=True)
class Note:
    """A curator's words at the head of the letter."""

    label: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a letter's frame says; `omitted` names the holes that this letter has nothing for."""

    heading: str
    notes: tuple[Note, ...] = ()
    receipt: tuple[str, ...] = ()
    omitted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Issue:
    """One edition as a letter needs it, told apart by identity.

    `promised` are those of the `missing` that brought something lately.
    """

    serial: int
    date: date
    note: str = ""
    curator: str = ""
    looked_at: int = 0
    sources: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    closed_at: str = ""
    promised: tuple[str, ...] = ()
    samples: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of the reader's `matched` papers are on the letter, how many beside them, how many are `left` over."""

    matching: int
    outside: int
    matched: int
    left: int


def form(issues: Sequence[Issue], weekly: bool, papers: int, gap: int = 1) -> Form:
    """Which kind of letter covers these editions, for a reader whose letters lie up to `gap` days apart by choice."""
    if not papers:
        return "empty"
    if weekly:
        return "weekly"
    days = (issues[-1].date - issues[0].date).days if issues else 0
    if days >= CATCH_UP_DAYS + gap - 1:
        return "catchup"
    return "days" if days and gap > 1 else "daily"


def frame(form: Form, issues: Sequence[Issue], omitted: frozenset[str]) -> Frame:
    return Frame(_heading(form, issues), _notes(issues), _receipt(issues), omitted)


def long_day(day: date) -> str:
    return dateformat.format(day, "l j F Y")


def short_day(day: date) -> str:
    return dateformat.format(day, "j F")


def _heading(form: Form, issues: Sequence[Issue]) -> str:
    first, last = issues[0].date, issues[-1].date
    if form == "weekly":
        return _("The week to %(day)s") % {"day": dateformat.format(last, "j F Y")}
    if form == "catchup":
        return _("While you were away: %(first)s to %(last)s") % {
            "first": short_day(first),
            "last": dateformat.format(last, "j F Y"),
        }
    if form == "days":
        return _("%(first)s to %(last)s") % {"first": dateformat.format(first, "l j F"), "last": long_day(last)}
    return long_day(last)


def _notes(issues: Sequence[Issue]) -> tuple[Note, ...]:
    return tuple(_note(issue, len(issues) > 1) for issue in issues if issue.note.strip())


def _note(issue: Issue, dated: bool) -> Note:
    who = letter_text.plain(issue.curator, letter_text.NAME_CHARS)
    label = _("A note from %(curator)s") % {"curator": who} if who else _("A note from the curator")
    paragraphs = [
        letter_text.plain(part, NOTE_CHARS) for part in issue.note[:NOTE_CHARS].replace("\r", "").split("\n\n")
    ]
    return Note(f"{label}, {short_day(issue.date)}" if dated else label, tuple(part for part in paragraphs if part))


def _receipt(issues: Sequence[Issue]) -> tuple[str, ...]:
    """What was looked at, and what was not there in time."""
    looked_at = sum(issue.looked_at for issue in issues)
    sources = list(dict.fromkeys(name for issue in issues for name in issue.sources))
    lines = []
    if looked_at:
        names = [letter_text.plain(name, letter_text.NAME_CHARS) for name in sources[:NAMED_SOURCES]]
        if len(sources) > NAMED_SOURCES:
            more = len(sources) - NAMED_SOURCES
            names.append(ngettext("%(count)s more source", "%(count)s more sources", more) % {"count": more})
        line = ngettext("Looked at %(count)s paper", "Looked at %(count)s papers", looked_at)
        lines.append(_sentence(line % {"count": f"{looked_at:,}"}, letter_text.listed(names)))
    if any(issue.samples for issue in issues):
        lines.append(_("Bundled sample papers stood in for publishers that were not reached."))
    if issues and not issues[-1].samples:
        lines += _late(issues[-1])
    return tuple(lines)


def _sentence(looked: str, names: str) -> str:
    return _("%(looked)s from %(names)s.") % {"looked": looked, "names": names} if names else f"{looked}."


def _late(issue: Issue) -> list[str]:
    """The sources that were not there in time. Only those that worked lately are promised for the next letter."""
    others = [name for name in issue.missing if name not in issue.promised]
    if not issue.promised:
        line = _("%(names)s had not been updated by %(time)s UTC.")
        return [line % {"names": _some(others), "time": issue.closed_at}] if others else []
    line = ngettext(
        "%(names)s had not been updated by %(time)s UTC; its papers come with the next letter.",
        "%(names)s had not been updated by %(time)s UTC; their papers come with the next letter.",
        len(issue.promised),
    )
    lines = [line % {"names": _some(issue.promised), "time": issue.closed_at}]
    if others:
        line = ngettext(
            "Nothing came from %(count)s other source.", "Nothing came from %(count)s other sources.", len(others)
        )
        lines.append(line % {"count": len(others)})
    return lines


def _some(names: Sequence[str]) -> str:
    """The first three, and how many more."""
    shown = [letter_text.plain(name, letter_text.NAME_CHARS) for name in names[:NAMED_LATE]]
    if len(names) > NAMED_LATE:
        shown.append(_("%(count)s more") % {"count": len(names) - NAMED_LATE})
    return letter_text.listed(shown)


def subject(form: Form, issues: Sequence[Issue], title: str) -> str:
    """The date and the best title: short enough for a phone, and true."""
    day = short_day(issues[-1].date)
    lead = {"weekly": _("Week to %(day)s"), "catchup": _("While you were away")}.get(form, "%(day)s") % {"day": day}
    return letter_text.shorten(f"{lead}: {title or _('nothing new for you')}", SUBJECT_CHARS)


def preheader(count: int, titles: Sequence[str]) -> str:
    """How many papers, and the next two titles."""
    lead = ngettext("%(count)s paper for you.", "%(count)s papers for you.", count) % {"count": count}
    return continued(lead, titles)


def continued(lead: str, titles: Sequence[str]) -> str:
    return letter_text.shorten(f"{lead} {' · '.join(titles)}".strip(), PREHEADER_CHARS)


def overflow(left: int) -> str:
    return ngettext("And %(count)s more on the web", "And %(count)s more on the web", left) % {"count": f"{left:,}"}


def greeting(form: Form, tally: Tally, issues: Sequence[Issue]) -> str:
    """The letter's first sentence: how much there is, and how it was chosen."""
    if form == "empty":
        return _nothing(issues)
    if tally.matching and tally.outside:
        return f"{_count(form, tally.matching + tally.outside)} {_shares(tally)}"
    if tally.outside:
        return f"{_('Nothing new matches what you follow.')} {_picked(tally.outside)}"
    return _best(tally) if tally.matched > tally.matching else _count(form, tally.matching)


def _count(form: Form, papers: int) -> str:
    if form == "daily":
        line = ngettext("%(count)s paper for you today.", "%(count)s papers for you today.", papers)
    else:
        line = ngettext("%(count)s paper for you.", "%(count)s papers for you.", papers)
    return line % {"count": papers}


def _shares(tally: Tally) -> str:
    """How many of the letter's papers match, and how many came beside them."""
    if tally.matched > tally.matching:
        matching = ngettext(
            "%(count)s is the best of %(matched)s that match what you follow",
            "%(count)s are the best of %(matched)s that match what you follow",
            tally.matching,
        )
    else:
        matching = ngettext("%(count)s matches what you follow", "%(count)s match what you follow", tally.matching)
    outside = ngettext("%(count)s is a pick or something new", "%(count)s are picks or something new", tally.outside)
    return _("%(matching)s, %(outside)s.") % {
        "matching": matching % {"count": tally.matching, "matched": f"{tally.matched:,}"},
        "outside": outside % {"count": tally.outside},
    }


def _picked(papers: int) -> str:
    line = ngettext(
        "This one is a pick by the curator or the community, or something new.",
        "These %(count)s are picks by the curator or the community, or something new.",
        papers,
    )
    return line % {"count": papers}


def _best(tally: Tally) -> str:
    line = ngettext(
        "The best of %(matched)s papers that match what you follow.",
        "The best %(count)s of %(matched)s papers that match what you follow.",
        tally.matching,
    )
    return line % {"count": tally.matching, "matched": f"{tally.matched:,}"}


def _nothing(issues: Sequence[Issue]) -> str:
    """Why there is nothing: a blank day, a late source, or no match."""
    looked_at = sum(issue.looked_at for issue in issues)
    if issues and issues[-1].missing and not looked_at:
        return _("No papers today: the sources had not been updated in time.")
    if not looked_at:
        return _("No papers today: no source announced any, as on weekends and holidays.")
    line = ngettext(
        "Nothing for you today: the one paper announced does not match what you follow.",
        "Nothing for you today: none of the %(count)s papers announced matches what you follow.",
        looked_at,
    )
    return line % {"count": f"{looked_at:,}"}


@lru_cache(maxsize=KEPT_FRAMES)
def printed(frame: Frame) -> tuple[PlaceholderText, PlaceholderText]:
    """The frame's HTML and text, with a hole for all that differs from reader to reader."""
    context: dict[str, Any] = {name: "" if name in frame.omitted else placeholder(name) for name in HOLES}
    context |= {"heading": frame.heading, "notes": frame.notes, "receipt": frame.receipt}
    html = engines["letter_html"].get_template("email/digest.html").render(context)
    text = engines["letter_text"].get_template("email/digest.txt").render(context)
    return cut(str(html)), cut(str(text).strip("\n") + "\n")
