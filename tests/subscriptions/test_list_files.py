"""A reading list brought as a file: at signup, in the preview, and on the reader's own page."""

from __future__ import annotations

import html
import re
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from config.headers import MOST_LIST_BODY
from subscriptions import uploads
from subscriptions.limits import limiter
from subscriptions.links import urls
from subscriptions.models import LikedPaper, SignupRequest, Subscriber
from subscriptions.signup import requests
from subscriptions.wants import liked_papers
from tests import make
from tests.subscriptions.pages import entered, signup, text, visitor

pytestmark = pytest.mark.django_db
BIBTEX = """@article{one, title={Speech in noisy rooms}, eprint={2504.02302}}
@article{two, year=2020}
@article{three, title={Listening to galaxies}, abstract={Ears and stars.}}
"""
RIS = "TY  - JOUR\nTI  - Speech in noisy rooms\nDO  - 10.1234/abc\nER  - \n"
CSL = (
    '[{"title": "Speech in noisy rooms", "DOI": "10.1234/abc", "author": [{"given": "Ada", "family": "Example"}]}, {}]'
)


def file(content: str | bytes = BIBTEX, name: str = "library.bib") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def carried(page: str) -> str:
    """What the form shown again sends along."""
    found = re.search(r'name="papers_kept" value="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def liked() -> set[str]:
    return set(Subscriber.objects.get().liked_papers.values_list("identifier", flat=True))


def test_a_signup_brings_a_file_and_bad_entries_are_named() -> None:
    response = visitor().post("/subscribe/", signup(papers_file=file()))
    assert response.status_code == 200
    assert "Line 2, two: It has neither a title nor an arXiv id nor a DOI." in text(response)
    requests.process(timezone.now())
    assert liked() == {"arxiv:2504.02302", "title:listening to galaxies"}
    assert not SignupRequest.objects.exists()


@pytest.mark.parametrize(("name", "content"), [("x.ris", RIS), ("x.json", CSL), ("ids.txt", "10.1234/abc\n")])
def test_every_usual_kind_of_file_is_read(name: str, content: str) -> None:
    visitor().post("/subscribe/", signup(papers_file=file(content, name)))
    requests.process(timezone.now())
    assert liked() == {"doi:10.1234/abc"}


def test_typed_papers_and_a_file_go_together() -> None:
    visitor().post("/subscribe/", signup(papers="1706.03762", papers_file=file()))
    requests.process(timezone.now())
    assert liked() == {"arxiv:1706.03762", "arxiv:2504.02302", "title:listening to galaxies"}


def test_a_form_shown_again_keeps_the_file() -> None:
    client = visitor()
    page = text(client.post("/subscribe/", signup(email="nonsense", papers_file=file())))
    assert "library.bib" in page
    assert "Line 2, two" in page
    client.post("/subscribe/", signup(papers_kept=carried(page)))
    requests.process(timezone.now())
    assert liked() == {"arxiv:2504.02302", "title:listening to galaxies"}


def test_a_file_kept_can_be_left_out_or_replaced() -> None:
    client = visitor()
    kept = carried(text(client.post("/subscribe/", signup(act="preview", papers_file=file()))))
    page = text(client.post("/subscribe/", signup(act="preview", papers_kept=kept, papers_drop="on")))
    assert "papers_kept" not in page
    page = text(client.post("/subscribe/", signup(act="preview", papers_kept=kept, papers_file=file(RIS, "new.ris"))))
    assert "new.ris" in page
    assert "library.bib" not in page


@pytest.mark.parametrize("address", ["/subscribe/", "/subscribe/preview/"])
def test_the_preview_follows_the_file(address: str) -> None:
    paper = make.paper("Listening to galaxies with ears")
    make.edition(papers=[make.paper("Protein folding"), paper])
    page = text(visitor().post(address, signup(act="preview", papers_file=file())))
    assert paper.title in page
    assert "like the 2 papers you named" in page


def test_the_preview_knows_the_titles_of_stored_papers() -> None:
    stored = make.paper("Listening to galaxies")
    make.edition(papers=[make.paper("Protein folding"), stored])
    page = text(visitor().post("/subscribe/preview/", {"papers_file": file(stored.url, "ids.txt")}))
    assert stored.title in page


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x00\x01\x02%PDF", "This is not a text"),
        ("@article{two, year=2020}", "No paper was found in library.bib. Line 1, two: It has neither"),
        ("[{", "This begins as JSON does"),
        (b" \n", "There is nothing in it"),
        (b"", "This file is empty"),
        (b"x" * (uploads.MOST_BYTES + 1), "A file may have 5 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_beside_its_field(content: str | bytes, sentence: str) -> None:
    response = visitor().post("/subscribe/", signup(papers_file=file(content), queries="speech"))
    assert response.status_code == 422
    assert sentence in html.unescape(text(response))
    assert ">speech</textarea>" in text(response)
    assert not SignupRequest.objects.exists()


@pytest.mark.parametrize("kept", ["nonsense", "AAAA", "x" * 3_100_000, "é"])
def test_a_carried_file_that_was_tampered_with_is_no_file(kept: str) -> None:
    response = visitor().post("/subscribe/", signup(papers_kept=kept))
    assert response.status_code == 200
    requests.process(timezone.now())
    assert liked() == set()


def test_a_reader_brings_a_file_to_their_page() -> None:
    reader = make.subscriber("ada@example.org")
    client, page = entered(urls.preferences_url(reader))
    response = client.post(page, {"act": "taste", "description": "I study speech.", "papers_file": file()})
    assert "2 new, 0 known already" in text(response)
    assert "Line 2, two" in text(response)
    assert liked() == {"arxiv:2504.02302", "title:listening to galaxies"}


def test_a_bad_file_changes_nothing_and_the_rest_is_still_there() -> None:
    reader = make.subscriber("ada@example.org")
    client, page = entered(urls.preferences_url(reader))
    sent = {
        "act": "taste",
        "description": "I study speech.",
        "papers": "2504.02302",
        "papers_file": file("x y", "x.txt"),
    }
    response = client.post(page, sent)
    assert response.status_code == 422
    assert "No paper was found in x.txt. Line 1, x" in text(response)
    assert "I study speech." in text(response)
    assert not reader.descriptions.exists()
    assert liked() == set()


def test_s38_files_from_one_network_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limiter.RULES, "list", (limiter.Rule(2, limiter.HOUR),))
    client = visitor()
    answers = [client.post("/subscribe/", signup(email=f"a{n}@example.org", papers_file=file())) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Many files came in" in text(answers[2])
    assert carried(text(answers[2]))
    assert client.post("/subscribe/", signup(email="a9@example.org")).status_code == 200


# -- attacks on the reading of files --------------------------------------------------------------------

MEGA = uploads.MOST_BYTES - 100
DOUBLING = "@string{a={xx}}\n" + "".join(
    f"@string{{{'b' * n}a={'b' * (n - 1)}a # {'b' * (n - 1)}a}}\n" for n in range(1, 60)
)
HOSTILE = {
    "fields": "@a{k," + "a={}," * (MEGA // 5),
    "joined": "@a{k,a=" + "{}#" * (MEGA // 3),
    "braces": "@a{k,a=" + "{" * MEGA,
    "doubling": DOUBLING,
    "one long record": "TY  - A\nTI  - a\n" + "b\n" * (MEGA // 2),
    "records": "TY  - \n" * (MEGA // 7),
    "nested": '[{"a":' + "[" * MEGA,
    "numbers": '[{"a":' + "1" * MEGA,
    "words": "x " * (MEGA // 2),
    "one word": "a-" * (MEGA // 2),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", HOSTILE)
def test_s14_no_hostile_file_takes_long_or_much(name: str) -> None:
    before = time.process_time()
    response = visitor().post("/subscribe/preview/", {"papers_file": file(HOSTILE[name])})
    assert response.status_code == 200
    assert 'class="error"' in text(response)
    assert time.process_time() - before < 3


@pytest.mark.thorough
def test_s14_a_carried_file_that_unpacks_to_very_much_is_cut() -> None:
    import base64
    import zlib

    bomb = base64.b64encode(zlib.compress(b"a" * 100_000_000, 9)).decode()
    before = time.process_time()
    assert visitor().post("/subscribe/", signup(papers_kept=bomb)).status_code == 422
    assert time.process_time() - before < 3


def library(papers: int, abstract: int) -> str:
    """A BibTeX file as a reference manager writes it."""
    entry = (
        "@article{{k{0},\n  title = {{Paper {0} on wells}},\n  doi = {{10.1234/w.{0}}},\n  abstract = {{{1}}}\n}}\n\n"
    )
    told = "We dig {0} wells, and say of each how deep it is and what the water of it tastes of. " * 60
    return "".join(entry.format(number, told.format(number)[:abstract]) for number in range(papers))


def test_a_library_of_some_megabytes_is_taken_whole_and_carried_on() -> None:
    bib = library(3_000, 1_100)
    assert len(bib) > 3_400_000
    page = text(visitor().post("/subscribe/", signup(email="nonsense", papers_file=file(bib))))
    assert '<span class="num">3000</span> papers' in page
    assert "could not be read" not in page
    assert visitor().post("/subscribe/", signup(papers_kept=carried(page))).status_code == 200
    requests.process(timezone.now())
    assert LikedPaper.objects.count() == 3_000


@pytest.mark.parametrize("page", ["/subscribe/", "/preferences/"])
def test_a_file_past_the_limit_costs_nothing_that_was_typed(page: str) -> None:
    reader = make.subscriber()
    client = entered(urls.preferences_url(reader))[0] if page == "/preferences/" else visitor()
    fields = signup(papers_file=file(b"@article{k, title={A}}\n" * 500_000), queries="speech\n(x", description="I dig.")
    response = client.post(page, fields | {"act": "taste"})
    shown = html.unescape(text(response))
    assert response.status_code == 422
    assert "A file may have 5 MB" in shown
    assert ">I dig.</textarea>" in shown


def test_a_list_typed_too_long_is_told_to_come_as_a_file() -> None:
    typed = library(100, 900)
    response = visitor().post("/subscribe/", signup(papers=typed, queries="speech"))
    assert "Save it as a file" in text(response)
    assert typed.strip() in html.unescape(text(response)).replace("\r\n", "\n")


def test_more_papers_than_anybody_may_hold_are_told_at_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liked_papers, "MOST_LIKED", 5)
    ids = "\n".join(f"2611.0000{number}" for number in range(4))
    response = visitor().post("/subscribe/", signup(papers=ids, papers_file=file(library(4, 50))))
    assert "more than 5 papers" in text(response)
    assert not SignupRequest.objects.exists()


def test_s22_a_body_over_the_larger_limit_is_refused_unread() -> None:
    kind = "multipart/form-data; boundary=x"
    response = visitor().generic("POST", "/subscribe/", b"x" * (MOST_LIST_BODY + 1), content_type=kind)
    assert response.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x" * 70_000,
        b'--x\r\nContent-Disposition: form-data; name="papers_file"; filename="a"\r\n\r\nabc',
        b"--x--",
    ],
)
def test_s22_a_broken_body_breaks_nothing(body: bytes) -> None:
    response = visitor().generic("POST", "/subscribe/", body, content_type="multipart/form-data; boundary=x")
    assert response.status_code in {400, 422}


def test_s22_very_many_files_or_fields_are_refused() -> None:
    many: dict[str, Any] = {f"file{n}": file() for n in range(20)}
    assert visitor().post("/subscribe/", signup(**many)).status_code == 400
