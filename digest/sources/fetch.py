"""One polite GET: conditional, named, bounded in time and size, to public addresses only.

What comes back is bytes or a FetchError that says when to ask again. Nothing here reads the bytes.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from digest.sources.ssrf_guard import Adapter, RefusedError, check_url

DEADLINE = 60.0  # seconds for all of it, redirects included
CONNECT, READ = 10.0, 30.0
MAX_WIRE = 20 * 1024 * 1024
MAX_DECODED = 50 * 1024 * 1024
MAX_REDIRECTS = 3
_REDIRECTS = {301, 302, 303, 307, 308}
_PERMANENT = {301, 308}
_LONGEST_WAIT = timedelta(hours=24)


class FetchError(Exception):
    """It could not be fetched. `permanent`: asking again will not help before somebody changes something."""

    def __init__(
        self, message: str, *, status: int | None = None, permanent: bool = False, wait: timedelta | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.permanent, self.wait = status, permanent, wait


@dataclass(frozen=True, slots=True)
class Answer:
    """What a publisher answered; `body` is None for 304.

    `moved_to` is where permanent redirects led (301, 308), up to the first temporary one.
    """

    status: int
    body: bytes | None
    url: str
    etag: str = ""
    last_modified: str = ""
    moved_to: str = ""


def get(
    url: str,
    agent: str,
    *,
    etag: str = "",
    last_modified: str = "",
    allowed: Collection[str] = (),
    deadline: float = DEADLINE,
) -> Answer:
    """GET `url`. `allowed` are `host:port` pairs trusted although private; `deadline` is in seconds.

    Raises FetchError, and nothing else, for whatever goes wrong on the way.
    """
    headers = {"User-Agent": agent, "Accept-Encoding": "gzip", "Accept": _ACCEPT}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    watch = _Watch(deadline)
    try:
        with watch:
            return _follow(url, headers, allowed, watch)
    except RefusedError as error:
        raise FetchError(str(error), permanent=True) from error
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        refused = _refusal(error)
        if refused is not None:
            raise FetchError(str(refused), permanent=True) from error
        raise FetchError(watch.late() or _plainly(error, url)) from error


_ACCEPT = "application/atom+xml, application/rss+xml, application/json, application/xml;q=0.9, */*;q=0.5"


class _Watch:
    """Cuts every connection when the time is up: a byte a second keeps any other timeout waiting for ever."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.ends = seconds, time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._lock, self._is_over = threading.Lock(), False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def add(self, sock: socket.socket) -> None:
        """Duplicated, because TLS takes the socket's handle over. A connection made when the time is up is cut too."""
        with self._lock:
            self._sockets.append(sock.dup())
            if self._is_over:
                self._cut()

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            self._cut()

    def _cut(self) -> None:
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()

    def late(self) -> str:
        """Why it is too late, once it is."""
        if time.monotonic() < self.ends:
            return ""
        return f"No whole answer within {self.seconds:.0f} seconds."


def _session(allowed: Collection[str], watch: _Watch) -> requests.Session:
    """One a hop: a connection that its publisher is about to close must not be taken for the next request."""
    session = requests.Session()
    session.trust_env = False  # no proxy, no .netrc: the peer that is checked is the publisher
    session.mount("http://", Adapter(allowed, watch.add))
    session.mount("https://", Adapter(allowed, watch.add))
    return session


def _follow(url: str, headers: dict[str, str], allowed: Collection[str], watch: _Watch) -> Answer:
    """The answer at the end of at most MAX_REDIRECTS redirects, each address checked before it is asked."""
    moved_to, is_permanent = "", True
    try:
        for _ in range(MAX_REDIRECTS + 1):
            check_url(url, allowed)
            with (
                _session(allowed, watch) as session,
                session.get(
                    url, headers=headers, stream=True, allow_redirects=False, timeout=(CONNECT, READ)
                ) as response,
            ):
                target = response.headers.get("Location", "")
                if response.status_code not in _REDIRECTS or not target:
                    return replace(_read(response, url, watch), moved_to=moved_to)
                is_permanent = is_permanent and response.status_code in _PERMANENT
            url = _redirected(url, target)
            moved_to = urldefrag(url).url if is_permanent else moved_to
    finally:
        watch.close()
    raise FetchError(f"More than {MAX_REDIRECTS} redirects.", permanent=True)


