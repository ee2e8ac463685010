"""What visitors ask for in an address: numbers and words, read without trust."""

from __future__ import annotations

from django.http import HttpRequest

MAX_PAGE = 500


def page_number(request: HttpRequest) -> int:
    """`?page=3`; anything that is not such a number is the first page."""
    text = request.GET.get("page", "")
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        return 1
    return min(max(int(text), 1), MAX_PAGE)


def asked_query(request: HttpRequest) -> str:
    """`?q=…` as typed."""
    return request.GET.get("q", "").strip()


def asked_area(request: HttpRequest) -> str:
    """`?area=cs.CL`, cut to what an area's name can be."""
    return request.GET.get("area", "")[:120]
