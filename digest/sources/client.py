"""Asks a source for one day, page after page where its publisher gives pages, and reads what comes."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.conf import settings

from digest.papers.entry import Batch, CutShortError, FormatError
from digest.sources import fetch, host_limits
from digest.sources.parsers import registry, sandbox

MAX_PAGES = 40
ASKED_AGAIN = 2  # times for a page that is empty though there should be more: arXiv's API gives such now and then
_PLACES = ("{page}", "{cursor}", "verb=ListRecords")
_BETWEEN = b"\x1e\n"  # RFC 7464's record separator: in no JSON and no XML


@dataclass(slots=True)
class Response:
    """The pages of one answer as bytes, the batch they were read into, and the error if there was one."""

    kind: str
    url: str
    asked: date
    pages: tuple[bytes, ...] = ()
    batch: Batch | None = None
    fault: Exception | None = None
    status: int | None = None
    etag: str = ""
    last_modified: str = ""
    came_from: str = ""  # the address at the end of the redirects
    moved_to: str = ""  # where it has moved for good
    seconds: float = 0.0
    short: str = ""  # why there is less in it than its publisher announces

    @property
    def unchanged(self) -> bool:
        """True for a 304: the publisher says that it has nothing else."""
        return self.status == 304

    def add(self, batch: Batch) -> None:
        """Add the entries of one more page."""
        if self.batch is None:
            self.batch = batch
        else:
            self.batch = joined(self.batch, batch)


def agent() -> str:
    """Who asks, with an address to complain to (arXiv and bioRxiv want one)."""
    return f"Offprint/1.0 (+{settings.PUBLIC_BASE_URL}; mailto:{settings.CONTACT_EMAIL})"


def request(
    kind: str, template: str, asked: date, *, etag: str = "", last_modified: str = "", until: date | None = None
) -> Response:
    """Fetch and read every page of the answer for `asked` (to `until`, where the address takes two days)."""
    reply = Response(kind, address(template, asked, until, 0, 0), asked)
    try:
        for batch in _pages(reply, template, until, etag, last_modified):
            reply.add(batch)
    except CutShortError as error:
        reply.fault = error
        reply.add(error.batch)
    except (fetch.FetchError, host_limits.BusyError, FormatError) as error:
        reply.fault = error
        reply.status = getattr(error, "status", None) or reply.status
    return reply


def _pages(reply: Response, template: str, until: date | None, etag: str, last_modified: str) -> Iterator[Batch]:
    """One Batch a page. Pages end with a short one, at the publisher's own total, or where nothing is new."""
    url = address(template, reply.asked, until, 0, 0)
    if not any(place in template for place in _PLACES):
        only = _page(reply, url, etag, last_modified)
        if only is not None:
            yield only
        return
    progress = _Progress(reply.kind)
    for page in range(MAX_PAGES):
        batch = _page(reply, url)
        for _ in range(ASKED_AGAIN):
            if batch is not None and page and progress.misses(batch):
                batch = _page(reply, url) or batch
        if batch is None:
            return
        fresh = progress.take(batch)
        if page == 0 or fresh:
            yield batch
        if progress.was_last(batch, fresh):
            break
        url = _next(template, reply.asked, until, page + 1, progress.rows, batch)
    reply.short = progress.short()


def _page(reply: Response, url: str, etag: str = "", last_modified: str = "") -> Batch | None:
    """One page asked for and read; None for a 304."""
    answer = get(url, etag, last_modified, registry.of(reply.kind).deadline)
    reply.status, reply.came_from = answer.status, answer.url
    reply.moved_to = reply.moved_to or answer.moved_to
    if answer.body is None:
        return None
    reply.pages = (*reply.pages, answer.body)
    reply.etag, reply.last_modified = answer.etag, answer.last_modified
    return sandbox.parse(reply.kind, answer.body, reply.asked, answer.url)


