"""Hostile answers, made by rule and seed: for tests, and without end for `make fuzz`.

`python -m tests.digest.sources.hostile --count 5000 --seed 7` reads that many in the killable child and
says what it measured; it exits 1 if any of them got through a limit.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from io import BytesIO

from digest.papers.entry import Batch, FormatError
from digest.sources.parsers import sandbox
from tests.digest.sources import feeds

DAY = date(2026, 6, 3)
XML_KINDS = ("feed", "arxiv", "arxiv-api", "oai-pmh", "arxiv-list")
JSON_KINDS = ("huggingface", "biorxiv", "feed")
ITEM = "<item><title>A title</title><link>https://example.org/1</link><description>Words.</description></item>"


@dataclass(frozen=True)
class Hostile:
    """One hostile answer and the kind it pretends to be."""

    name: str
    kind: str
    body: bytes


def rss(inside: str, head: str = "") -> bytes:
    return f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>t</title>{inside}</channel></rss>'.encode()


def item(field: str, text: str) -> str:
    return f"<item><title>T</title><link>https://example.org/1</link><{field}>{text}</{field}></item>"


def entity_bombs() -> dict[str, bytes]:
    """Entities that grow, that read files, that ask the network."""
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    laughs = f'<!DOCTYPE r [<!ENTITY a0 "ha">{levels}]>'
    many = "".join(f'<!ENTITY e{n} "x">' for n in range(100_000))
    return {
        "billion laughs": rss(item("description", "&a11;"), laughs),
        "laughs in an attribute": rss('<item><title x="&a11;">T</title></item>', laughs),
        "quadratic": rss(item("description", "&a;" * 20_000), f'<!DOCTYPE r [<!ENTITY a "{"x" * 50_000}">]>'),
        "100k entities": rss(ITEM, f"<!DOCTYPE r [{many}]>"),
        "a file": rss(item("description", "&x;"), '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        "a device": rss(item("description", "&x;"), '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///dev/zero">]>'),
        "an address": rss(item("description", "&x;"), '<!DOCTYPE r [<!ENTITY x SYSTEM "http://127.0.0.1:18190/x">]>'),
        "an external dtd": rss(ITEM, '<!DOCTYPE rss SYSTEM "http://127.0.0.1:18190/evil.dtd">'),
        "a public dtd": rss(ITEM, '<!DOCTYPE rss PUBLIC "-//x//y" "http://127.0.0.1:18190/evil.dtd">'),
        "parameters": rss(ITEM, '<!DOCTYPE r [<!ENTITY % x SYSTEM "file:///etc/passwd">%x;]>'),
        "itself": rss(item("description", "&a;"), '<!DOCTYPE r [<!ENTITY a "&b;"><!ENTITY b "&a;">]>'),
        "xinclude": rss(
            '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
        ),
        "a stylesheet": b'<?xml-stylesheet href="file:///etc/passwd"?>' + rss(ITEM),
    }


def slow_words() -> dict[str, bytes]:
    """What takes feedparser, or a sanitiser, many seconds: each is stopped by the kernel."""
    return {
        "author 16 KB": rss(item("author", "a" * 16_000)),
        "author 40 KB": rss(item("author", "a" * 40_000)),
        "author 80 KB": rss(item("author", "a" * 80_000)),
        "comments in a broken feed": rss("&broken" + "<!--" * 87_500),
        "author of parentheses": rss(item("author", "(" * 16_000)),
        "author of spaces": rss(item("author", "a" + " " * 16_000 + "(")),
        "creator 100 KB": rss(
            f'<item xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>{"x," * 50_000}</dc:creator></item>'
        ),
        "style 16 KB": rss(item("description", f"&lt;p style=&quot;{'a:' * 8_000}&quot;&gt;x&lt;/p&gt;")),
        "style 100 KB": rss(item("description", f"&lt;p style=&quot;{'color: red' * 10_000}!&quot;&gt;x&lt;/p&gt;")),
        "comments": rss(item("description", "&lt;!--" * 50_000)),
        "raw comments": b"<!--" * 87_500,
        "open tags": rss(item("description", "&lt;div&gt;" * 20_000)),
        "100k nested": b"<a>" * 100_000 + b"</a>" * 100_000,
        "nested in a feed": rss("<x>" * 100_000 + "</x>" * 100_000),
        "angle brackets": rss(item("description", "&lt;" * 200_000)),
        "ampersands": rss(item("description", "&amp;" * 200_000)),
        "attributes": rss("<item " + " ".join(f"a{n}='x'" for n in range(30_000)) + "/>"),
        "cdata": rss("<![CDATA[" * 50_000),
        "instructions": b"<?x " * 100_000,
        "doctypes": b"<!DOCTYPE x [" * 20_000,
        "namespaces": rss("".join(f'<n{n}:a xmlns:n{n}="u{n}"/>' for n in range(20_000))),
        "a date of digits": rss(item("pubDate", "1" * 100_000)),
        "a date of colons": rss(item("pubDate", ":" * 50_000)),
        "a title of 1 MB": rss(f"<item><title>{'x ' * 500_000}</title><link>https://example.org/</link></item>"),
        "one line of 5 MB": b"x" * 5_000_000,
        "50k entries": rss(ITEM * 50_000),
        "script without end": rss(item("description", "&lt;script&gt;" + "x" * 200_000)),
        "tex accents": rss(item("title", "\\'{" * 50_000)),
        "braces": rss(item("author", "{" * 50_000)),
        "dollars": rss(item("description", "\\alpha$" * 50_000)),
        "withdrawn": rss(item("description", "this paper " * 30_000)),
    }


def odd_bytes() -> dict[str, bytes]:
    """Encodings that lie, and bytes that are something else altogether."""
    good = rss(ITEM)

    def says(encoding: str) -> bytes:
        return good.replace(b'"1.0"', f'"1.0" encoding="{encoding}"'.encode())

    def words(text: bytes) -> bytes:
        return good.replace(b"Words", text)

    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("feed.xml", good)
    return {
        "nothing": b"",
        "a space": b" ",
        "a nul": b"\0",
        "nuls": bytes(10_000),
        "gzip": gzip.compress(good),
        "zip": packed.getvalue(),
        "utf-16": good.decode().encode("utf-16"),
        "utf-32": good.decode().encode("utf-32"),
        "utf-7": b'<?xml version="1.0" encoding="utf-7"?>+ADw-rss+AD4-',
        "says utf-16": says("utf-16"),
        "says ebcdic": says("cp037"),
        "says nonsense": says("nonsense"),
        "says base64": says("base64"),
        "says zip": says("zip"),
        "says idna": says("idna"),
        "says punycode": says("punycode"),
        "says rot13": says("rot13"),
        "bom twice": b"\xef\xbb\xbf\xef\xbb\xbf" + good,
        "latin-1": words(b"W\xf6rds"),
        "overlong": words(b"\xc0\xaf\xe0\x80\xaf"),
        "surrogates": words(b"\xed\xa0\x80\xed\xb0\x80"),
        "a reference to a surrogate": words(b"&#xD800;"),
        "a reference to nul": words(b"&#0;&#x0;"),
        "a huge reference": words(b"&#99999999999;"),
        "a page": b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon</body></html>",
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        "a pdf": b"%PDF-1.7\n" + bytes(range(256)) * 20,
        "json": b'{"error":"no"}',
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "an error": b"502 Bad Gateway",
        "a path": b"/etc/passwd",
        "an address": b"http://127.0.0.1:18190/feed",
        "a file address": b"file:///etc/passwd",
        "direction": good.replace(b"A title", "\u202eeltit A\u2066".encode()),
        "zalgo": good.replace(b"A title", ("A" + "\u0301" * 50_000).encode()),
    }


def odd_json() -> dict[str, bytes]:
    """JSON of every wrong shape."""
    paper = {"id": "2606.00001", "title": "T", "summary": "S", "authors": [{"name": "A"}], "upvotes": 1}
    row = {
        "title": "T",
        "doi": "10.1101/1",
        "authors": "A, B.",
        "date": "2026-06-03",
        "version": "1",
        "server": "bioRxiv",
    }
    wrong = (
        None,
        True,
        -1,
        1e308,
        10**400,
        "",
        "x" * 100_000,
        [],
        [[]],
        {},
        {"a": {}},
        "\ud800",
        ["x"] * 10_000,
        "1" * 5_000,
    )
    found = {
        "deep lists": b"[" * 100_000,
        "deep objects": b'{"a":' * 100_000,
        "deep and closed": b"[" * 50_000 + b"]" * 50_000,
        "a number": b"1",
        "a word": b'"x"',
        "null": b"null",
        "nan": b"[NaN, Infinity]",
        "digits": b"[" + b"9" * 100_000 + b"]",
        "exponent": b"[1e999999999]",
        "two roots": b"[] []",
        "a comma": b"[,]",
        "strings": json.dumps(["x"] * 5_000).encode(),
        "numbers": json.dumps(list(range(5_000))).encode(),
        "an escape": b'["\\u12',
        "same keys": b'{"a":1,' * 5_000 + b'"a":1' + b"}" * 5_000,
        "50k rows": json.dumps([{"paper": paper | {"id": f"2606.{n:05d}"}} for n in range(50_000)]).encode(),
    }
    for n, value in enumerate(wrong):
        for key in paper:
            found[f"paper {key} {n}"] = json.dumps([{"paper": paper | {key: value}}, {"paper": paper}]).encode()
        for key in row:
            found[f"row {key} {n}"] = json.dumps(
                {"messages": [{"status": "ok"}], "collection": [row | {key: value}, row]}
            ).encode()
        found[f"items {n}"] = json.dumps(
            {"version": "https://jsonfeed.org/version/1.1", "items": [value, {"id": value}]}
        ).encode()
        found[f"messages {n}"] = json.dumps({"messages": value, "collection": [row]}).encode()
    return found


def mutated(seed: int) -> Hostile:
    """A good answer with a seeded accident: bytes flipped, cut, doubled, swapped, filled."""
    chance = random.Random(seed)
    kind = chance.choice(("arxiv", "feed", "huggingface", "arxiv-api", "biorxiv", "oai-pmh", "arxiv-list"))
    body = bytearray(_good(kind, chance))
    for _ in range(chance.randint(1, 8)):
        _accident(body, chance)
    return Hostile(f"mutated {seed}", kind, bytes(body))


def _good(kind: str, chance: random.Random) -> bytes:
    items = feeds.arxiv_day(DAY, chance.randint(1, 12))
    if kind in {"huggingface"}:
        return feeds.huggingface_day(DAY, chance.randint(1, 12))
    if kind == "feed":
        return feeds.rss([(f"Paper {n}", f"https://example.org/{n}", DAY) for n in range(chance.randint(1, 12))])
    return feeds.atom(items, DAY)


def _accident(body: bytearray, chance: random.Random) -> None:
    at, size = chance.randrange(len(body) or 1), chance.randint(1, 400)
    accident = chance.randrange(6)
    if accident == 0:
        body[at : at + 1] = bytes([chance.randrange(256)])
    elif accident == 1:
        del body[at:]
    elif accident == 2:
        body[at:at] = body[max(0, at - size) : at] * chance.randint(1, 40)
    elif accident == 3:
        body[at:at] = chance.choice(_SHARP)
    elif accident == 4:
        del body[at : at + size]
    else:
        body[at : at + size] = bytes(chance.randrange(256) for _ in range(size))


_SHARP = (
    b"<",
    b">",
    b"&",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<?",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"&#xD800;",
    b"&nbsp;",
    b"<script>",
    b'"',
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\\u0000",
    b"\\ud800",
    b"</entry>",
    b"</item>",
    b"<entry>",
    b"<item>",
    b"<!DOCTYPE x>",
    b"<!ENTITY a 'b'>",
    "\u202e".encode(),
    b"\r",
    b"\x0b",
    b"%00",
    b"../../",
    b"$",
    b"\\'{",
    b"{{7*7}}",
)


def corpus(seed: int, mutations: int) -> Iterator[Hostile]:
    """Every rule's files for every kind they suit, and `mutations` seeded accidents."""
    for rule in (entity_bombs, odd_bytes):
        for name, body in rule().items():
            for kind in XML_KINDS:
                yield Hostile(name, kind, body)
    for name, body in odd_json().items():
        yield from (Hostile(name, kind, body) for kind in _json_kinds(name))
    for n in range(mutations):
        yield mutated(seed * 1_000_003 + n)


