"""What public pages tell caches: how long they keep, and a tag by which an unchanged page is not sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import parse_http_date_safe

View = Callable[..., HttpResponse]
MINUTE = 60


def public(max_age: int) -> Callable[[View], View]:
    """Let anyone keep the answer for `max_age` seconds, and answer 304 to whoever has it already.

    The tag is made from the content itself, so whatever changes on a page (a vote, a note) changes it.
    A page that a reader is named on, or that sets a cookie, must not be decorated with this.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            if response.status_code != 200:
                return response
            return conditional(request, response, max_age)

        return answer

    return decorate


def conditional(request: HttpRequest, response: HttpResponse, max_age: int) -> HttpResponse:
    response["Cache-Control"] = f"public, max-age={max_age}, stale-while-revalidate={max_age}"
    response["ETag"] = '"' + hashlib.sha256(response.content).hexdigest()[:32] + '"'
    patch_vary_headers(response, ["Accept-Encoding"])
    modified = parse_http_date_safe(response.get("Last-Modified", ""))
    kept = get_conditional_response(request, response["ETag"], modified, response)
    return kept if isinstance(kept, HttpResponse) else response
