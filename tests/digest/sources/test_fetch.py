"""One polite GET, against publishers that are slow, huge, broken, moved or hostile."""

from __future__ import annotations

import contextlib
import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from digest.sources import fetch, ssrf_guard
from digest.sources.fetch import Answer, FetchError
from tests.digest.sources.conftest import Publisher

Request = BaseHTTPRequestHandler


def get(publisher: Publisher, path: str = "/feed", **options: Any) -> Answer:
    return fetch.get(publisher.url(path), "Offprint/test", allowed=[f"127.0.0.1:{publisher.port}"], **options)


def refused(publisher: Publisher, path: str = "/feed", **options: Any) -> FetchError:
    with pytest.raises(FetchError) as error:
        get(publisher, path, **options)
    return error.value


def test_it_says_who_asks_and_takes_gzip_only(publisher: Publisher) -> None:
    publisher.says(b"hello", ETag='"abc"', Last_Modified="Wed, 03 Jun 2026 00:00:00 GMT")
    answer = get(publisher)
    assert (answer.body, answer.etag, answer.last_modified) == (b"hello", '"abc"', "Wed, 03 Jun 2026 00:00:00 GMT")
    asked = publisher.asked[0][1]
    assert asked["user-agent"] == "Offprint/test"
    assert asked["accept-encoding"] == "gzip"


def test_it_asks_conditionally_and_takes_304(publisher: Publisher) -> None:
    publisher.says(b"", status=304)
    answer = get(publisher, etag='"abc"', last_modified="Wed, 03 Jun 2026 00:00:00 GMT")
    assert (answer.status, answer.body) == (304, None)
    assert publisher.asked[0][1]["if-none-match"] == '"abc"'
    assert publisher.asked[0][1]["if-modified-since"] == "Wed, 03 Jun 2026 00:00:00 GMT"


def test_it_takes_one_layer_of_gzip_off(publisher: Publisher) -> None:
    publisher.says(gzip.compress(b"<rss/>" * 1000), Content_Encoding="gzip")
    assert get(publisher).body == b"<rss/>" * 1000


@pytest.mark.parametrize("status", [400, 403, 404, 410, 418, 500, 502, 503])
def test_f51_an_error_status_is_a_failure_that_names_it(publisher: Publisher, status: int) -> None:
    publisher.says(b"no", status=status)
    error = refused(publisher)
    assert error.status == status
    assert error.permanent == (status in {404, 410})
    assert str(status) in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "120"}, 120),
        ({"Retry_After": "in ten minutes"}, 600),
        ({"Retry_After": "999999999"}, 86_400),
        ({"Retry_After": "-5"}, 600),
        ({"Retry_After": "soon"}, 600),
        ({"RateLimit": '"api";r=0;t=55'}, 55),
    ],
)
def test_f51_too_many_requests_says_how_long_to_stay_away(
    publisher: Publisher, headers: dict[str, str], seconds: int
) -> None:
    if headers.get("Retry_After") == "in ten minutes":
        headers = {"Retry_After": formatdate(time.time() + 600, usegmt=True)}
    publisher.says(b"slow down", status=429, **headers)
    wait = refused(publisher).wait
    assert wait is not None
    assert abs(wait - timedelta(seconds=seconds)) < timedelta(seconds=20)


def test_f51_a_host_that_is_not_known_is_a_failure() -> None:
    with pytest.raises(FetchError, match="not known"):
        fetch.get("http://no-such-host.invalid/feed", "test")


def test_f51_a_closed_port_is_a_failure(publisher: Publisher) -> None:
    with pytest.raises(FetchError, match=r"refused|cannot|could not"):
        fetch.get("http://127.0.0.1:18199/feed", "test", allowed=["127.0.0.1:18199"])


def test_f51_a_port_that_does_not_speak_tls_is_a_failure(publisher: Publisher) -> None:
    with pytest.raises(FetchError, match="encrypted connection"):
        fetch.get(f"https://127.0.0.1:{publisher.port}/feed", "test", allowed=[f"127.0.0.1:{publisher.port}"])


def trickle(start: bytes, more: bytes, pause: float = 0.02) -> Callable[[Request], None]:
    def answer(request: Request) -> None:
        request.wfile.write(start)
        while True:
            request.wfile.write(more)
            request.wfile.flush()
            time.sleep(pause)

    return answer


