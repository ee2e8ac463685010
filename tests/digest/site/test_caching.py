"""Public pages are kept for seconds by the process that made them."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from tests import make
from tests.conftest import as_read

pytestmark = pytest.mark.django_db


@pytest.fixture
def _kept(settings: Any) -> Any:
    settings.CACHES = settings.CACHES | {
        "pages": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "tests"}
    }
    caches["pages"].clear()
    yield
    caches["pages"].clear()


@pytest.mark.usefixtures("_kept")
def test_a_page_asked_for_again_costs_no_question(client: Client, django_assert_num_queries: Any) -> None:
    make.edition(papers=[make.paper()])
    first = client.get("/")
    with django_assert_num_queries(0):
        again = client.get("/")

    assert again.content == first.content
    assert again.headers == first.headers


@pytest.mark.usefixtures("_kept")
def test_a_kept_page_still_answers_that_nothing_changed(client: Client) -> None:
    make.edition(papers=[make.paper()])
    tag = client.get("/")["ETag"]

    assert client.get("/", headers={"if-none-match": tag}).status_code == 304


@pytest.mark.usefixtures("_kept")
def test_other_parameters_are_another_page(client: Client) -> None:
    make.edition(papers=[make.paper("Words"), make.paper("Proteins", primary_category="q-bio.BM")])
    client.get("/")

    assert b">Words<" not in client.get("/?area=q-bio.BM").content


@pytest.mark.usefixtures("_kept")
def test_refusals_are_not_kept(client: Client) -> None:
    assert client.get("/day/2026-06-03/").status_code == 404
    make.edition(papers=[make.paper()])

    assert client.get("/day/2026-06-03/").status_code == 200


def test_a_page_is_sent_compressed_to_whoever_takes_it_so(client: Client) -> None:
    make.edition(papers=[make.paper() for _ in range(9)])
    plain = client.get("/")
    packed = client.get("/", headers={"accept-encoding": "br, gzip;q=0.8"})

    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 3
    assert as_read(gzip.decompress(packed.content)) == plain.content
    assert packed["ETag"] != plain["ETag"]
    assert "Accept-Encoding" in packed["Vary"]
    again = client.get("/", headers={"accept-encoding": "gzip", "if-none-match": packed["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("taken", ["", "identity", "gzip;q=0", "br, gzip; q=0.0, deflate", "xgzipx"])
def test_a_page_is_sent_plain_to_whoever_does_not(client: Client, taken: str) -> None:
    assert not client.get("/", headers={"accept-encoding": taken}).has_header("Content-Encoding")
