"""What crawlers are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from tests import make

pytestmark = pytest.mark.django_db
SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def listed(client: Client) -> dict[str, str]:
    """Address -> the day it changed."""
    root = ElementTree.fromstring(client.get("/sitemap.xml").content)
    return {url.findtext(f"{SPACE}loc", ""): url.findtext(f"{SPACE}lastmod", "") for url in root}


def test_the_map_names_released_editions_and_topics(client: Client, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://papers.example.org"
    make.edition(papers=[make.paper()])
    make.edition(make.TODAY + timedelta(days=1), [make.paper()], state="collecting")
    make.topic("speech")
    found = listed(client)
    assert f"https://papers.example.org/day/{make.TODAY}/" in found
    assert "https://papers.example.org/topic/speech/" in found
    assert f"https://papers.example.org/day/{make.TODAY + timedelta(days=1)}/" not in found
    assert "Sitemap: https://papers.example.org/sitemap.xml" in client.get("/robots.txt").content.decode()


def test_every_address_on_the_map_opens_and_may_be_read(client: Client) -> None:
    make.edition(papers=[make.paper()])
    make.topic("speech")
    closed = [line[10:] for line in client.get("/robots.txt").content.decode().splitlines() if line[:9] == "Disallow:"]
    for address in listed(client):
        path = "/" + address.split("/", 3)[3]
        assert client.get(path).status_code == 200, path
        assert not any(path.startswith(one) for one in closed)


def test_the_map_of_an_empty_site_names_its_pages(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        assert len(listed(client)) == 3