OK = b"HTTP/1.1 200 OK\r\n"
SLOW = {
    "a byte at a time": trickle(OK + b"\r\n", b"x"),
    "endless chunks": trickle(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "headers without end": trickle(OK, b"X-More: yes\r\n", 0.3),
    "a status line without end": trickle(b"HTTP/1.1 200 ", b"O"),
    "silence": trickle(b"", b"", 0.1),
    "a chunk that never comes": trickle(OK + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n", b""),
    "less than promised, slowly": trickle(OK + b"Content-Length: 100000\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("name", SLOW)
def test_f52_a_slow_publisher_is_left_at_the_deadline(publisher: Publisher, name: str) -> None:
    publisher.answers["/feed"] = SLOW[name]
    started = time.monotonic()
    error = refused(publisher, deadline=0.5)
    assert "within" in str(error)
    assert time.monotonic() - started < fetch.READ / 2  # silence alone would end there; the others never


def test_f52_a_connection_made_when_the_time_is_up_is_cut_at_once(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.answers["/feed"] = SLOW["a chunk that never comes"]
    resolve = ssrf_guard.resolve
    monkeypatch.setattr(ssrf_guard, "resolve", lambda *asked: time.sleep(0.3) or resolve(*asked))  # a slow DNS answer
    started = time.monotonic()
    assert "within" in str(refused(publisher, deadline=0.1))
    assert time.monotonic() - started < fetch.READ / 2


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size // 2**20)) + packer.flush()


BOMB = bomb(200 * 2**20)


@pytest.mark.thorough
def test_f53_s14_a_gzip_bomb_is_stopped_at_50_mb_without_being_in_memory(publisher: Publisher) -> None:
    publisher.says(BOMB, Content_Encoding="gzip")
    tracemalloc.start()
    try:
        assert "larger than 50 MB" in str(refused(publisher))
        assert tracemalloc.get_traced_memory()[1] < 120 * 2**20
    finally:
        tracemalloc.stop()


def test_f53_s14_a_huge_body_is_stopped_at_20_mb(publisher: Publisher) -> None:
    def answer(request: Request) -> None:
        request.wfile.write(OK + b"\r\n")
        for _ in range(200):
            request.wfile.write(bytes(2**20))

    publisher.answers["/feed"] = answer
    assert "larger than 20 MB" in str(refused(publisher))


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "gzip,br", "compress", "x" * 500])
def test_f53_s14_only_one_layer_of_gzip_is_taken(publisher: Publisher, coding: str) -> None:
    publisher.says(gzip.compress(gzip.compress(b"x")), Content_Encoding=coding)
    assert "only gzip was asked for" in str(refused(publisher))


@pytest.mark.parametrize(
    "body",
    [b"no gzip at all", gzip.compress(b"x" * 10_000, mtime=0)[:40], b"\x1f\x8b\x08" + bytes(50)],
    ids=["plain", "cut", "zeros"],
)
def test_f53_broken_gzip_is_a_failure(publisher: Publisher, body: bytes) -> None:
    publisher.says(body, Content_Encoding="gzip")
    assert "gzip encoding" in str(refused(publisher))


@pytest.mark.parametrize(
    "raw",
    [
        OK + b"Content-Length: 1000\r\n\r\nshort",
        OK + b"Content-Length: -5\r\n\r\nx",
        OK + b"Content-Length: many\r\n\r\n" + b"Content-Length: 7\r\n",
        b"HTTP/9.9 banana\r\n\r\n",
        b"\x00\x01\x02" * 100,
        OK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nx\r\n0\r\n\r\n",
        OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
        OK + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: \x00http://[bad\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
    ],
)
def test_f54_lies_in_headers_end_in_an_answer_or_a_failure(publisher: Publisher, raw: bytes) -> None:
    publisher.answers["/feed"] = lambda request: request.wfile.write(raw)
    with contextlib.suppress(FetchError):
        assert get(publisher, deadline=3).status == 200


def redirect(to: str, status: int = 302) -> Callable[[Request], None]:
    def answer(request: Request) -> None:
        request.send_response(status)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(publisher: Publisher, status: int) -> None:
    publisher.answers["/feed"] = redirect("/moved", status)
    publisher.says(b"here", "/moved")
    assert get(publisher).url == publisher.url("/moved")


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:18198/", "http://169.254.169.254/latest/", "http://[::1]/", "http://[::ffff:10.0.0.1]/",
        "http://2130706433/", "http://[64:ff9b::a9fe:a9fe]/", "file:///etc/passwd", "http://user:pw@example.org/", "gopher://x/",
    ],
)  # fmt: skip
def test_f64_s15_a_redirect_to_a_private_address_is_refused(publisher: Publisher, target: str) -> None:
    publisher.answers["/feed"] = redirect(target)
    assert refused(publisher).permanent
    assert len(publisher.asked) == 1


def test_f64_s15_a_redirect_loop_ends_after_three(publisher: Publisher) -> None:
    publisher.answers["/feed"] = redirect("/feed")
    assert "More than 3 redirects" in str(refused(publisher))
    assert len(publisher.asked) == 4


def test_f64_s15_a_redirect_from_https_to_http_is_refused() -> None:
    with pytest.raises(FetchError, match="not encrypted"):
        fetch._redirected("https://example.org/feed", "http://example.org/feed")
    assert fetch._redirected("http://example.org/feed", "https://example.org/x") == "https://example.org/x"
