"""Makers of publishers' answers in their true formats, for tests that need days nobody captured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape

from digest.sources import calendar

Item = dict[str, Any]


def item(number: int, day: date, kind: str = "new", version: int = 1, **fields: Any) -> Item:
    """One arXiv paper; the same number and month is the same paper."""
    arxiv_id = fields.pop("arxiv_id", f"{day:%y%m}.{number:05d}")
    return {
        "id": arxiv_id, "version": version, "kind": kind, "title": f"A study of matter {number}",
        "abstract": f"We look at matter {number} and find <think> and a<b.",
        "authors": "Ada Example, Ben Sample (Somewhere)",
        "categories": ["cs.CL", "cs.AI"],
    } | fields  # fmt: skip


def arxiv_day(day: date, count: int = 40, first: int = 1, category: str = "cs.CL") -> list[Item]:
    """A day as arXiv sorts it: new, cross, replace, replace-cross."""
    shares = [("new", 0.5), ("cross", 0.15), ("replace", 0.25), ("replace-cross", 0.1)]
    kinds = [kind for kind, share in shares for _ in range(round(count * share))][:count]
    kinds += ["new"] * (count - len(kinds))
    order = [kind for kind, _ in shares]
    return [
        item(first + n, day, kind, 2 if "replace" in kind else 1, categories=[category])
        for n, kind in enumerate(sorted(kinds, key=order.index))
    ]


def atom(items: Sequence[Item], day: date, category: str = "cs.CL") -> bytes:
    """rss.arxiv.org/atom of a day."""
    midnight = f"{day.isoformat()}T00:00:00-05:00" if _winter(day) else f"{day.isoformat()}T00:00:00-04:00"
    entries = "".join(
        f"<entry><id>oai:arXiv.org:{i['id']}v{i['version']}</id><title>{escape(i['title'])}</title>"
        f'<updated>{midnight}</updated><link href="https://arxiv.org/abs/{i["id"]}" rel="alternate" type="text/html"/>'
        f"<summary>arXiv:{i['id']}v{i['version']} Announce Type: {i['kind']} \n"
        f"Abstract: {escape(i['abstract'])}</summary>"
        + "".join(f'<category term="{name}"/>' for name in i["categories"])
        + f"<published>{midnight}</published><arxiv:announce_type>{i['kind']}</arxiv:announce_type>"
        f"<dc:creator>{escape(i['authors'])}</dc:creator></entry>"
        for i in items
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        '<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns="http://www.w3.org/2005/Atom"><id>http://rss.arxiv.org/atom/{category}</id>'
        f"<title>{category} updates on arXiv.org</title><updated>{midnight}</updated>{entries}</feed>"
    ).encode()


def _winter(day: date) -> bool:
    from datetime import datetime, time

    offset = datetime.combine(day, time(0), tzinfo=calendar.EASTERN).utcoffset()
    return bool(offset and offset.total_seconds() == -5 * 3600)


def huggingface_day(day: date, count: int = 16, first: int = 1, **fields: Any) -> bytes:
    """api/daily_papers of a day."""
    rows = [
        {
            "paper": {
                "id": f"{day:%y%m}.{first + n:05d}", "title": f"Learning thing {first + n}",
                "summary": "We learn a thing.",
                "authors": [{"name": "Ada Example", "hidden": False}], "publishedAt": f"{day}T00:00:00.000Z",
                "submittedOnDailyAt": f"{day}T00:00:00.000Z", "upvotes": n,
            },
            "title": f"Learning thing {first + n}", "publishedAt": f"{day}T00:00:00.000Z", "numComments": 1,
        } | fields
        for n in range(count)
    ]  # fmt: skip
    return json.dumps(rows).encode()


def rss(items: Sequence[tuple[str, str, date]], title: str = "Journal of Matter") -> bytes:
    """A journal's RSS: (title, address, day) an item."""
    from datetime import UTC, datetime, time

    rows = "".join(
        f"<item><title>{escape(name)}</title><link>{escape(link)}</link>"
        f"<description>About {escape(name)}.</description>"
        f"<pubDate>{format_datetime(datetime.combine(day, time(6), tzinfo=UTC))}</pubDate></item>"
        for name, link, day in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{rows}</channel></rss>'.encode()


def api(
    items: Sequence[Item], submitted: str, total: int | None = None, start: int = 0, rows: int | None = 200
) -> bytes:
    """One page of arXiv's API: papers submitted at that moment, and the counts that the page announces."""
    counts = {"totalResults": total, "startIndex": start, "itemsPerPage": rows}
    head = "".join(
        f'<o:{name} xmlns:o="http://a9.com/-/spec/opensearch/1.1/">{count}</o:{name}>'
        for name, count in counts.items()
        if count is not None
    )
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/{i['id']}v{i['version']}</id><published>{submitted}</published>"
        f"<title>{escape(i['title'])}</title><summary>{escape(i['abstract'])}</summary>"
        f'<author><name>Ada Example</name></author><category term="{i["categories"][0]}"/></entry>'
        for i in items
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>arXiv Query</title>{head}{entries}</feed>'.encode()
