"""What every letter must be, read back from its bytes by parsers that did not write them."""

from __future__ import annotations

import email
import re
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.conf import settings

from subscriptions.mail import outgoing

TAGS = frozenset("html head meta title style body main table tbody tr td p a h1 h2 span br".split())  # noqa: SIM905
ATTRIBUTES = frozenset(
    "lang dir charset name content class style role cellpadding cellspacing border width align href".split()  # noqa: SIM905
)
SIGNED = re.compile(
    r"/(?:[lups]|k)/[0-9a-f]{32}(?::\d+)?\.[\w-]{43}/(?:more/|\d+/(?:(?:save|more|less)/)?)?(?:#pause)?$|/paper/\d+/$"
)
COMMENT = re.compile(r"<!--\[if mso\]>(<table[^<>]*><tr><td>|</td></tr></table>)<!\[endif\]-->")


class Elements(HTMLParser):
    """All tags, attributes, links and comments of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.styles: set[str] = set()
        self.comments: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "href":
                self.links.append(value or "")
            if name == "style":
                self.styles.add(value or "")

    def handle_comment(self, data: str) -> None:
        self.comments.append(f"<!--{data}-->")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def assert_clean(html: str) -> Elements:
    """No tag, attribute, comment or kind of link but our own."""
    found = Elements(html)
    assert found.tags <= TAGS, found.tags - TAGS
    assert found.attributes <= ATTRIBUTES, found.attributes - ATTRIBUTES
    assert all(COMMENT.fullmatch(one) for one in found.comments), found.comments
    for link in found.links:
        parts = urlsplit(link)
        assert parts.scheme in {"http", "https"}, link
        assert parts.hostname, link
        assert link.isascii(), link
    return found


def assert_same_papers(html: str, text: str) -> list[str]:
    """Both parts link to the same papers; every other link is signed or the site's own."""
    site = settings.PUBLIC_BASE_URL
    in_html = [link for link in assert_clean(html).links if not link.startswith(site)]
    in_text = [line.strip() for line in text.splitlines() if line.strip().startswith(("http://", "https://"))]
    in_text = [line for line in in_text if not line.startswith(site)]
    assert set(in_html) == set(in_text), set(in_html) ^ set(in_text)
    for link in (link for link in Elements(html).links if link.startswith(site)):
        path = link.removeprefix(site)
        assert path in {"", "/", "/subscribe/"} or SIGNED.match(path), link
    return in_text


def fault(raw: bytes) -> str:
    """What is wrong with a letter of an outbox; "" where nothing is."""
    try:
        message = read_back(raw)
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        if text is not None and html is not None:
            assert_same_papers(html.get_content(), text.get_content())
    except AssertionError as error:
        return str(error) or "a letter is not as it should be"
    return ""


def parsed(letter: outgoing.Letter) -> EmailMessage:
    """The letter as a mail program reads it, with the form of its bytes checked on the way."""
    return read_back(outgoing.as_message(letter).message().as_bytes(linesep="\r\n"))  # type: ignore[call-arg]


def read_back(raw: bytes) -> EmailMessage:
    """A letter's bytes, parsed without a defect, no line longer than SMTP allows (RFC 5321, 4.5.3.1.6)."""
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\x00" not in raw
    message = email.message_from_bytes(raw, policy=policy.default)
    for part in message.walk():
        assert not part.defects, part.defects
        for name, value in part.items():
            assert not getattr(value, "defects", ()), (name, value.defects)
            assert len(set(part.get_all(name))) == len(part.get_all(name)) == 1, name
    return message  # type: ignore[return-value]
