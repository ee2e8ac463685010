"""Why a paper is on a letter, in the reader's own words: the line under each card, and the label over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from digest.letters import text
from digest.letters.cards import html_fragment, text_fragment

SHOWN_REASONS = 3
SHOWN_WORDS = 6
LABEL_CHARS = 90
WORD_CHARS = 40
KEPT = 20_000


class Reason(NamedTuple):
    """One reason as the ledger keeps it. `kind`: topic, filter, pin, community, late, carried (or another room's)."""

    kind: str
    label: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lines:
    """The label over a card and the line under it, in both voices; "" where there is none."""

    label_html: str
    label_text: str
    why_html: str
    why_text: str


@dataclass(frozen=True, slots=True)
class _Said:
    lead: str
    name: str
    words: tuple[str, ...]


def read(rows: Sequence[Any]) -> tuple[Reason, ...]:
    """The reasons out of a ledger row's JSON; anything odd in it is left out."""
    return tuple(
        Reason(str(row.get("kind", "")), str(row.get("label") or ""), tuple(map(str, row.get("words") or ())))
        for row in rows
        if isinstance(row, dict)
    )


@lru_cache(maxsize=KEPT)
def printed(reasons: tuple[Reason, ...], upvotes: int = 0) -> Lines:
    """The lines for a card with these reasons; `upvotes` is told with a community pick."""
    label = _label(reasons)
    said = [_said(reason, upvotes) for reason in reasons[:SHOWN_REASONS]]
    said = [one for one in said if one.lead or one.name]
    why = f"{_('Why:')} {'; '.join(_plainly(one) for one in said)}"
    context = {"reasons": said, "why": why, "label": label}
    return Lines(
        label_html=html_fragment("label", context),
        label_text=text_fragment("label", context).rstrip("\n") + "\n" if label else "",
        why_html=html_fragment("why", context),
        why_text=text_fragment("why", context),
    )


def _label(reasons: Sequence[Reason]) -> str:
    kinds = {reason.kind for reason in reasons}
    if "pin" in kinds:
        return _("The curator’s pick")
    if "late" in kinds:
        return _("Late riser")
    if kinds == {"explore"}:
        return _("Something new")
    if "explore" in kinds:
        return _("To explore")
    return _("Community pick") if kinds == {"community"} else ""


def _said(reason: Reason, upvotes: int) -> _Said:
    name = text.plain(reason.label, LABEL_CHARS)
    marked = [text.plain(word, WORD_CHARS) for word in reason.words[:SHOWN_WORDS]]
    return _Said(_lead(reason.kind, upvotes), _name(reason.kind, name), tuple(word for word in marked if word))


def _name(kind: str, name: str) -> str:
    if kind in {"filter", "liked"} and name:
        return name if '"' in name else f"“{name}”"
    return "" if kind in {"pin", "community", "late", "explore"} else name


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


def _plainly(said: _Said) -> str:
    line = f"{said.lead} {said.name}".strip()
    return f"{line} ({', '.join(said.words)})" if said.words else line
