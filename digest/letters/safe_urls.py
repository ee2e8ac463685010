"""Which of a feed's addresses may become a link: http and https to a named host, and nothing else."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

MAX_URL = 500
_SAFE = "/:?#[]@!$&'()*+,;=%~-._"
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def safe(url: object) -> str:
    """The address, percent-encoded to ASCII with its host in IDNA, or "" where it should not be followed."""
    text = str(url or "").strip()
    if not text or len(text) > MAX_URL or re.search(r"[\s\x00-\x20\x7f-\x9f<>\"\\]", text):
        return ""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        if not host.isascii():  # look-alike letters show as `xn--…`
            host = host.encode("idna").decode()
        netloc = host
        if parts.port:
            netloc = f"{host}:{parts.port}"
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return ""
    rest = parts._replace(scheme="", netloc="").geturl()
    try:
        return f"{parts.scheme.lower()}://{netloc}{quote(rest, safe=_SAFE)}"
    except UnicodeEncodeError:
        return ""


def host(url: str) -> str:
    """What a reader should see of where a link leads."""
    return (urlsplit(url).hostname or "").removeprefix("www.")
