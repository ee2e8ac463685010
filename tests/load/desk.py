"""How quick the desk is on a large site: fills a PostgreSQL database of its own, counts, and times every page.

    python -m tests.load.desk --readers 1000000 --deliveries 10000000 --papers 50000

The database (`offprint_desk_size` on TEST_POSTGRES_URL, else 127.0.0.1) is made anew and dropped at the end. With
`--keep` it stays (about 8.5 GB), and `--reuse` measures one that stayed, on the day it was filled: so it can be filled
while the machine is busy, and measured when it is not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from datetime import UTC, datetime, timedelta

import psycopg

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
NAME = "offprint_desk_size"
DAYS = 30
TRIES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("readers", 1_000_000), ("deliveries", 2_000_000), ("papers", 50_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--keep", action="store_true", help="leave the database there")
    parser.add_argument("--reuse", action="store_true", help="measure the database that was kept; fill nothing")
    parser.add_argument("--fill-only", action="store_true", help="fill, measure nothing (with --keep)")
    options = parser.parse_args()
    if not options.reuse:
        _serve(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", f"CREATE DATABASE {NAME}")
    try:
        print(json.dumps(_measure(options), indent=2))
    finally:
        from django.db import connections

        connections.close_all()
        if not options.keep:
            _serve(f"DROP DATABASE {NAME} WITH (FORCE)")


def _serve(*statements: str) -> None:
    with psycopg.connect(SERVER, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


def _measure(options: argparse.Namespace) -> dict[str, object]:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OFFPRINT_DOTENV": "no",
        "DATABASE_URL": SERVER.rpartition("/")[0] + f"/{NAME}",
        "LOG_LEVEL": "error",
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("check", verbosity=0)
    call_command("migrate", verbosity=0)
    seconds = {} if options.reuse else {"fill": _timed(lambda: _fill(options))}
    if options.fill_only:
        return {"seconds": seconds}
    seconds |= _counted()
    return {"rows": _rows(), "seconds": seconds, "pages_ms": _pages(), "load": os.getloadavg()}


def _rows() -> dict[str, int]:
    from digest.models import Delivery, Paper
    from subscriptions.models import Interest, Subscriber

    return {model.__name__: model.objects.count() for model in (Subscriber, Interest, Delivery, Paper)}


def _timed(do: object) -> float:
    start = time.perf_counter()
    do()  # type: ignore[operator]
    return round(time.perf_counter() - start, 2)


def _fill(options: argparse.Namespace) -> None:
    """One row of each kind by the builders, then many like it by the server itself."""
    from digest.models import Attempt, Delivery, Edition, Paper, Source
    from subscriptions.models import Subscriber
    from tests import make

    _run(["SET synchronous_commit = off", "SET session_replication_role = replica", "SET maintenance_work_mem = '1GB'"])
    today = datetime.now(UTC).date()
    a_day = max(1, options.papers // DAYS)
    filters = [make.filter(f"word{n}") for n in range(2000)]
    for n in range(60):
        make.topic(f"topic-{n}", f"word{n}", position=n)
    source, paper = make.source("s0", last_ok_at=make.NOW), make.paper(arxiv_id="0")
    _copy(Source, source.pk, "generate_series(1, 39) n", slug="'s' || n", name="'Source ' || n")
    _copy(
        Paper, paper.pk, f"generate_series(1, {options.papers}) n", identifier="'arxiv:x' || n", arxiv_id="'x' || n",
        title="'A study of word' || n % 2000 || ' and word' || (n * 7) % 60",
        abstract="'We study word' || (n * 13) % 2000 || ' at length.'", upvotes="n % 50",
        published_on=f"'{today}'::date - (n / {a_day})::int",
    )  # fmt: skip
    for n in range(DAYS - 1, 0, -1):
        make.edition(today - timedelta(days=n), released_at=datetime.now(UTC) - timedelta(days=n))
    make.edition(today, state="collecting")
    reader = make.subscriber("first@example.org")
    _copy(
        Subscriber, reader.pk, f"generate_series(1, {options.readers - 1}) n", uuid="gen_random_uuid()",
        email="'r' || n || '@d' || n % 500 || '.example'", email_key="'r' || n || '@d' || n % 500 || '.example'",
        state="CASE WHEN n % 20 = 0 THEN 'paused' WHEN n % 50 = 1 THEN 'pending' ELSE 'active' END", hour="n % 24",
        next_digest_at="now() + n % 24 * interval '1 hour'", confirmed_at="now() - n % 300 * interval '1 day'",
    )  # fmt: skip
    _run(PLACE, today=today, first=filters[0].pk)
    row = Delivery.objects.create(
        edition=Edition.objects.get(serial=1), subscriber=reader, local_date=today, due_at=make.NOW, next_at=make.NOW,
        planned_at=make.NOW, settled_at=make.NOW, address_hmac="0" * 64, state="accepted",
    )  # fmt: skip
    each = options.deliveries // (DAYS - 1)
    some = f"(SELECT id n FROM subscriptions_subscriber ORDER BY id OFFSET 1 LIMIT {each})"
    attempt = Attempt.objects.create(
        channel="smtp", worker="w", lease_until=make.NOW, started_at=make.NOW, state="closed", outcome="accepted"
    )
    _copy(Attempt, attempt.pk, "generate_series(1, 20000) n", key="gen_random_uuid()")
    indexes = _without_indexes(Delivery)
    _copy(
        Delivery, row.pk, f"digest_edition e, {some} s WHERE e.serial IS NOT NULL AND",
        uuid="gen_random_uuid()", edition_id="e.id", subscriber_id="n", local_date="e.date",
        fate="CASE WHEN n % 3 = 0 THEN 'delivered' ELSE '' END",
        state="CASE WHEN n % 1000 = 7 THEN 'uncertain' WHEN n % 9 = 0 THEN 'skipped' ELSE 'accepted' END",
        reason="CASE WHEN n % 9 = 0 THEN 'no_match' ELSE '' END",
        attempt_id=f"CASE WHEN n % 9 = 0 THEN NULL ELSE {attempt.pk} + n % 20000 END",
        papers="""('[' || repeat('{"paper": 1, "reasons": ["large-language-models"]}, ', 4) || '{}]')::jsonb""",
    )  # fmt: skip
    _run([*indexes, "SET session_replication_role = DEFAULT", "VACUUM ANALYZE"])


def _without_indexes(model: object) -> list[str]:
    """Take a table's indexes away while it is filled, but for its constraints'; the statements that make them anew."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s
               AND indexname NOT IN (SELECT conname FROM pg_constraint)""",
            [model._meta.db_table],  # type: ignore[attr-defined]
        )
        found = cursor.fetchall()
    _run([f'DROP INDEX "{name}"' for name, _ in found])
    return [definition for _, definition in found]


PLACE = [
    """INSERT INTO digest_editionpaper (edition_id, paper_id, position, is_pinned, is_hidden, is_late_riser, note)
       SELECT e.id, p.id, p.id, false, false, false, '' FROM digest_paper p
       JOIN digest_edition e ON e.date = p.published_on""",
    """INSERT INTO digest_announcement (paper_id, source_id, day, kind, version, announced_by, seen_at)
       SELECT p.id, (SELECT min(id) FROM digest_source) + p.id %% 40, p.published_on, 'new', 1, '', now()
       FROM digest_paper p""",
    """INSERT INTO subscriptions_interest (subscriber_id, kind, text, topic_id, filter_id, weight, muted, created_at)
       SELECT s.id, 'topic', '', t.id, t.filter_id, 1, false, now()
       FROM subscriptions_subscriber s JOIN subscriptions_topic t ON t.position = s.id %% 60""",
    """INSERT INTO subscriptions_interest (subscriber_id, kind, text, filter_id, weight, muted, created_at)
       SELECT s.id, 'filter', 'own', %(first)s + 60 + s.id %% 1900, 1, false, now() FROM subscriptions_subscriber s""",
]


def _run(statements: list[str], **values: object) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values or None)


def _copy(model: object, pk: int, rows: str, **different: str) -> None:
    """Rows like the one with `pk`, one for each of `rows`, but for the columns named."""
    meta = model._meta  # type: ignore[attr-defined]
    columns = [field.column for field in meta.concrete_fields if not field.primary_key]
    values = ", ".join(different.get(column, f'"like".{column}') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    where = rows if rows.endswith("AND") else f"{rows} WHERE"
    table = meta.db_table
    _run([f'INSERT INTO {table} ({names}) SELECT {values} FROM {table} "like", {where} "like".id = {pk}'])


def _counted() -> dict[str, float]:
    """What the tick does: everything the first time, then what moved."""
    from digest.desk import counters, nightly_mail
    from digest.desk.pages import audience
    from digest.models import Edition

    now = datetime.now(UTC)
    edition = Edition.objects.order_by("-date")[0]
    return {
        "count readers and moving editions": _timed(lambda: counters.refresh(now)),
        "count one day's letters": _timed(lambda: counters.letters(Edition.objects.order_by("-date")[1], now)),
        "count the reach of the open edition": _timed(lambda: audience.count(edition, now)),
        "the whole tick, first time (topics of thirty days)": _timed(lambda: nightly_mail.count(now)),
        "the whole tick, again": _timed(lambda: nightly_mail.count(now + timedelta(minutes=1))),
    }


def _pages() -> dict[str, dict[str, float]]:
    """Milliseconds of every page, median and 95th percentile of some tries, as an admin in one process."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from digest.models import Edition
    from subscriptions.models import Subscriber

    client = Client(HTTP_HOST="localhost")
    root, _ = get_user_model().objects.get_or_create(username="root", is_staff=True, is_superuser=True)
    client.force_login(root)
    today, last = Edition.objects.order_by("-date").values_list("date", flat=True)[:2]
    reader = Subscriber.objects.order_by("-id").values_list("uuid", flat=True)[0]
    paths = [
        "/desk/", f"/desk/triage/{today}/", f"/desk/triage/{today}/?q=word7", f"/desk/edition/{today}/",
        f"/desk/edition/{today}/release/", f"/desk/edition/{last}/", "/desk/preview/?q=word7", "/desk/readers/",
        "/desk/readers/?q=r77777@", "/desk/readers/?q=r77777@d277.example", "/desk/readers/?state=paused",
        "/desk/readers/?q=@d277.example", "/desk/readers/?q=@d277.example&state=pending",
        f"/desk/readers/{reader}/", "/desk/topics/", "/desk/topics/topic-7/", "/desk/sources/", "/desk/sources/s7/",
        "/desk/deliverability/", "/desk/deliverability/suppression/", "/desk/log/", "/desk/doctor/",
    ]  # fmt: skip
    return {path: _page(client, path) for path in paths}


def _page(client: object, path: str) -> dict[str, float]:
    times, own = [], []
    for _ in range(TRIES):
        start, busy = time.perf_counter(), time.process_time()
        response = client.get(path)  # type: ignore[attr-defined]
        times.append((time.perf_counter() - start) * 1000)
        own.append((time.process_time() - busy) * 1000)
        assert response.status_code == 200, (path, response.status_code)
    return {
        "median": round(statistics.median(times), 1),
        "p95": round(sorted(times)[int(TRIES * 0.95) - 1], 1),
        "own_cpu": round(statistics.median(own), 1),
    }


if __name__ == "__main__":
    main()
