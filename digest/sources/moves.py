"""Follows a publisher that says that a feed has another address now, or is gone.

A permanent redirect (301, 308: RFC 9110, 15.4) that stays the same for TAKEN_UP_AFTER becomes the source's address.
410 (RFC 9110, 15.5.11) switches the source off. A page in place of the feed that names a feed is an offer only.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from digest.models import Source
from digest.sources import client, discovery
from digest.sources.fetch import FetchError

TAKEN_UP_AFTER = timedelta(days=3)
GONE = 410
FIELDS = ("url", "moved_to", "moved_since", "is_enabled", "held_reason", "next_pull_at")


class MoveError(ValueError):
    """The address cannot be taken up; the message says why and what to do."""


def follow(source: Source, reply: client.Response, now: datetime) -> list[str]:
    """Note on the source, unsaved, what the reply says of its address. Returns sentences for the fetch's warnings."""
    if reply.kind != source.kind or reply.url != client.address(source.url, reply.asked, None, 0, 0):
        return []  # a fallback's answer
    if isinstance(reply.fault, FetchError) and reply.fault.status == GONE:
        return _gone(source)
    if reply.fault:
        return _named(source, reply)
    if reply.moved_to:
        return _moved(source, reply.moved_to, now)
    source.moved_to, source.moved_since = "", None
    return []


def _gone(source: Source) -> list[str]:
    if source.fallbacks:
        return ["It is gone for good (410); its other addresses are asked instead. Give it a new one."]
    source.is_enabled, source.next_pull_at = False, None
    source.held_reason = (
        "Its publisher says that it is gone for good (410), so it was switched off. "
        "If the feed is elsewhere now, add it from there."
    )
    return [source.held_reason]


def _named(source: Source, reply: client.Response) -> list[str]:
    """The feed that a page in place of the feed names."""
    page = reply.pages[-1] if reply.pages else b""
    found = discovery.feeds(page, reply.came_from or reply.url)
    if not found:
        return []
    source.moved_to, source.moved_since = found[0][:500], None
    return [f"The page names a feed: {found[0]}. If it is this source's, take its address on the source's page."]


def _moved(source: Source, address: str, now: datetime) -> list[str]:
    if address != source.moved_to or source.moved_since is None:
        source.moved_to, source.moved_since = address[:500], now
    obstacle = _obstacle(source)
    day = source.moved_since + TAKEN_UP_AFTER
    if obstacle:
        return [f"It has moved for good, to {address}. {obstacle}"]
    if now < day:
        return [f"It has moved for good, to {address}. That is taken up on {day:%-d %B}, if it still says so then."]
    before = source.url
    _take(source)
    return [f"It has moved for good: its address is {source.url} now. It was {before}."]


def _obstacle(source: Source) -> str:
    if "{" in source.url:
        return "Its address has places for days: write the new one with them."
    if len(source.moved_to) >= 500:
        return "That address is too long to be kept."
    other = Source.objects.filter(url=source.moved_to).exclude(pk=source.pk).first()
    if other is None:
        return ""
    return f"That is the address of {other.name} already: switch one of the two off."


def _take(source: Source) -> None:
    source.url, source.moved_to, source.moved_since = source.moved_to, "", None


def take(source: Source, now: datetime) -> None:
    """A curator takes the new address up: it is asked at once. Raises MoveError."""
    if not source.moved_to:
        raise MoveError(f"{source.name} names no other address.")
    obstacle = _obstacle(source)
    if obstacle:
        raise MoveError(obstacle)
    _take(source)
    source.etag, source.last_modified, source.next_pull_at = "", "", now
    source.save(update_fields=["url", "moved_to", "moved_since", "etag", "last_modified", "next_pull_at"])
