"""What visitors ask for in an address: numbers and words, read without trust."""

from __future__ import annotations

from django.http import HttpRequest

MAX_PAGE = 500


def page_number(request: HttpRequest) -> int:
    """`?page=3`; anything that is not such a number is the first page."""
    text = request.GET.get("page", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 1
    return min(max(number, 1), MAX_PAGE)


def asked_query(request: HttpRequest) -> str:
    """`?q=…` as typed, without NUL, which no database stores."""
    return request.GET.get("q", "").replace("\x00", "").strip()
