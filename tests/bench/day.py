"""A made-up day over the real path, timed: plan, claim, render, intend, hand over, settle, audit.

`stage` runs it in a process of its own, on a scratch database that is dropped afterwards; the operator's
database and postbox are never touched. Letters go to a mail server on this machine only.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
from django.conf import settings
from django.db import connection

from digest import delivery
from digest.delivery import claim, plan, send, settle
from digest.delivery.accounts import audit
from digest.editions import lifecycle
from digest.letters import letters
from digest.models import Announcement, Delivery, Edition, EditionPaper, Paper, Source
from subscriptions.mail import outgoing
from subscriptions.models import Filter, Interest, Subscriber
from tests.bench import match

PLAIN_SAMPLE = 200
HERE = {"localhost", "127.0.0.1", "::1"}
INTERESTS = 5
AT_ONCE = 2_000
STAGES = (
    (claim, "claim", "claim"),
    (send, "_write_letters", "render"),
    (settle, "intend", "intend"),
    (send, "offer", "hand over"),
    (settle, "settle", "settle"),
)


class RehearsalError(Exception):
    """The measuring process failed; the words are its own."""


# -- outside: a scratch database, a sink, a process ---------------------------------------------


def stage(subscribers: int, papers: int, filters: int, seed: int, sink: str) -> dict[str, Any]:
    """The figures, from a process that has nothing of ours but the kind of database."""
    with (
        tempfile.TemporaryDirectory(prefix="offprint-bench-") as folder,
        _database(folder) as url,
        _sink(sink) as postbox,
    ):
        own = {
            "DATABASE_URL": url,
            "EMAIL_URL": postbox,
            "VAR_DIR": folder,
            "STATE_DIR": f"{folder}/state",
            "OFFPRINT_DOTENV": "no",
            "LOG_LEVEL": "error",
        }
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TZ"}}
        sizes = [str(number) for number in (subscribers, papers, filters, seed)]
        run = subprocess.run(
            [sys.executable, "-m", "tests.bench.child", *sizes],
            cwd=settings.BASE_DIR, env=kept | own | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True, text=True,
        )  # fmt: skip
    if run.returncode:
        raise RehearsalError((run.stderr.strip().splitlines() or ["it said nothing"])[-1])
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer


@contextmanager
def _database(folder: str) -> Iterator[str]:
    """An empty database of the operator's kind; dropped at the end."""
    if connection.vendor != "postgresql":
        yield f"sqlite:///{folder}/bench.sqlite3"
        return
    name = f"offprint_bench_{os.getpid()}"
    _on_server(f'CREATE DATABASE "{name}"')
    try:
        yield _address(name)
    finally:
        _on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _on_server(statement: str) -> None:
    """On a connection of its own: none of these may run within a transaction."""
    import psycopg

    with psycopg.connect(_address(str(connection.settings_dict["NAME"])), autocommit=True) as server:
        server.execute(statement.encode())


def _address(name: str) -> str:
    config = connection.settings_dict
    who = str(config["USER"]) + (f":{config['PASSWORD']}" if config["PASSWORD"] else "")
    return urlunsplit(
        ("postgresql", f"{who}@{config['HOST'] or '127.0.0.1'}:{config['PORT'] or 5432}", f"/{name}", "", "")
    )


@contextmanager
def _sink(url: str) -> Iterator[str]:
    """Where letters go: the given mail server of this machine, files of the scratch folder, or a sink of our own."""
    if url:
        yield url
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sink"], cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        yield f"smtp://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def is_safe(url: str) -> bool:
    """Made-up readers get no real mail: only this machine is written to."""
    parts = urlsplit(url)
    return url in {"", "outbox:"} or (parts.scheme == "smtp" and parts.hostname in HERE)


# -- inside: the made-up day --------------------------------------------------------------------


