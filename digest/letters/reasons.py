"""Why a paper is on a letter: the line under each card, and the label over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from digest.letters import text
from digest.letters.cards import html_fragment, text_fragment

SHOWN_REASONS = 3
SHOWN_WORDS = 6
LABEL_CHARS = 90
WORD_CHARS = 40
OUTSIDE = frozenset({"pin", "community", "late", "explore"})  # what no interest brought: the kind says all
QUOTED = frozenset({"filter", "liked"})


class Reason(NamedTuple):
    """One reason as the ledger keeps it. `kind`: topic, filter, pin, community, late, carried (or another room's)."""

    kind: str
    label: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReasonLines:
    """The label over a card and the line under it, in HTML and in text; "" where there is none."""

    label_html: str
    label_text: str
    why_html: str
    why_text: str


@dataclass(frozen=True, slots=True)
class ReasonText:
    """One reason as `why.html` takes it: `lead` says its kind, `name` the interest, `words` what was found."""

    lead: str
    name: str
    words: tuple[str, ...]


def read(rows: Sequence[object]) -> tuple[Reason, ...]:
    """The reasons out of a ledger row's JSON; anything odd in it is left out."""
    found = []
    for row in rows:
        if isinstance(row, dict):
            words = tuple(map(str, row.get("words") or ()))
            found.append(Reason(str(row.get("kind", "")), str(row.get("label") or ""), words))
    return tuple(found)


def is_outside(given: Sequence[Reason]) -> bool:
    """Whether a paper is a pin, a late riser or a community pick that the reader did not ask for."""
    return bool(given) and OUTSIDE.issuperset([reason.kind for reason in given])


def rendered(reasons: Sequence[Reason], upvotes: int = 0) -> ReasonLines:
    """The lines for a card with these reasons; `upvotes` is told with a community pick."""
    label = _label({reason.kind for reason in reasons})
    shown = []
    plain = []
    for reason in reasons[:SHOWN_REASONS]:
        one = _text(reason, upvotes)
        if one.lead or one.name:
            shown.append(one)
            line = f"{one.lead} {one.name}".strip()
            if one.words:
                line = f"{line} ({', '.join(one.words)})"
            plain.append(line)
    context = {"reasons": shown, "why": f"{_('Why:')} {'; '.join(plain)}", "label": label}
    label_text = ""
    if label:
        label_text = text_fragment("label", context).rstrip("\n") + "\n"
    return ReasonLines(
        label_html=html_fragment("label", context),
        label_text=label_text,
        why_html=html_fragment("why", context),
        why_text=text_fragment("why", context),
    )


def _label(kinds: set[str]) -> str:
    if "pin" in kinds:
        return _("The curator’s pick")
    if "late" in kinds:
        return _("Late riser")
    if kinds == {"explore"}:
        return _("Something new")
    if "explore" in kinds:
        return _("To explore")
    if kinds == {"community"}:
        return _("Community pick")
    return ""


def _text(reason: Reason, upvotes: int) -> ReasonText:
    name = text.plain(reason.label, LABEL_CHARS)
    if reason.kind in OUTSIDE:
        name = ""
    elif reason.kind in QUOTED and name and '"' not in name:
        name = f"“{name}”"
    words = text.plain_list(reason.words[:SHOWN_WORDS], WORD_CHARS)
    return ReasonText(_lead(reason.kind, upvotes), name, tuple(words))


def _lead(kind: str, upvotes: int) -> str:
    if kind == "community":
        if not upvotes:
            return _("raised by the community, outside what you follow")
        line = ngettext("raised by %(count)s reader elsewhere", "raised by %(count)s readers elsewhere", upvotes)
        return line % {"count": f"{upvotes:,}"}
    known = {
        "topic": _("your topic"),
        "filter": _("your search"),
        "author": _("an author you follow:"),
        "category": _("your category"),
        "description": _("close to what you described"),
        "liked": _("because you liked"),
        "explore": _("just outside what you follow"),
        "pin": _("chosen by the curator for everyone"),
        "late": _("first announced earlier, raised by its readers since"),
    }
    return known.get(kind, "")
