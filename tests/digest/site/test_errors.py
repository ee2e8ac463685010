"""What a visitor sees when something is wrong."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from digest.site import errors, pages

NEEDS = pytest.mark.django_db


def test_a_page_that_is_not_there_says_so_in_the_look_of_the_site(client: Client) -> None:
    answer = client.get("/no/such/page")

    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()
    assert "offprint.css" in answer.content.decode()


def test_the_icon_is_found_at_its_old_address_too(client: Client) -> None:
    assert client.get("/favicon.ico").headers["Location"] == "/static/favicon.svg"


def test_a_strange_host_gets_no_link_made_of_it() -> None:
    answer = Client().get("/", headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert "evil.example" not in answer.content.decode()


def test_a_fault_of_ours_says_so_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(pages.load, "newest", broken)
    answer = Client(raise_request_exception=False).get("/")

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
    assert "secret detail" not in answer.content.decode()


@pytest.mark.parametrize(("make", "status"), [(errors.forbidden, 403), (errors.csrf_failure, 403)])
def test_refusals_say_what_to_do(make: object, status: int) -> None:
    answer = make(RequestFactory().get("/"))  # type: ignore[operator]

    assert answer.status_code == status
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(("method", "path"), [("get", "/subscribe/preview/"), ("put", "/"), ("delete", "/subscribe/")])
def test_a_wrong_method_gets_a_page_and_is_told_the_right_ones(method: str, path: str) -> None:
    answer = getattr(Client(HTTP_HOST="localhost"), method)(path)

    assert answer.status_code == 405
    assert "use its buttons" in answer.content.decode()
    assert answer["Allow"]
    assert "no-store" in answer["Cache-Control"]


@NEEDS
def test_a_form_without_its_proof_is_refused_with_a_way_on() -> None:
    answer = Client(enforce_csrf_checks=True).post("/")

    assert answer.status_code == 403
    assert "Go back, reload the page and send the form again" in answer.content.decode()
