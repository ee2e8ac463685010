"""Headers on every answer, and bodies kept small."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config import headers
from config.logs import Discreet, discreet
from tests import make

pytestmark = pytest.mark.django_db
EVERYWHERE = {
    "Content-Security-Policy",
    "Permissions-Policy",
    "Cross-Origin-Resource-Policy",
    "Cross-Origin-Opener-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cache-Control",
}
PATHS = [
    "/",
    "/topics/",
    "/search/?q=%22",
    "/feed.atom",
    "/feed.json",
    "/robots.txt",
    "/sitemap.xml",
    "/no/such/page",
    "/day/2026-02-30/",
    "/static/offprint.css",
    "/static/none.css",
    "/subscribe/",
    "/preferences/",
    "/u/broken/",
    "/admin/login/",
]


@pytest.mark.parametrize("path", PATHS)
def test_s34_every_answer_has_every_security_header(client: Client, path: str) -> None:
    assert client.get(path).headers.keys() >= EVERYWHERE


def test_s34_errors_have_them_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        raise RuntimeError

    monkeypatch.setattr("digest.site.pages.load.newest", broken)
    answers = [
        Client(raise_request_exception=False).get("/"),
        Client().get("/", headers={"host": "evil.example"}),
        Client(enforce_csrf_checks=True).post("/subscribe/"),
        Client().post("/"),
        Client().post("/subscribe/", "x" * 70_000, content_type="text/plain"),
    ]

    assert [answer.status_code for answer in answers] == [500, 400, 403, 405, 413]
    for answer in answers:
        assert answer.headers.keys() >= EVERYWHERE


def test_s34_a_public_site_asks_for_tls_for_a_year(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000

    assert "max-age=31536000" in Client().get("/", secure=True)["Strict-Transport-Security"]


def test_the_policy_allows_nothing_inline() -> None:
    assert "unsafe" not in headers.CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in headers.CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("path", ["/", "/topics/", "/search/?q=x", "/feed.atom", "/day/2026-06-03/"])
def test_s36_public_pages_may_be_kept_and_set_no_cookie(client: Client, path: str) -> None:
    make.edition(papers=[make.paper()])
    answer = client.get(path)

    assert "public" in answer["Cache-Control"]
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")


@pytest.mark.parametrize("path", ["/subscribe/", "/preferences/", "/u/broken/", "/p/broken/", "/admin/login/", "/none"])
def test_s36_private_pages_and_errors_are_kept_by_nobody(client: Client, path: str) -> None:
    cached = client.get(path)["Cache-Control"]

    assert "no-store" in cached
    assert "public" not in cached


def test_s36_a_page_that_sets_a_cookie_is_never_public() -> None:
    def page(_request: HttpRequest) -> HttpResponse:
        response = HttpResponse(headers={"Cache-Control": "public, max-age=60"})
        response.set_cookie("who", "ada")
        return response

    assert headers.SecurityHeaders(page)(RequestFactory().get("/"))["Cache-Control"] == "no-store"


def test_s36_an_unchanged_page_is_not_sent_again(client: Client) -> None:
    make.edition(papers=[make.paper()])
    tag = client.get("/")["ETag"]

    assert client.get("/", headers={"if-none-match": tag}).status_code == 304
    make.edition(make.TODAY + timedelta(days=1), papers=[make.paper()])
    assert client.get("/", headers={"if-none-match": tag}).status_code == 200


@pytest.mark.parametrize("path", ["/?area=%00", "/search/?q=a%00b", "/topic/a%00/", "/u/%00/"])
def test_s20_an_address_with_a_nul_is_refused(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 400
    assert answer.headers.keys() >= EVERYWHERE


@pytest.mark.parametrize("path", ["/subscribe/", "/account/", "/desk/sign-in/", "/desk/second/"])
@pytest.mark.parametrize("meta", [{"CONTENT_LENGTH": "70000"}, {"CONTENT_LENGTH": "-1"}, {"CONTENT_LENGTH": "²"}])
def test_s22_a_body_that_is_too_long_is_refused_unread(path: str, meta: dict[str, str]) -> None:
    request = RequestFactory().post(path, "", content_type="application/x-www-form-urlencoded")
    request.META.update(meta)

    assert headers.BodyLimit(lambda _: HttpResponse())(request).status_code == 413


def test_s22_a_body_of_unknown_length_is_refused_unread() -> None:
    request = RequestFactory().post("/subscribe/", headers={"transfer-encoding": "chunked"})

    assert headers.BodyLimit(lambda _: HttpResponse())(request).status_code == 413


@pytest.mark.parametrize("path", ["/hooks/postmark/", "/desk/readers/import/", "/admin/digest/paper/1/change/"])
def test_s22_staff_and_mail_providers_may_send_more_but_not_without_end(path: str) -> None:
    request = RequestFactory().post(path, "x" * 70_000, content_type="text/plain")
    assert headers.BodyLimit(lambda _: HttpResponse())(request).status_code == 200

    request.META["CONTENT_LENGTH"] = "2097153"
    assert headers.BodyLimit(lambda _: HttpResponse())(request).status_code == 413


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Not Found: /u/AbCdEf1234567890:x_y-z/", "Not Found: /u/…/"),
        ("GET /p/AbCdEf1234567890?x=1 from /c/QQQQQQQQQQQQQQQQ", "GET /p/…?x=1 from /c/…"),
        ("mail to <ada@example.org> failed", "mail to <…@…> failed"),
        ("the edition of 2026-06-03 is out", "the edition of 2026-06-03 is out"),
    ],
)
def test_s7_tokens_and_addresses_are_masked_in_logs(line: str, shown: str) -> None:
    assert discreet(line) == shown


def test_s7_arguments_and_tracebacks_are_masked_too() -> None:
    try:
        raise ValueError("ada@example.org")
    except ValueError:
        import sys

        record = logging.LogRecord("x", logging.ERROR, "", 0, "for %s", ("ben@example.org",), sys.exc_info())
    text = Discreet().format(record)

    assert "ada@" not in text
    assert "ben@" not in text


@pytest.mark.parametrize("path", ["/u/x.y/", "/b/x.y/"])
def test_leaving_takes_a_body_of_any_length_and_reads_none_that_is_long(path):
    seen = []
    limit = headers.BodyLimit(lambda request: seen.append(request.META[headers.UNREAD]) or HttpResponse())
    for length in ({"transfer-encoding": "chunked"}, {"content-length": str(10**12)}, {"content-length": "-5"}):
        assert limit(RequestFactory().post(path, headers=length)).status_code == 200
    assert seen == ["yes"] * 3
