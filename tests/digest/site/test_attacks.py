"""The attacks of the public site, by the numbers of the project's list of attacks."""

from __future__ import annotations

import itertools
import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_
from hypothesis import strategies as st

from digest import search
from digest.letters.letters import letters
from tests import make
from tests.digest.letters.posts import delivery

pytestmark = pytest.mark.django_db
PAGES = [
    "/",
    "/feed.atom",
    "/feed.json",
    "/day/2026-06-03/",
    "/day/2026-06-03/feed.atom",
    "/week/2026-W23/",
    "/month/2026-06/",
    "/topics/",
    "/topic/speech/",
    "/topic/speech/feed.json",
    "/search/?q=speech",
    "/search/?q=speech+noise+never+seen",
    "/search/feed.atom?q=speech",
    "/robots.txt",
    "/sitemap.xml",
    "/none",
]
WRITING = re.compile(r"^\s*(INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|TRUNCATE)", re.IGNORECASE)
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "</textarea><script>",
    "</pre></code><iframe src=//evil.example>",
    "]]><script>alert(1)</script>",
    "<!--<img src='--><img src=x onerror=alert(1)//'>",
    "{{ 7*7 }}{% raw %}${7*7}<%= 7*7 %>",
    "javascript:alert(1)",
    "\u202egnp.exe\u2066",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\x00\x0b\x1b[31m",
    "<style>@import'//evil.example'</style>",
    '<a href="javascript:alert(1)">x</a>',
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
]
TAGS = {
    "html", "head", "meta", "title", "link", "body", "a", "header", "nav", "ul", "ol", "li", "main", "aside", "p",
    "strong", "h1", "h2", "h3", "article", "div", "span", "details", "summary", "footer", "time", "form", "label",
    "input", "button", "code", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "pre", "section"
}  # fmt: skip


def addresses() -> list[str]:
    from digest.models import Paper

    papers = Paper.objects.values_list("pk", flat=True)
    return PAGES + [f"/paper/{pk}/{rest}" for pk in papers for rest in ("", "cite.bib", "cite.ris")]


@pytest.fixture
def _archive() -> None:
    make.topic("speech")
    make.edition(papers=[make.paper("Speech"), make.paper("Noise")])
    search.refresh()


