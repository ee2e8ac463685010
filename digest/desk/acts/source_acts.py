"""The sources as a curator sees them: a calendar of outcomes, and adding, pausing, asking and replaying them."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from digest.desk import audit_log
from digest.desk.actor import Actor
from digest.desk.acts.paper_acts import CuratingError
from digest.desk.pages import charts
from digest.models import Fetch, Outcome, Source
from digest.sources import additions, moves, opml, pull, ssrf_guard

DAYS = 35
LIST_BYTES, LIST_FEEDS = 1024 * 1024, 500  # of an OPML file taken at the desk; the command takes more
# What a day is remembered by: its best outcome.
RANK = [
    Outcome.OK,
    Outcome.TRUNCATED,
    Outcome.UNCHANGED,
    Outcome.HOLIDAY,
    Outcome.EMPTY,
    Outcome.STALE,
    Outcome.FORMAT_ERROR,
    Outcome.FAILED,
]
GOOD = {
    Outcome.OK: "good",
    Outcome.UNCHANGED: "quiet",
    Outcome.HOLIDAY: "quiet",
    Outcome.TRUNCATED: "warn",
    Outcome.EMPTY: "warn",
    Outcome.STALE: "warn",
}


def health(sources: Sequence[Source], today: date) -> charts.HeatMap:
    """One row a source, one cell a day."""
    rows = Fetch.objects.filter(source__in=sources, day__gt=today - timedelta(days=DAYS), is_backfill=False)
    best: dict[tuple[str, date], tuple[int, str, int]] = {}
    for slug, day, outcome, entries in rows.values_list("source__slug", "day", "outcome", "entries"):
        rank = RANK.index(Outcome(outcome))
        if (slug, day) not in best or rank < best[slug, day][0]:
            best[slug, day] = rank, outcome, entries
    states = {
        (slug, day): (
            GOOD.get(Outcome(outcome), "bad"),
            f"{day}: {Outcome(outcome).label.lower()}, {entries} entries",
        )
        for (slug, day), (_, outcome, entries) in best.items()
    }
    return charts.heat_map([(one.slug, one.name) for one in sources], states, today, DAYS)


def looked_at(url: str, now: datetime) -> additions.Preview:
    """What an address would bring, without storing anything. Raises CuratingError where it cannot be read."""
    check(url)
    try:
        return additions.preview(url, now)
    except additions.SourceError as error:
        raise CuratingError(str(error)) from error


def check(url: str) -> None:
    """The address is one that may be fetched at all: none of this machine's own network."""
    if not url.startswith(("https://", "http://")):
        raise CuratingError("The address begins with https:// or http://.")
    try:
        ssrf_guard.check_url(url.replace("{day}", "2026-01-01"), settings.FETCH_PRIVATE_HOSTS)
    except ssrf_guard.RefusedError as error:
        raise CuratingError(str(error)) from error
    parts = urlsplit(url)
    host, trusted = parts.hostname or "", f"{parts.hostname}:{parts.port}" in settings.FETCH_PRIVATE_HOSTS
    if not trusted and (host == "localhost" or (_is_number(host) and not ssrf_guard.is_public(host))):
        raise CuratingError("That address leads into this machine's own network. Give a publisher's.")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def add(actor: Actor, form: dict[str, str], now: datetime) -> Source:
    """Keep a new source; it is asked at the next tick."""
    check(form["url"])
    try:
        with transaction.atomic():
            row = additions.add(form["url"], form["kind"], form["name"], is_daily=form["is_daily"] == "yes")
            audit_log.record(actor, "add source", f"source {row.slug}", now, {}, {"kind": row.kind, "url": row.url})
    except additions.SourceError as error:
        raise CuratingError(str(error)) from error
    return row


def listed(body: bytes) -> list[opml.Looked]:
    """What an OPML file would add; nothing is asked or stored. Raises CuratingError where it is none."""
    if not body or len(body) > LIST_BYTES:
        raise CuratingError("Choose an OPML file of at most 1 MB.")
    try:
        found = opml.look(body)
    except opml.OpmlError as error:
        raise CuratingError(str(error)) from error
    if not found or len(found) > LIST_FEEDS:
        few = f"It lists {len(found):,} feeds; the desk takes {LIST_FEEDS} at once. Use the command import_opml."
        raise CuratingError(few if found else "It lists no feeds. Export it anew from your feed reader.")
    return [_at_the_desk(one) for one in found]


def _at_the_desk(looked: opml.Looked) -> opml.Looked:
    """The desk's own rule on top: none of this machine's network."""
    if looked.problem:
        return looked
    try:
        check(looked.listed.url)
    except CuratingError as error:
        return replace(looked, problem=str(error))
    return looked


def bring_in(actor: Actor, body: bytes, chosen: Collection[str], now: datetime) -> opml.Imported:
    """Add the chosen feeds of an OPML file; they are asked at the next tick. Raises CuratingError."""
    free = {looked.listed.url for looked in listed(body) if not looked.problem}
    if not free.intersection(chosen):
        raise CuratingError("Choose at least one feed that can be added.")
    with transaction.atomic():
        done = opml.add(body, free.intersection(chosen))
        after = {"added": len(done.added), "names": list(done.added)}
        audit_log.record(actor, "import sources", "sources", now, {}, after)
    return done


def switch_on(actor: Actor, source: Source, now: datetime) -> None:
    _switch(actor, source, True, "switch on", now)


def switch_off(actor: Actor, source: Source, now: datetime) -> None:
    _switch(actor, source, False, "switch off", now)


def _switch(actor: Actor, source: Source, is_on: bool, verb: str, now: datetime) -> None:
    before = {"is_enabled": source.is_enabled}
    with transaction.atomic():
        additions.set_enabled(source, is_on, now)
        audit_log.record(actor, verb, f"source {source.slug}", now, before, {"is_enabled": is_on})


def trust(actor: Actor, source: Source, now: datetime) -> None:
    """A curator looked, and lets a held source go on."""
    before = {"held_reason": source.held_reason, "failures": source.failures, "kills": source.kills}
    with transaction.atomic():
        additions.release_hold(source, now)
        audit_log.record(actor, "lift hold", f"source {source.slug}", now, before, {})


def move(actor: Actor, source: Source, now: datetime) -> None:
    """Take up the address that the source's publisher names. Raises CuratingError."""
    before = {"url": source.url}
    if source.moved_to:
        check(source.moved_to)
    try:
        with transaction.atomic():
            moves.take(source, now)
            audit_log.record(actor, "take new address", f"source {source.slug}", now, before, {"url": source.url})
    except moves.MoveError as error:
        raise CuratingError(str(error)) from error


def ask_now(actor: Actor, source: Source, now: datetime) -> Fetch:
    try:
        fetch = pull.pull(source, now)
    except pull.PullError as error:
        raise CuratingError(str(error)) from error
    audit_log.record(actor, "pull", f"source {source.slug}", now, {}, {"outcome": fetch.outcome, "new": fetch.new})
    return fetch


def replay(actor: Actor, fetch: Fetch, now: datetime) -> Fetch:
    """Read the kept bytes of an earlier pull again, with today's reading."""
    try:
        again = pull.replay(fetch, now)
    except pull.PullError as error:
        raise CuratingError(str(error)) from error
    after: dict[str, Any] = {"outcome": again.outcome, "new": again.new}
    audit_log.record(
        actor, "replay", f"fetch {fetch.pk} of {fetch.source.slug}", now, {"outcome": fetch.outcome}, after
    )
    return again