def _redirected(url: str, target: str) -> str:
    onward = urljoin(url, target)
    if urlsplit(url).scheme == "https" and urlsplit(onward).scheme == "http":
        raise FetchError(f"It redirects from https to {onward[:200]}, which is not encrypted.", permanent=True)
    return onward


def _read(response: requests.Response, url: str, watch: _Watch) -> Answer:
    status, headers = response.status_code, response.headers
    answer = Answer(status, None, url, headers.get("ETag", "")[:200], headers.get("Last-Modified", "")[:60])
    if status == 304:
        return answer
    if status != 200:
        raise FetchError(_said(status), status=status, permanent=status in {404, 410, 451}, wait=retry_after(headers))
    body = b"".join(_decoded(response, watch))
    length = headers.get("Content-Length", "")
    if length.isdigit() and not headers.get("Content-Encoding") and len(body) < int(length):
        raise FetchError(f"It broke off after {len(body):,} of {int(length):,} bytes.", status=status)
    return Answer(status, body, url, answer.etag, answer.last_modified)


def _said(status: int) -> str:
    words = {403: "refused (403)", 404: "not there (404)", 410: "gone (410)", 429: "asked too often (429)"}
    return f"The publisher answered: {words.get(status, f'status {status}')}."


def _decoded(response: requests.Response, watch: _Watch) -> Iterator[bytes]:
    """The body as it comes, gzip taken off once, stopped at the caps."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise FetchError(f"It is encoded as {encoding[:60]!r}; only gzip was asked for.", status=response.status_code)
    unzip = zlib.decompressobj(31) if "gzip" in encoding else None
    wire = decoded = 0
    for chunk in response.raw.stream(65_536, decode_content=False):
        wire += len(chunk)
        pieces = _unzipped(unzip, chunk) if unzip else iter([chunk])
        for piece in pieces:
            decoded += len(piece)
            if wire > MAX_WIRE or decoded > MAX_DECODED:
                most = MAX_WIRE if wire > MAX_WIRE else MAX_DECODED
                raise FetchError(f"It is larger than {most // 2**20} MB.", status=200)
            yield piece
        if watch.late():
            raise FetchError(watch.late(), status=response.status_code)
    if watch.late():
        raise FetchError(watch.late(), status=response.status_code)
    if unzip and not unzip.eof:
        raise FetchError("Its gzip encoding breaks off.", status=response.status_code)


def _unzipped(unzip: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """At most a megabyte at a time, so that a bomb is noticed before it is in memory."""
    try:
        while chunk and not unzip.eof:
            yield unzip.decompress(chunk, 2**20)
            chunk = unzip.unconsumed_tail
    except zlib.error as error:
        raise FetchError(f"Its gzip encoding is broken ({error}).", status=200) from error


def retry_after(headers: requests.structures.CaseInsensitiveDict[str]) -> timedelta | None:
    """How long we are asked to stay away, at most a day (RFC 9110, 10.2.3; Hugging Face: `RateLimit: …;t=55`)."""
    text = headers.get("Retry-After", "").strip()
    limit = re.search(r"\bt=(\d{1,6})\b", headers.get("RateLimit", ""))
    if text.isdigit():
        wait = timedelta(seconds=min(int(text[:9]), 86_400))
    elif text:
        wait = _until(text)
    elif limit:
        wait = timedelta(seconds=int(limit[1]))
    else:
        return None
    return max(timedelta(), min(wait, _LONGEST_WAIT))


def _until(text: str) -> timedelta:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return timedelta(minutes=10)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment - datetime.now(UTC)


def _refusal(error: BaseException) -> RefusedError | None:
    """The guard's error inside the errors of urllib3 and requests, at most eight deep."""
    inner: object = error
    for _ in range(8):
        if isinstance(inner, RefusedError):
            return inner
        if not isinstance(inner, BaseException):
            return None
        argument = next((one for one in inner.args if isinstance(one, BaseException)), None)
        inner = argument or getattr(inner, "reason", None) or inner.__cause__ or inner.__context__
    return None


def _plainly(error: BaseException, url: str) -> str:
    host = urlsplit(url).hostname or url
    text = str(error)
    if "NameResolution" in text or "getaddrinfo" in text or "resolve" in text:
        return f"{host} is not known (no DNS answer)."
    if isinstance(error, requests.exceptions.SSLError):
        return f"{host}: the encrypted connection failed ({text[-120:]})."
    if isinstance(error, requests.Timeout):
        return f"{host} did not answer in time."
    if "refused" in text:
        return f"{host} refused the connection."
    return f"{host} could not be read ({type(error).__name__})."
