"""What a visitor sees when something is not there, not allowed or broken: a plain sentence and a way on."""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from subscriptions import disk


def _page(request: HttpRequest, status: int, kicker: str, heading: str, sentence: str, what_to_do: str) -> HttpResponse:
    context = {"kicker": kicker, "heading": heading, "sentence": sentence, "what_to_do": what_to_do}
    response = render(request, "site/error.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        400,
        "Not understood",
        "This request makes no sense here",
        "The address or the form that came in could not be read.",
        "Go back and try again; if you followed a link, copy it whole from where it came.",
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        403,
        "Not allowed",
        "This page is not open to you",
        "It needs rights that this browser has not shown.",
        "If it is about your own letters, use the link at the foot of any of them.",
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        404,
        "Not found",
        "There is no such page",
        "The address may be mistyped, or what it led to is gone.",
        "Links in letters are long: make sure yours was copied whole.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours; a database that is away or locked is none, and passes by itself; nor is a full disk."""
    error = sys.exc_info()[1]
    if disk.is_full(error):
        return full(request)
    if isinstance(error, (OperationalError, InterfaceError)):
        return away(request)
    return _page(
        request,
        500,
        "Our mistake",
        "Something broke on our side",
        "The page could not be made. Nothing you sent has been half done.",
        "Try again in a minute; whoever runs this site finds the cause in its log.",
    )


def away(request: HttpRequest) -> HttpResponse:
    """Never a 200 for a form that was not kept; a provider that gets this answer sends its report again."""
    response = _page(
        request,
        503,
        "Back in a moment",
        "The site cannot reach its records just now",
        "It is being looked after, or very busy. Nothing you sent has been kept, not even in part.",
        "Go back and send it again in a minute.",
    )
    response["Retry-After"] = "60"
    return response


def full(request: HttpRequest) -> HttpResponse:
    response = _page(
        request,
        503,
        "No room",
        "The site has no room left to write",
        "Its disk is full. Nothing you sent has been kept, not even in part.",
        "Go back and send it again later; whoever runs this site has to make room first.",
    )
    response["Retry-After"] = "600"
    return response


def busy(request: HttpRequest) -> HttpResponse:
    response = _page(
        request,
        503,
        "Too busy",
        "This page takes too long just now",
        "The archive is being searched by many, or has just grown.",
        "Try again in a minute.",
    )
    response["Retry-After"] = "60"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's own proof was missing: an old page, or cookies switched off."""
    return _page(
        request,
        403,
        "Please send it again",
        "The form was too old to be accepted",
        "A form proves that it comes from this site. Yours had no proof, or an old one, so nothing was changed.",
        "Go back, reload the page and send the form again; the site must be allowed to set its one cookie for that.",
    )


class WrongMethod:
    """Gives the answer 405, which Django leaves blank, a page: an address meant for a form may be typed or reloaded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or response.content:
            return response
        page = _page(
            request,
            405,
            "Not this way",
            "This address is not opened like that",
            "It takes what a form or a program sends, or it only shows and takes nothing.",
            "Go back to the page you came from and use its buttons.",
        )
        page["Allow"] = response["Allow"]
        return page