@pytest.mark.thorough
@pytest.mark.usefixtures("_archive")
@pytest.mark.parametrize("method", ["get", "head"])
def test_s2_reading_changes_nothing(client: Client, method: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        for path in addresses():
            getattr(client, method)(path)

    assert [query["sql"] for query in asked if WRITING.match(query["sql"])] == []


@pytest.mark.thorough
@pytest.mark.usefixtures("_archive")
def test_s8_no_host_a_visitor_names_gets_into_a_page(client: Client) -> None:
    hosts = [
        "evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "localhost@evil.example",
        "[::1].evil.example",
    ]
    names = ["host", "x-forwarded-host", "x-host", "x-forwarded-server", "forwarded", "x-original-url", "x-rewrite-url"]
    variants = [{name: host} for name, host in itertools.product(names, hosts)]
    variants += [{"host": "localhost", name: host} for name, host in itertools.product(names[1:], hosts)]
    for headers in variants:
        for path in ("/", "/feed.atom", "/feed.json"):
            answer = client.get(path, headers=headers)
            assert b"evil.example" not in answer.content
            assert "evil.example" not in str(answer.headers)


def test_s8_links_are_never_built_from_a_request() -> None:
    rooms = [Path(settings.BASE_DIR) / name for name in ("config", "digest", "subscriptions")]
    files = [path for room in rooms for path in room.rglob("*.py")]

    assert files
    assert [str(path) for path in files if "build_absolute_uri" in path.read_text()] == []


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.odd: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.odd += [f"{tag} {name}" for name, _ in attrs if name.startswith("on") or name == "style"]
        links = [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        self.odd += [link for link in links if not link.startswith(("/", "https://", "http://", "?", "#"))]
        self.odd += [link for link in links if link.startswith("//")]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_s11_no_text_of_a_feed_becomes_markup(client: Client, payload: str) -> None:
    stored = payload.replace("\x00", "")  # PostgreSQL stores none, and the feeds' reading drops it
    one = make.paper(
        stored,
        abstract=stored * 20,
        authors=[stored],
        categories=[stored],
        primary_category=stored[:120],
        comment=stored,
        journal_ref=stored,
        doi=stored[:200],
        url=stored,
        pdf_url=stored,
        code_url=stored,
        project_url=stored,
    )
    source = make.source("evil", name=stored)
    make.announcement(one, source, announced_by=stored)
    edition = make.edition(papers=[one], note=stored, curator=stored[:120])
    edition.entries.update(note=stored, is_pinned=True)
    make.topic("evil", name=stored[:80], group=stored[:60], description=stored)
    search.refresh()
    for path in ["/", "/week/2026-W23/", "/topics/", "/topic/evil/", f"/paper/{one.pk}/", "/search/?q=speech"]:
        text = client.get(path).content.decode()
        page = Tags()
        page.feed(text)
        assert page.tags <= TAGS, path
        assert not page.odd, path
    assert json.loads(client.get("/feed.json").content)["items"][0]["url"].endswith(f"/paper/{one.pk}/")


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("path", ["/search/?q={}", "/?area={}", "/search/?q=x&by={}", "/?page={}", "/{}", "/topic/{}/"])
def test_s11_nothing_typed_becomes_markup(client: Client, path: str, payload: str) -> None:
    make.edition(papers=[make.paper()])
    page = Tags()
    answer = client.get(path.format(quote(payload, safe="")))
    page.feed(answer.content.decode())

    assert answer.status_code < 500
    assert page.tags <= TAGS
    assert not page.odd


def test_s11_templates_never_switch_the_escaping_off() -> None:
    files = [path for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html") if "email" not in path.parts]

    assert files
    for path in files:
        text = path.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", text), path
        assert not re.search(r"\sstyle=|\son[a-z]+=|<script>|<style", text), path


def patterns(resolver: URLResolver | None = None, base: str = "") -> list[tuple[str, URLPattern]]:
    found: list[tuple[str, URLPattern]] = []
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            found += patterns(one, base + str(one.pattern))
        else:
            found.append((base + str(one.pattern), one))
    return found


EXAMPLES = {"int": "1", "day": "2026-06-03", "week": "2026-W23", "month": "2026-06", "form": "json", "citation": "bib"}


@pytest.mark.thorough
def test_s34_every_address_there_is_answers_with_every_security_header(client: Client) -> None:
    """Whatever the answer is: a page, a redirect, a refusal, or a login asked for."""
    filled = {
        re.sub(r"<(?:(\w+):)?\w+>", lambda found: EXAMPLES.get(found[1] or "str", "x.y"), path)
        for path, _ in patterns()
        if "(?P" not in path
    }
    assert len(filled) > 100
    for path in sorted(filled):
        for method in ("get", "head", "post", "options"):
            answer = getattr(client, method)(f"/{path}")
            assert not HEADERS - set(answer.headers), (method, path)
            assert "unsafe-eval" not in answer["Content-Security-Policy"], path
            assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], path


HEADERS = {"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"}
HEADERS |= {"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy"}


def test_s18_only_one_click_links_and_signed_reports_do_without_the_forms_proof() -> None:
    exempt = {path for path, one in patterns() if getattr(one.callback, "csrf_exempt", False)}

    assert {path for path in exempt if not path.startswith("hooks/")} == {
        "u/<str:token>/",
        "b/<str:token>/",
        "k/<str:token>/<int:paper>/why/",
        "k/<str:token>/<int:paper>/<str:act>/",
        "s/<str:token>/",
    }


@pytest.mark.usefixtures("_archive")
@pytest.mark.parametrize("name", ["next", "url", "to", "return", "redirect", "goto", "continue", "r", "u", "dest"])
def test_s19_no_parameter_leads_elsewhere(client: Client, name: str) -> None:
    for target in (
        "//evil.example",
        "https://evil.example",
        "\\\\evil.example",
        "/\\evil.example",
        "%2f%2fevil.example",
    ):
        for path in ["/", "/topics/", "/search/", "/subscribe/", "/preferences/", "/admin/login/", "/desk/"]:
            answer = client.get(path, {name: target})
            assert "evil.example" not in answer.get("Location", "").split("?")[0]


@pytest.mark.parametrize(
    "start", ["//", "///", "/\\", "/%5C", "/%2F", "/%09/", "/.//", "/desk//", "/p//", "/static//", "/https:"]
)
@pytest.mark.parametrize("end", ["", "/", "/..", "/%2e%2e/", "/topics", "?q=x"])
def test_s19_no_path_leads_elsewhere(client: Client, start: str, end: str) -> None:
    answer = client.get(f"http://localhost{start}evil.example{end}")

    place = urlsplit(answer.get("Location", "/"))
    assert (place.scheme, place.netloc) == ("", "")
    assert not place.path.startswith(("//", "/\\"))


def test_s19_signing_in_leads_to_the_desk_whatever_a_link_says(client: Client) -> None:
    from django.contrib.auth.models import User

    User.objects.create_superuser("ada", password="a long password")
    sent = {"username": "ada", "password": "a long password", "next": "//evil.example"}
    places = {client.post(f"{path}?next=//evil.example", sent).get("Location", "") for path in SIGN_IN}

    assert any(places)
    assert not [place for place in places if "evil" in place]


SIGN_IN = ("/desk/sign-in/", "/admin/login/")


@pytest.mark.thorough
def test_s19_a_letters_links_lead_to_the_papers_themselves_and_nothing_counts_clicks() -> None:
    """Whatever is not a page of ours is the publisher's own address, and none of our pages leads away."""
    papers = [make.paper(f"Speech {n}", url=f"https://publisher.example/{n}", pdf_url="") for n in range(3)]
    row = delivery(papers)
    (letter,) = letters([row], make.NOW)
    leads = set(re.findall(r'href="([^"]+)"', letter.html))
    ours = {link for link in leads if link.startswith(settings.PUBLIC_BASE_URL)}

    assert {link for link in leads - ours if not link.startswith("#")} == {paper.url for paper in papers}
    for link in sorted(ours):
        answer = Client(HTTP_HOST="localhost").get(urlsplit(link).path or "/")
        assert answer.get("Location", "/").startswith("/")
        assert "publisher.example" not in answer.get("Location", "")


@pytest.mark.thorough
@pytest.mark.usefixtures("_archive")
def test_s20_no_query_breaks_out_of_its_place(client: Client) -> None:
    dice = random.Random(3)
    signs = [*"'\"\\;*()%_:&|!{}^a=- ", "--", "/*", "<->", "NEAR"]
    for _ in range(300):
        answer = client.get("/search/", {"q": "".join(dice.choices(signs, k=dice.randint(1, 12)))})
        assert answer.status_code == 200


@pytest.mark.usefixtures("_archive")
def test_s21_the_longest_query_is_answered_in_a_handful_of_questions(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for q in (" OR ".join(f"a{n}*" for n in range(10, 70)), " ".join(["bb"] * 160), "(" * 7 + "a" + ")" * 7):
        with django_assert_max_num_queries(17):
            assert client.get("/search/", {"q": q}).status_code == 200


signs = st.text(st.characters(codec="utf-8"), max_size=30)


@pytest.mark.thorough
@settings_(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["/", "/search/", "/search/feed.atom", "/search/feed.json", "/day/2026-06-03/", "/week/2026-W23/"]),
    st.dictionaries(st.sampled_from(["q", "by", "page", "area", "topic", "x"]), signs, max_size=3),
)
def test_s20_no_parameters_break_a_page(client: Client, path: str, query: dict[str, str]) -> None:
    make.source()  # the database is open
    answer = client.get(path, query)

    assert answer.status_code < 500
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.thorough
@settings_(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        ["/{}", "/day/{}/", "/week/{}/", "/month/{}/", "/paper/{}/", "/topic/{}/", "/feed.{}", "/static/{}"]
    ),
    signs | st.from_regex(r"[0-9]{4}-W?[0-9]{2}(-[0-9]{2})?", fullmatch=True),
)
def test_s20_no_address_breaks_the_site(client: Client, path: str, part: str) -> None:
    answer = client.get(path.format(quote(part)))

    assert answer.status_code < 500
    assert "Content-Security-Policy" in answer.headers