def _json_kinds(name: str) -> tuple[str, ...]:
    sign = name.split()[0]
    return {"paper": ("huggingface",), "row": ("biorxiv",), "messages": ("biorxiv",), "items": ("feed",)}.get(
        sign, JSON_KINDS
    )


def bombs() -> Iterator[Hostile]:
    """What costs seconds of processor time before it is stopped."""
    for name, body in slow_words().items():
        yield from (Hostile(name, kind, body) for kind in ("feed", "arxiv"))


@dataclass
class Measured:
    """What reading one hostile answer cost, and what came of it."""

    hostile: Hostile
    seconds: float
    outcome: str
    faults: tuple[str, ...] = ()


def measure(hostile: Hostile) -> Measured:
    """Read it as production does: in the child, under its limits."""
    started = time.monotonic()
    try:
        batch = sandbox.parse(hostile.kind, hostile.body, DAY)
        outcome, faults = "read", faults_of(batch)
    except FormatError as error:
        outcome, faults = type(error).__name__, () if str(error) else ("an error without words",)
    return Measured(hostile, time.monotonic() - started, outcome, faults)


def faults_of(batch: Batch) -> tuple[str, ...]:
    """What must never come out, whatever goes in."""
    checks: list[tuple[str, Callable[..., bool]]] = [
        ("no title", lambda e: not e.title),
        ("a title too long", lambda e: len(e.title) > 1_000),
        ("markup in a title", lambda e: "<script" in e.title.lower() and "</script" in e.title.lower()),
        ("not a web address", lambda e: not e.url.startswith(("http://", "https://"))),
        ("an abstract too long", lambda e: len(e.abstract) > 20_000),
        ("control characters", lambda e: any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in e.title + e.abstract)),
        ("a name too long", lambda e: any(len(name) > 200 for name in e.authors)),
        ("too many", lambda e: len(batch.entries) > 5_000),
    ]
    return tuple(name for name, is_bad in checks if any(is_bad(entry) for entry in batch.entries))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5_000, help="seeded accidents, beside the rules' files")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    every = [*corpus(options.seed, options.count), *bombs()]
    with ThreadPoolExecutor(options.workers) as pool:
        found = list(pool.map(measure, every))
    bad = [one for one in found if one.faults or one.seconds > sandbox.WALL_SECONDS + 2]
    print(f"seed {options.seed}: {len(found):,} hostile answers, {len(bad)} got through")
    print(f"slowest {max(one.seconds for one in found):.1f} s ({max(found, key=lambda o: o.seconds).hostile.name})")
    print(f"largest child {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")
    for outcome in sorted({one.outcome for one in found}):
        print(f"  {outcome}: {sum(one.outcome == outcome for one in found):,}")
    for one in bad:
        print("  GOT THROUGH:", one.hostile.kind, one.hostile.name, one.faults, f"{one.seconds:.1f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
