"""The desk in a real browser: each journey with mouse, keys and no script; axe, the strict CSP, any width."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from digest.desk.models import Act
from digest.models import Edition, Identifier
from tests import make
from tests.browser import SCHEMES, WIDTHS, faults, is_too_wide, opened

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("free_log")]
PASSWORD = "a long and good password"
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
TODAY = datetime.now(UTC).date()


@pytest.fixture
def desk(live_server, staff):
    """A desk with an open edition of today, one of its papers hostile; returns the site's address."""
    for role in ("curator", "admin"):
        user = staff(role)
        user.set_password(PASSWORD)
        user.save()
    papers = [make.paper(f"Speech number {n}", abstract="It works. " * 20, upvotes=n) for n in range(5)]
    papers += [make.paper("Speech, Number 4."), make.paper(HOSTILE, abstract=HOSTILE, authors=[HOSTILE])]
    make.edition(TODAY, papers, state="collecting")
    make.subscriber("ann@example.org", topics=[make.topic("speech", "speech", name="Speech, and a long name " * 3)])
    return live_server.url


@contextmanager
def signed_in(browser, desk, name="curator", path="/desk/", **how):
    with opened(browser, f"{desk}/desk/sign-in/?next={quote(path)}", **how) as page:
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(desk + path)
        yield page


def test_a_new_curator_releases_an_edition_with_a_pin_a_hide_and_a_note(browser, desk):
    with signed_in(browser, desk) as page:
        page.get_by_role("link", name="Go through the papers").click()
        page.get_by_role("button", name="Pin Speech number 0").click()
        page.get_by_role("button", name="Hide Speech number 1").click()
        page.get_by_role("link", name="On to the edition").click()
        page.get_by_label("At the head of every letter").fill("Read the first one.")
        expect(page.locator("#note-preview")).to_have_text("Read the first one.")
        page.get_by_role("button", name="Keep the note").click()
        page.get_by_role("link", name="Release now").click()
        expect(page.get_by_text("at most 1")).to_be_visible()
        page.get_by_role("button", name="Release it").click()
        expect(page.get_by_role("status")).to_contain_text("five minutes")
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_role("status")).to_contain_text("Taken back")
    edition = Edition.objects.get()
    assert (edition.state, edition.note) == ("held", "Read the first one.")
    assert list(edition.entries.filter(is_pinned=True).values_list("paper__title", flat=True)) == ["Speech number 0"]
    verbs = ["sign in", "pin", "hide", "write note", "release", "take back"]
    assert list(Act.objects.order_by("id").values_list("verb", flat=True)) == verbs


def test_the_papers_are_gone_through_by_keys_alone(browser, desk):
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/") as page:
        for key in ("j", "p"):
            page.keyboard.press(key)
        page.wait_for_url("**#p*")
        page.keyboard.press("j")
        page.keyboard.press("h")
        expect(page.locator(".sift.is-hidden")).to_have_count(1)
        page.keyboard.press("u")
        expect(page.locator(".sift.is-hidden")).to_have_count(0)
        page.locator(".sift").nth(3).focus()
        page.keyboard.press("n")
        page.keyboard.type("see jph")
        page.keyboard.press("Enter")
        expect(page.locator("input[name=note]").nth(3)).to_have_value("see jph")
        page.keyboard.press("k")
    entries = Edition.objects.get().entries
    assert entries.filter(is_pinned=True).count() == 1
    assert entries.filter(is_hidden=True).count() == 0
    assert entries.filter(note="see jph").count() == 1


def test_a_key_that_does_nothing_says_why(browser, desk):
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/") as page:
        for key, words in (("p", "Choose a paper first"), ("u", "nothing of yours to undo")):
            page.keyboard.press(key)
            expect(page.locator("#keys-say")).to_contain_text(words)
        page.locator(".sift", has_text="Speech number 1").focus()
        page.keyboard.press("m")
        expect(page.locator("#keys-say")).to_contain_text("nothing to merge")
        Edition.objects.update(state="released", serial=1, released_at=datetime.now(UTC))
        page.reload()
        page.keyboard.press("h")
        expect(page.locator("#keys-say")).to_contain_text("This edition is out")
        expect(page.locator("#keys-say")).to_contain_text("The next edition opens on")
        expect(page.locator("#keys-say")).to_be_in_viewport()