def rehearse(subscribers: int, papers: int, filters: int, seed: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    _furnish(subscribers, papers, filters, seed, now)
    spent = _watch()
    began = time.perf_counter()
    planned = plan.plan(now)
    spent["plan"] = time.perf_counter() - began
    began = time.perf_counter()
    outcomes = delivery.deliver(now)
    sending = time.perf_counter() - began
    report = audit.audit()
    went = outcomes["accepted"]
    plain = _plain(now)
    return {
        "database": connection.vendor,
        "channel": settings.MAIL_CHANNEL,
        "subscribers": subscribers,
        "papers": papers,
        "planned": planned.planned,
        "accepted": went,
        "seconds": {name: round(value, 2) for name, value in spent.items()},
        "send_seconds": round(sending, 2),
        "day_seconds": round(spent["plan"] + sending, 2),
        "letters_per_second": round(went / sending),
        "plain_letters_per_second": round(plain),
        "times_faster": round(went / sending / plain, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "accounts": {name: value for line in report.accounts for name, value in line.items() if isinstance(value, int)},
        "audit": [one.name for one in report.broken],
        "good": report.good and went == planned.planned,
    }


def _watch() -> dict[str, float]:
    """Wrap the stages of delivery so that each adds up its seconds."""
    spent: dict[str, float] = {}
    for module, name, label in STAGES:
        spent[label] = 0.0
        setattr(module, name, _timed(getattr(module, name), label, spent))
    return spent


def _timed(work: Any, label: str, spent: dict[str, float]) -> Any:
    @wraps(work)
    def run(*args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*args, **options)
        finally:
            spent[label] += time.perf_counter() - began

    return run


def _plain(now: datetime) -> float:
    """Letters a second the plain way: templates for each reader, Django's mail API, the same postbox."""
    rows = list(Delivery.objects.order_by("pk")[:PLAIN_SAMPLE])
    began = time.perf_counter()
    with outgoing.connection() as postbox:
        postbox.open()
        for row in rows:
            postbox.send_messages([outgoing.as_message(letters.letters([row], now)[0], postbox)])
    return len(rows) / (time.perf_counter() - began)


def _furnish(subscribers: int, papers: int, filters: int, seed: int, now: datetime) -> None:
    rng = np.random.default_rng(seed)
    vocabulary = [match.word(number) for number in range(match.WORDS)]
    _publish(match.made_papers(rng, vocabulary, papers), now)
    queries = vocabulary[8:12] + match.made_queries(rng, vocabulary, min(filters, 2 * subscribers))
    asked = Filter.objects.bulk_create([Filter(text=text) for text in dict.fromkeys(queries)], batch_size=AT_ONCE)
    for low in range(0, subscribers, AT_ONCE):
        _add_readers(range(low, min(low + AT_ONCE, subscribers)), asked, rng, now)


def _publish(texts: list[Any], now: datetime) -> None:
    source = Source.objects.create(slug="bench", name="Bench", kind="arxiv", url="https://feeds.example/bench")
    rows = Paper.objects.bulk_create(
        Paper(
            identifier=f"arxiv:2606.{number:05d}", arxiv_id=f"2606.{number:05d}",
            url=f"https://arxiv.org/abs/2606.{number:05d}", title=text.title, abstract=text.abstract,
            authors=["Ada Example"], categories=["cs.CL"], primary_category="cs.CL",
            published_on=now.date(), first_seen_at=now, updated_at=now,
        )
        for number, text in enumerate(texts)
    )  # fmt: skip
    edition = Edition.objects.create(
        date=now.date(), state=Edition.State.RELEASED, serial=1, released_at=now, frozen_at=now
    )
    EditionPaper.objects.bulk_create(
        EditionPaper(edition=edition, paper=row, position=place) for place, row in enumerate(rows)
    )
    Announcement.objects.bulk_create(
        Announcement(paper=row, source=source, day=now.date(), seen_at=now) for row in rows
    )
    Edition.objects.filter(pk=edition.pk).update(content_hash=lifecycle.content_hash(edition))


def _add_readers(numbers: range, asked: list[Filter], rng: Any, now: datetime) -> None:
    due = now - timedelta(minutes=1)
    people = Subscriber.objects.bulk_create(
        Subscriber(
            email=f"reader{n}@example.org", email_key=f"reader{n}@example.org", state=Subscriber.State.ACTIVE,
            hour=due.hour, zone="UTC", papers_per_day=15, next_digest_at=due, created_at=due, confirmed_at=due,
        )
        for n in numbers
    )  # fmt: skip
    interests = []
    for person in people:
        # One word that some paper always has, the others as rare as they come.
        chosen = {int(rng.integers(4)), *(int(one) for one in rng.integers(4, len(asked), INTERESTS - 1))}
        interests += [
            Interest(subscriber=person, kind="filter", text=asked[one].text, filter=asked[one]) for one in chosen
        ]
    Interest.objects.bulk_create(interests, batch_size=AT_ONCE)
