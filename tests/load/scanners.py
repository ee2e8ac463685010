"""Every link that a letter or a notice carries, opened by machines, and which tables of the database that changed.

A mail scanner asks for each link by HEAD and GET, and the thorough ones open it in a browser with scripts. None of
that may confirm, end, move, save or count anything.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Browser

    from digest.models import Delivery

STATES = ("pending", "active", "paused", "unsubscribed", "suppressed")
METHODS = ("get", "head", "options")


def letters(now: datetime) -> list[Delivery]:
    """One reader of every state who moves to another address, each with a letter, an answer and a paper saved."""
    from digest import search
    from digest.models import Feedback, Saved
    from tests import make
    from tests.digest.letters.posts import delivery

    speech, papers = make.topic("speech"), [make.paper("On speech"), make.paper("On stones")]
    edition, found = make.edition(papers=papers), []
    for state in STATES:
        times = {"created_at": now, "confirmed_at": None if state == "pending" else now, "ended_at": now}
        name = f"{state}@example.org"
        reader = make.subscriber(name, [speech], ["stones"], state=state, new_email=f"{state}@example.net", **times)
        found.append(delivery(papers, reader, edition, state="accepted", settled_at=now))
        Saved.objects.create(subscriber=reader, paper=papers[0], at=now)
        Feedback.objects.create(subscriber=reader, paper=papers[1], value=Feedback.Value.MORE, at=now)
    search.refresh()
    return found


def kinds() -> dict[str, Callable[[Delivery], str]]:
    """What each kind of link is called, and how it is made for one letter."""
    from digest.letters import links
    from subscriptions.links import urls as link_urls

    def own(row: Delivery) -> Any:
        return links.own(row, row.subscriber)

    def act(ending: str) -> Callable[[Delivery], str]:
        return lambda row: f"{own(row).act}/{row.papers[0]['paper']}/{ending}"

    return {
        "confirm": lambda row: link_urls.confirm_url(row.subscriber),
        "expired confirm": lambda row: _old(link_urls.confirm_url, row),
        "preferences": lambda row: link_urls.preferences_url(row.subscriber),
        "pause": lambda row: own(row).pause,
        "leave, one-click": lambda row: link_urls.unsubscribe_url(row.subscriber),
        "never asked": lambda row: link_urls.block_url(row.subscriber),
        "fresh link": lambda row: link_urls.account_url(row.subscriber),
        "expired fresh link": lambda row: _old(link_urls.account_url, row),
        "new address": lambda row: link_urls.address_url(row.subscriber),
        "return": lambda row: link_urls.return_url(row.subscriber),
        "letter": lambda row: own(row).web,
        "more": lambda row: own(row).more,
        "feed": lambda row: links.feed_url(row.subscriber),
        "saved": lambda row: own(row).saved,
        "saved as BibTeX": lambda row: f"{own(row).saved}papers.bib",
        "choose": act(""),
        "save": act("save/"),
        "more like this": act("more/"),
        "less like this": act("less/"),
        "why": act("why/"),
        "cut short": lambda row: link_urls.preferences_url(row.subscriber)[:-5] + "/",
    }


def _old(make_url: Callable[[Any], str], row: Delivery) -> str:
    """The same link as it was mailed forty days ago."""
    import time_machine
    from django.utils import timezone

    with time_machine.travel(timezone.now() - timedelta(days=40), tick=False):
        return make_url(row.subscriber)


def addresses(rows: Sequence[Delivery]) -> list[str]:
    """Every kind of link for every letter, without scheme and host."""
    urls = [urlsplit(make_url(row)) for row in rows for make_url in kinds().values()]
    return [url.path + (f"#{url.fragment}" if url.fragment else "") for url in urls]


def tables() -> dict[str, str]:
    """Each table of the database, with a hash of all its rows."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
            found[name] = hashlib.sha256(repr(sorted(map(repr, cursor))).encode()).hexdigest()
    return found


def changed(before: dict[str, str]) -> list[str]:
    """The tables that are not as they were."""
    after = tables()
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def open_plainly(client: Client, paths: Sequence[str], times: int) -> None:
    """`times` requests in all, by each method in turn; redirects are followed."""
    wanted = itertools.cycle(itertools.product(METHODS, paths))
    for method, path in itertools.islice(wanted, times):
        client.cookies.clear()
        getattr(client, method)(path.partition("#")[0], follow=True)


def open_rendered(browser: Browser, site: str, paths: Sequence[str], times: int) -> int:
    """`times` pages in all, each rendered with its scripts until nothing more is loaded, scrolled, and not clicked.

    Files are left out: a browser saves them. Returns how many pages were shown.
    """
    from tests.browser import opened

    pages = itertools.cycle([path for path in paths if not path.endswith(".bib")])
    for path in itertools.islice(pages, times):
        with opened(browser, f"{site}{path}") as page:
            page.mouse.wheel(0, 5_000)
            page.wait_for_load_state("networkidle")
    return times