def test_twins_are_merged_by_a_key(browser, desk):
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/") as page:
        page.locator(".sift", has_text="The same?").first.focus()
        page.keyboard.press("m")
        expect(page.get_by_role("status").first).to_contain_text("one paper now")
    assert Edition.objects.get().entries.count() == 6


def test_a_paper_of_two_names_is_split_and_made_one_again_without_script(browser, desk):
    paper = Edition.objects.get().entries.first().paper
    Identifier.objects.create(value="doi:10.1000/two", paper=paper)
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/", script=False, width=320) as page:
        page.get_by_role("link", name=f"Split {paper.title}").click()
        page.get_by_role("button", name="Split it").click()
        expect(page.get_by_role("alert")).to_contain_text("not none and not all")
        page.get_by_label("DOI 10.1000/two").check()
        page.get_by_role("button", name="Split it").click()
        expect(page.get_by_role("status").first).to_contain_text("two papers now")
        assert Identifier.objects.get(value="doi:10.1000/two").paper_id != paper.pk
        page.get_by_role("button", name="Undo: split").click()
        expect(page.get_by_role("status").first).to_have_text("Undone.")
    assert Identifier.objects.get(value="doi:10.1000/two").paper_id == paper.pk


def test_everything_works_without_script(browser, desk):
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/", script=False) as page:
        page.get_by_role("button", name="Pin Speech number 0").click()
        page.get_by_label("Only papers that match").fill("title:number AND NOT four")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator(".sift")).to_have_count(6)
        page.get_by_role("button", name="Undo: pin").click()
        expect(page.locator(".sift.is-pinned")).to_have_count(0)


@pytest.mark.parametrize("look", ["light", "dark", "text"])
def test_s25_a_hostile_letter_runs_nowhere(look, browser, desk):
    Edition.objects.update(note=HOSTILE)
    with signed_in(browser, desk, "admin", f"/desk/preview/?look={look}&q=speech") as page:
        frame = page.frame_locator("iframe.letter")
        expect(frame.locator("body")).to_contain_text("Speech number")
        assert page.evaluate("document.querySelector('iframe').contentDocument") is None


def test_an_admin_erases_a_reader_by_typing_their_number(browser, desk):
    with signed_in(browser, desk, "admin", "/desk/readers/") as page:
        page.get_by_label("Address, its beginning").fill("ann@")
        page.get_by_role("button", name="Find").click()
        page.locator("table.table a").first.click()
        number = page.locator("h1").inner_text().split()[-1]
        page.get_by_label("Erase everything").fill(number)
        page.get_by_role("button", name="Erase").click()
        expect(page.get_by_role("status")).to_have_text("Erased.")


PAGES = [
    "/desk/", f"/desk/triage/{TODAY}/", f"/desk/triage/{TODAY}/add/", f"/desk/edition/{TODAY}/",
    f"/desk/edition/{TODAY}/release/", f"/desk/edition/{TODAY}/difference/", "/desk/preview/?q=speech",
    "/desk/readers/", "/desk/readers/import/", "/desk/topics/", "/desk/topics/speech/", "/desk/topics/new/",
    "/desk/sources/", "/desk/sources/arxiv-cs-cl/", "/desk/sources/new/", "/desk/sources/import/",
    "/desk/deliverability/",
    "/desk/deliverability/suppression/", "/desk/log/", "/desk/doctor/",
]  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_readable_by_everyone(width, scheme, browser, desk):
    paper = Edition.objects.get().entries.first().paper
    Identifier.objects.create(value="doi:10.1000/two", paper=paper)
    with signed_in(browser, desk, "admin", width=width, scheme=scheme) as page:
        for path in (*PAGES, f"/desk/triage/{TODAY}/split/{paper.pk}/", "/desk/nonsense/"):
            assert page.goto(desk + path).status == (404 if "nonsense" in path else 200)
            assert faults(page) == [], path
            assert not is_too_wide(page), path


@pytest.mark.parametrize("path", ["/desk/sign-in/", "/admin/"])
def test_the_way_in_is_readable_by_everyone(path, browser, desk):
    with opened(browser, desk + path) as page:
        assert faults(page) == []


def test_the_stock_admin_keeps_the_strict_policy(browser, desk, django_user_model):
    django_user_model.objects.create_superuser("root", password=PASSWORD)
    with signed_in(browser, desk, "root", "/admin/") as page:
        for path in ("/admin/digest/paper/", "/admin/subscriptions/topic/add/", "/admin/digest/edition/1/change/"):
            assert page.goto(desk + path).status == 200
