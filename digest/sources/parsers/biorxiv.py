"""bioRxiv's and medRxiv's API: `api.biorxiv.org/details/{server}/{interval}/{cursor}/json`, numbers as strings.

Each version of a preprint is a row of its own under the same DOI; the DOI says nothing about the version.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from digest.papers import identifiers
from digest.papers.entry import NEW, REPLACE, Batch, CutShortError, Entry, FormatError
from digest.sources.parsers import leftovers
from digest.sources.parsers.authors import semicolon_joined
from digest.sources.parsers.entries import entries_of, most_common_day
from digest.sources.parsers.text import ABSTRACT, SHORT, TITLE, link, number, plain, untagged
from digest.sources.parsers.xml_json import MAX_ENTRIES, json_document, json_items


def read(body: bytes, asked: date, address: str = "") -> Batch:
    """One page of the API. Raises FormatError if it is not one, or if the API says it failed."""
    try:
        answer = json_document(body)
    except FormatError as error:
        _, mark, rest = body.partition(b'"collection"')
        whole = [row for row in json_items(mark + rest) if isinstance(row, dict)]
        if not mark or not whole:
            raise
        raise CutShortError(str(error), _batch(whole, None)) from error
    if not isinstance(answer, dict) or not isinstance(answer.get("collection"), list):
        raise FormatError("It is JSON, but has no collection of preprints.")
    message = _message(answer)
    status = plain(message.get("status"), 200)
    if status and status != "ok" and "no posts found" not in status.lower():
        raise FormatError(f"The API says: {status}")
    return _batch(answer["collection"], number(message.get("total")))


def _message(answer: dict[str, Any]) -> dict[str, Any]:
    messages = answer.get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[0], dict):
        return messages[0]
    return {}


def _batch(rows: list[Any], total: int | None) -> Batch:
    read_rows = [_entry(row) for row in rows[:MAX_ENTRIES]]
    entries, rejected = entries_of(read_rows, "None of its rows has a DOI and a title.")
    scope = ""
    for row in rows:
        if isinstance(row, dict):
            scope = plain(row.get("server"), 20).lower()
            break
    return Batch(entries, most_common_day(entries), rejected, scope=scope, total=total)


def _entry(row: object) -> Entry | None:
    if not isinstance(row, dict):
        return None
    doi = identifiers.doi(plain(row.get("doi"), SHORT))
    title = untagged(row.get("title"), TITLE)
    if not doi or not title:
        return None
    version = max(1, min(number(row.get("version")) or 1, 999))
    server = plain(row.get("server"), 20).lower()
    host = "medrxiv" if "medrxiv" in server else "biorxiv"
    posted = day_of(row.get("date"))
    category = plain(row.get("category"), 100).lower()
    is_withdrawn = "withdraw" in plain(row.get("type"), 60).lower() or title.upper().startswith("WITHDRAWN")
    return Entry(
        source_id=f"{doi}v{version}",
        title=title,
        url=f"https://www.{host}.org/content/{doi}v{version}",
        pdf_url=f"https://www.{host}.org/content/{doi}v{version}.full.pdf",
        abstract=leftovers.typeset(row.get("abstract"), ABSTRACT),
        authors=semicolon_joined(plain(row.get("authors"), 200_000)),
        doi=doi,
        version=version,
        categories=tuple(filter(None, [category])),
        primary_category=category,
        kind=NEW if version == 1 else REPLACE,
        published_on=posted,
        announced_on=posted,
        journal_ref=_journal(row.get("published")),
        is_withdrawn=is_withdrawn,
        project_url=link(row.get("project")),
    )


def _journal(published: object) -> str:
    doi = identifiers.doi(plain(published, SHORT))
    if not doi:
        return ""
    return f"https://doi.org/{doi}"


def day_of(text: object) -> date | None:
    """`2026-3-7` (the API does not always pad) as a day, or nothing."""
    parts = str(text).strip().split("-")
    try:
        year, month, day = map(int, parts)
        return date(year, month, day)
    except ValueError:
        return None