@dataclass(slots=True)
class _Progress:
    """How far the pages of one answer have come, and whether that is all of it."""

    kind: str
    rows: int = 0
    total: int | None = None
    goes_on: bool = False
    _seen: set[str] = field(default_factory=set)

    def take(self, batch: Batch) -> bool:
        """Count a page; True if there was anything new in it."""
        fresh = {entry.source_id for entry in batch.entries} - self._seen
        self._seen |= fresh
        self.rows += len(batch.entries) + batch.rejected
        if batch.total is not None:
            self.total = max(batch.total, self.total or 0)
        self.goes_on = not self.was_last(batch, bool(fresh))
        return bool(fresh)

    def misses(self, batch: Batch) -> bool:
        """True for a page without entries where there should be some."""
        return not batch.entries and not batch.rejected and self.rows < (self.total or 0)

    def was_last(self, batch: Batch, fresh: bool) -> bool:
        kind = registry.of(self.kind)
        if kind.has_tokens:
            return not batch.more
        if not fresh:
            return True
        if self.total is not None:
            return self.rows >= self.total
        return len(batch.entries) + batch.rejected < kind.page_rows

    def short(self) -> str:
        """What is missing, in words; nothing if all came that was announced."""
        if self.total is not None and self.rows < self.total:
            return f"{self.rows:,} of {self.total:,} entries came."
        if self.goes_on:
            return f"{self.rows:,} entries came, and there are more: ask for a shorter time."
        return ""


def _next(template: str, asked: date, until: date | None, page: int, rows: int, batch: Batch) -> str:
    if not batch.more:
        return address(template, asked, until, page, rows)
    return f"{template.partition('?')[0]}?{urlencode({'verb': 'ListRecords', 'resumptionToken': batch.more})}"


def address(template: str, day: date, until: date | None, page: int, cursor: int) -> str:
    """The address with its places filled: {day} {until} {week} {month} {page} {cursor} {rows} …"""
    last = until or day
    places = {
        "day": day,
        "until": last,
        "week": f"{day:%G-W%V}",
        "month": f"{day:%Y-%m}",
        "compact": f"{day:%Y%m%d}",
        "compact_until": f"{last:%Y%m%d}",
        "page": page,
        "cursor": cursor,
        "rows": 200,
    }
    for name, value in places.items():
        template = template.replace("{" + name + "}", str(value))
    return template


def get(url: str, etag: str = "", last_modified: str = "", deadline: float | None = None) -> fetch.Answer:
    """One GET; at arXiv's machines in our turn."""
    host, seconds = host_limits.name(url), deadline or fetch.DEADLINE
    allowed = settings.FETCH_PRIVATE_HOSTS
    with contextlib.ExitStack() as turn:
        if host in host_limits.IN_TURN:
            turn.enter_context(host_limits.wait_for_turn(host, lease=timedelta(seconds=seconds + 15)))
        return fetch.get(url, agent(), etag=etag, last_modified=last_modified, allowed=allowed, deadline=seconds)


def joined(one: Batch, two: Batch) -> Batch:
    """Two pages of one answer as one."""
    expected = None
    if one.expected is not None and two.expected is not None:
        expected = one.expected + two.expected
    return replace(
        one,
        entries=(*one.entries, *two.entries),
        day=one.day or two.day,
        rejected=one.rejected + two.rejected,
        problems=(*one.problems, *two.problems),
        expected=expected,
        well_formed=one.well_formed and two.well_formed,
    )


def kept(pages: tuple[bytes, ...]) -> bytes:
    """The raw pages as they are kept on the fetch, for replay."""
    return zlib.compress(_BETWEEN.join(pages), 6)


def unkept(body: bytes) -> tuple[bytes, ...]:
    """The raw pages again."""
    return tuple(zlib.decompress(body).split(_BETWEEN))


def read(kind: str, pages: tuple[bytes, ...], asked: date, url: str = "") -> Response:
    """What kept or given bytes are read into: the same as if they had just come."""
    reply = Response(kind, url, asked, pages)
    progress = _Progress(kind)
    try:
        for body in pages:
            batch = sandbox.parse(kind, body, asked, url)
            progress.take(batch)
            reply.add(batch)
            if len(pages) > 1:
                reply.short = progress.short()
    except CutShortError as error:
        reply.fault = error
        reply.add(error.batch)
    except FormatError as error:
        reply.fault = error
    return reply


def wait_of(fault: Exception | None) -> timedelta | None:
    """How long the publisher asked us to stay away, if it did."""
    if isinstance(fault, fetch.FetchError):
        return fault.wait
    return None
