"""Hugging Face's daily papers: `GET https://huggingface.co/api/daily_papers?date=…`.

The day is `paper.submittedOnDailyAt` (the item's own `publishedAt` may be days off); votes are
`paper.upvotes`, comments the item's `numComments`. Nearly every field is optional.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from digest.papers import identifiers
from digest.papers.entry import LISTED, Batch, CutShortError, Entry, FormatError
from digest.sources.parsers.authors import accented, is_name
from digest.sources.parsers.entries import entries_of, most_common_day
from digest.sources.parsers.leftovers import headless
from digest.sources.parsers.text import ABSTRACT, AUTHORS, NAME, SHORT, TITLE, link, number, plain, readable
from digest.sources.parsers.xml_json import MAX_ENTRIES, json_document, json_items


def read(body: bytes, asked: date, address: str = "") -> Batch:
    """One answer of the API. Raises FormatError if it is not a list of papers."""
    try:
        items = json_document(body)
    except FormatError as error:
        whole = [item for item in json_items(body) if isinstance(item, dict)]
        if not whole:
            raise
        raise CutShortError(str(error), _batch(whole, asked)) from error
    return _batch(_papers(items), asked)


def _papers(items: object) -> list[Any]:
    if isinstance(items, dict):
        said = plain(items.get("error") or items.get("message"), 200)
        saying = f" that says “{said}”" if said else ""
        raise FormatError(f"It is one JSON object{saying}, not a list of papers.")
    if not isinstance(items, list):
        raise FormatError("It is JSON, but not a list of papers.")
    if items and not any(isinstance(item, dict) for item in items):
        raise FormatError(f"It is a list of {type(items[0]).__name__}, not of papers.")
    return items


def _batch(items: list[Any], asked: date) -> Batch:
    rows = [_entry(item, asked) for item in items[:MAX_ENTRIES]]
    entries, rejected = entries_of(rows, "None of its items has a paper with an arXiv id and a title.")
    problems: tuple[str, ...] = ()
    if len(items) > MAX_ENTRIES:
        problems = (f"Only the first {MAX_ENTRIES:,} of {len(items):,} items were read.",)
    return Batch(entries, most_common_day(entries), rejected, problems, scope="huggingface")


def _entry(item: object, asked: date) -> Entry | None:
    if not isinstance(item, dict) or not isinstance(item.get("paper"), dict):
        return None
    paper = item["paper"]
    arxiv_id, version = identifiers.arxiv(plain(paper.get("id"), SHORT))
    title = readable(paper.get("title") or item.get("title"), TITLE)
    if not arxiv_id or not title:
        return None
    return Entry(
        source_id=arxiv_id,
        title=accented(title),
        url=f"https://arxiv.org/abs/{arxiv_id}",
        pdf_url=f"https://arxiv.org/pdf/{arxiv_id}",
        abstract=accented(headless(readable(paper.get("summary") or item.get("summary"), ABSTRACT))),
        authors=_authors(paper.get("authors")),
        arxiv_id=arxiv_id,
        version=version,
        kind=LISTED,
        published_on=day_of(paper.get("publishedAt")),
        announced_on=day_of(paper.get("submittedOnDailyAt")) or asked,
        code_url=link(paper.get("githubRepo")),
        project_url=link(paper.get("projectPage")),
        thumbnail_url=link(item.get("thumbnail")),
        announced_by=_submitter(item, paper),
        upvotes=number(paper.get("upvotes")),
        comments=number(item.get("numComments")),
        is_withdrawn=bool(paper.get("withdrawnAt")),
    )


def _authors(people: object) -> tuple[str, ...]:
    if not isinstance(people, list):
        return ()
    names = []
    for person in people[:AUTHORS]:
        if isinstance(person, dict) and not person.get("hidden"):
            name = readable(person.get("name"), NAME)
            if is_name(name):
                names.append(accented(name, unbrace=True))
    return tuple(names)


def _submitter(item: dict[str, Any], paper: dict[str, Any]) -> str:
    for person in (paper.get("submittedOnDailyBy"), item.get("submittedBy")):
        if isinstance(person, dict):
            return plain(person.get("fullname") or person.get("name") or person.get("user"), 120)
    return ""


def day_of(moment: object) -> date | None:
    """The UTC day of `2026-07-24T00:00:00.000Z`, or nothing."""
    try:
        return date.fromisoformat(str(moment)[:10])
    except ValueError:
        return None
