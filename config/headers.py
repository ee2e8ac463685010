"""Security headers on every answer, errors and static files included, and no body larger than the site needs."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Cache-Control": "no-store",
}

MOST_BODY = 65_536
# Forms that take a reading list as a file (`subscriptions/uploads.py`: 5 MB), beside the one they carry along. A larger
# file is cut while it is read (`bodies.py`), so that the form can say so and keep what was typed.
MOST_LIST_BODY = 33_554_432
MOST_STAFF_BODY = 2_097_152
LISTS = {"/subscribe/", "/subscribe/preview/", "/preferences/"}
# Staff's forms take lists as files, and mail providers report in batches. Whoever is not signed in may try these too,
# and Django writes a file to the disk before any page of ours has a say.
LARGE_BODIES = ("/admin/", "/desk/", "/hooks/")
# Leaving by the mail program's button (RFC 8058): whatever is sent along, and however, the POST itself says it all.
LEAVING = ("/u/", "/b/")
UNREAD = "offprint.unread"  # in META: the body is too long, or of unknown length, and was left alone
DOORS = {"/desk/sign-in/", "/desk/second/", "/desk/sign-out/"}


class SecurityHeaders:
    """Adds what Django's own middleware leaves out; a view may set a header first and keep it.

    An answer that says nothing about caches is kept by none, and neither is one that sets a cookie:
    somebody else's cookie or page can then never come out of a shared cache.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        if response.cookies and "public" in response.headers["Cache-Control"]:
            response.headers["Cache-Control"] = "no-store"
        return response


class BodyLimit:
    """Refuses a body that is too long, or without a length, before any of it is read.

    `MOST_BODY` bytes is the limit of a public form, `MOST_LIST_BODY` of one that may bring a list, `MOST_STAFF_BODY` of
    staff's.
    For leaving none is refused: such a body is not read.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        most = _most(request)
        if _length(request) <= most:
            return self.get_response(request)
        if request.path.startswith(LEAVING):
            request.META[UNREAD] = "yes"
            return self.get_response(request)
        sentence = f"This is too much at once: a form here takes up to {most:,} bytes. Shorten it and send it again.\n"
        return HttpResponse(sentence, status=413, content_type="text/plain; charset=utf-8")


class NoNul:
    """Refuses an address with a NUL in it: no text has one, and PostgreSQL stores none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" not in request.path and "%00" not in request.META.get("QUERY_STRING", ""):
            return self.get_response(request)
        sentence = "This address holds a character that no text has. Copy it anew, or type it.\n"
        return HttpResponse(sentence, status=400, content_type="text/plain; charset=utf-8")


def _most(request: HttpRequest) -> int:
    if request.path.startswith(LARGE_BODIES) and request.path not in DOORS:
        return MOST_STAFF_BODY
    takes_file = request.path in LISTS and request.META.get("CONTENT_TYPE", "").startswith("multipart/form-data")
    return MOST_LIST_BODY if takes_file else MOST_BODY


def _length(request: HttpRequest) -> int:
    """What the body is said to be long; one sent in chunks, without saying so, counts as too long."""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        return MOST_LIST_BODY + 1
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else MOST_LIST_BODY + 1
