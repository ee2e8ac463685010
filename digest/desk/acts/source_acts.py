"""An operator's acts on sources: adding, importing, switching, moving, pulling and replaying them."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from digest.desk import audit_log
from digest.desk.actor import Actor
from digest.desk.acts.paper_acts import CuratingError
from digest.models import Fetch, Source
from digest.sources import additions, moves, opml, pull, ssrf_guard

LIST_BYTES, LIST_FEEDS = 1024 * 1024, 500  # of an OPML file taken at the desk; the command takes more


def preview(url: str, now: datetime) -> additions.Preview:
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
    host = parts.hostname or ""
    if f"{host}:{parts.port}" in settings.FETCH_PRIVATE_HOSTS:
        return
    if host == "localhost" or is_private_address(host):
        raise CuratingError("That address leads into this machine's own network. Give a publisher's.")


def is_private_address(host: str) -> bool:
    """Whether the host is an IP address that is not public; False for a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not ssrf_guard.is_public(host)


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
    if not found:
        raise CuratingError("It lists no feeds. Export it anew from your feed reader.")
    if len(found) > LIST_FEEDS:
        raise CuratingError(
            f"It lists {len(found):,} feeds; the desk takes {LIST_FEEDS} at once. Use the command import_opml."
        )
    feeds = []
    for feed in found:
        if not feed.problem:
            try:
                check(feed.listed.url)
            except CuratingError as error:
                feed = replace(feed, problem=str(error))
        feeds.append(feed)
    return feeds


def bring_in(actor: Actor, body: bytes, chosen: Collection[str], now: datetime) -> opml.Imported:
    """Add the chosen feeds of an OPML file; they are asked at the next tick. Raises CuratingError."""
    free = {feed.listed.url for feed in listed(body) if not feed.problem}
    wanted = free.intersection(chosen)
    if not wanted:
        raise CuratingError("Choose at least one feed that can be added.")
    with transaction.atomic():
        done = opml.add(body, wanted)
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
    after = {"outcome": fetch.outcome, "new": fetch.new}
    audit_log.record(actor, "pull", f"source {source.slug}", now, {}, after)
    return fetch


def replay(actor: Actor, fetch: Fetch, now: datetime) -> Fetch:
    """Read the kept bytes of an earlier pull again, with today's reading."""
    try:
        again = pull.replay(fetch, now)
    except pull.PullError as error:
        raise CuratingError(str(error)) from error
    before = {"outcome": fetch.outcome}
    after = {"outcome": again.outcome, "new": again.new}
    audit_log.record(actor, "replay", f"fetch {fetch.pk} of {fetch.source.slug}", now, before, after)
    return again
