"""A letter without its cards: heading, curator's notes, receipt, footer.

Rendered once for an edition and form of letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

from django.template import engines
from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from digest.letters import text as letter_text
from digest.letters.placeholders import PlaceholderText, cut, placeholder

Form = Literal["daily", "days", "weekly", "catchup", "empty"]
PLACEHOLDERS = (
    "subject", "preheader", "greeting", "contents", "cards", "carried", "overflow", "more_url", "why_sent", "web_url",
    "preferences_url", "pause_url", "unsubscribe_url", "saved_url",
)  # fmt: skip
KEPT_LAYOUTS = 500
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
class Layout:
    """What stands around the cards; `omitted` names the placeholders that this letter has nothing for."""

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
    """How many of the `matched` papers are on the letter, how many others are, and how many are `left` over."""

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
    days = 0
    if issues:
        days = (issues[-1].date - issues[0].date).days
    if days >= CATCH_UP_DAYS + gap - 1:
        return "catchup"
    if days and gap > 1:
        return "days"
    return "daily"


def build(form: Form, issues: Sequence[Issue], omitted: frozenset[str]) -> Layout:
    notes = [_note(issue, len(issues) > 1) for issue in issues if issue.note.strip()]
    return Layout(_heading(form, issues), tuple(notes), _receipt(issues), omitted)


def long_day(day: date) -> str:
    return dateformat.format(day, "l j F Y")


def short_day(day: date) -> str:
    return dateformat.format(day, "j F")


def _heading(form: Form, issues: Sequence[Issue]) -> str:
    first, last = issues[0].date, issues[-1].date
    end = dateformat.format(last, "j F Y")
    if form == "weekly":
        return _("The week to %(day)s") % {"day": end}
    if form == "catchup":
        return _("While you were away: %(first)s to %(last)s") % {"first": short_day(first), "last": end}
    if form == "days":
        return _("%(first)s to %(last)s") % {"first": dateformat.format(first, "l j F"), "last": long_day(last)}
    return long_day(last)


def _note(issue: Issue, dated: bool) -> Note:
    label = _("A note from the curator")
    if curator := letter_text.plain(issue.curator, letter_text.NAME_CHARS):
        label = _("A note from %(curator)s") % {"curator": curator}
    if dated:
        label = f"{label}, {short_day(issue.date)}"
    paragraphs = issue.note[:NOTE_CHARS].replace("\r", "").split("\n\n")
    return Note(label, tuple(letter_text.plain_list(paragraphs, NOTE_CHARS)))


def _receipt(issues: Sequence[Issue]) -> tuple[str, ...]:
    """What was looked at, and what was not there in time."""
    lines = []
    looked_at = sum(issue.looked_at for issue in issues)
    if looked_at:
        lines.append(_looked(looked_at, list(dict.fromkeys(name for issue in issues for name in issue.sources))))
    if any(issue.samples for issue in issues):
        lines.append(_("Bundled sample papers stood in for publishers that were not reached."))
    if issues and not issues[-1].samples:
        lines += _late(issues[-1])
    return tuple(lines)


def _looked(papers: int, sources: Sequence[str]) -> str:
    line = ngettext("Looked at %(count)s paper", "Looked at %(count)s papers", papers) % {"count": f"{papers:,}"}
    names = letter_text.plain_list(sources[:NAMED_SOURCES], letter_text.NAME_CHARS)
    more = len(sources) - NAMED_SOURCES
    if more > 0:
        names.append(ngettext("%(count)s more source", "%(count)s more sources", more) % {"count": more})
    if not names:
        return f"{line}."
    return _("%(looked)s from %(names)s.") % {"looked": line, "names": letter_text.listed(names)}


def _late(issue: Issue) -> list[str]:
    """The sources that were not there in time. Only those that worked lately are promised for the next letter."""
    others = [name for name in issue.missing if name not in issue.promised]
    if not issue.promised:
        if not others:
            return []
        line = _("%(names)s had not been updated by %(time)s UTC.")
        return [line % {"names": _some(others), "time": issue.closed_at}]
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
    shown = letter_text.plain_list(names[:NAMED_LATE], letter_text.NAME_CHARS)
    if len(names) > NAMED_LATE:
        shown.append(_("%(count)s more") % {"count": len(names) - NAMED_LATE})
    return letter_text.listed(shown)


def subject(form: Form, issues: Sequence[Issue], title: str) -> str:
    """The date and the best title: short enough for a phone."""
    lead = short_day(issues[-1].date)
    if form == "weekly":
        lead = _("Week to %(day)s") % {"day": lead}
    elif form == "catchup":
        lead = _("While you were away")
    return letter_text.shorten(f"{lead}: {title or _('nothing new for you')}", SUBJECT_CHARS)


def preheader(count: int, titles: Sequence[str]) -> str:
    """How many papers, and the next two titles."""
    lead = ngettext("%(count)s paper for you.", "%(count)s papers for you.", count) % {"count": count}
    return letter_text.shorten(f"{lead} {' · '.join(titles)}".strip(), PREHEADER_CHARS)


def overflow(left: int) -> str:
    return ngettext("And %(count)s more on the web", "And %(count)s more on the web", left) % {"count": f"{left:,}"}


def greeting(form: Form, tally: Tally, issues: Sequence[Issue]) -> str:
    """The letter's first sentence: how much there is, and how it was chosen."""
    if form == "empty":
        return _nothing(issues)
    if not tally.outside:
        return _matching(form, tally)
    if not tally.matching:
        picks = ngettext(
            "This one is a pick by the curator or the community, or something new.",
            "These %(count)s are picks by the curator or the community, or something new.",
            tally.outside,
        )
        return f"{_('Nothing new matches what you follow.')} {picks % {'count': tally.outside}}"
    return f"{_count(form, tally.matching + tally.outside)} {_shares(tally)}"


def _matching(form: Form, tally: Tally) -> str:
    """The sentence for a letter that has only papers that match."""
    if tally.matched <= tally.matching:
        return _count(form, tally.matching)
    line = ngettext(
        "The best of %(matched)s papers that match what you follow.",
        "The best %(count)s of %(matched)s papers that match what you follow.",
        tally.matching,
    )
    return line % {"count": tally.matching, "matched": f"{tally.matched:,}"}


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


@lru_cache(maxsize=KEPT_LAYOUTS)
def rendered(layout: Layout) -> tuple[PlaceholderText, PlaceholderText]:
    """The layout's HTML and text, with a placeholder for all that differs from reader to reader."""
    context: dict[str, object] = {"heading": layout.heading, "notes": layout.notes, "receipt": layout.receipt}
    for name in PLACEHOLDERS:
        context[name] = placeholder(name)
    context |= dict.fromkeys(layout.omitted, "")
    html = engines["letter_html"].get_template("email/digest.html").render(context)
    text = engines["letter_text"].get_template("email/digest.txt").render(context)
    return cut(str(html)), cut(str(text).strip("\n") + "\n")
