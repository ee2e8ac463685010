"""The desk in a real browser: each journey with mouse, keys and no script; axe, the strict CSP, any width."""

from __future__ import annotations

import io
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from digest.desk import nightly_mail
from digest.desk.pages import paper_filter
from digest.editions import lifecycle
from digest.models import Attempt, AuditEntry, Channel, Delivery, Edition, Fetch, Identifier, Outcome
from subscriptions import services
from subscriptions.limits import limiter
from subscriptions.models import Subscriber, Suppression
from tests import make
from tests.browser import SCHEMES, WIDTHS, faults, is_too_wide, opened

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
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
    assert list(AuditEntry.objects.order_by("id").values_list("verb", flat=True)) == verbs


@pytest.fixture
def first_run(live_server, django_user_model, settings):
    """What `manage.py up` leaves on an empty folder, with the one account that the operator makes; its address."""
    settings.SAMPLE_FEEDS, settings.MAIL_CHANNEL = "always", "outbox"
    settings.EMAIL_BACKEND = "subscriptions.mail.outgoing.OutboxBackend"
    call_command("up", "--once", "--json", stdout=io.StringIO())
    django_user_model.objects.create_superuser("root", password=PASSWORD)
    return live_server.url


@pytest.mark.slow
def test_after_a_first_run_a_new_curator_releases_the_practice_edition(browser, first_run):
    """From Today on, by what the pages say: each step is a link or a button of the page before."""
    tomorrow = Edition.objects.latest("date")
    with signed_in(browser, first_run, "root") as page:
        page.get_by_role("link", name="Go through the papers of").click()
        expect(page.locator(".sift")).to_have_count(12)
        for key in ("j", "p"):
            page.keyboard.press(key)
        expect(page.locator(".sift.is-pinned")).to_have_count(1)
        for key in ("j", "h"):
            page.keyboard.press(key)
        expect(page.locator(".sift.is-hidden")).to_have_count(1)
        page.get_by_role("link", name="Done: to the edition").click()
        page.get_by_label("At the head of every letter").fill("Read the first one.")
        page.get_by_role("button", name="Keep the note").click()
        page.get_by_role("link", name="Whose letter changes?").click()
        expect(page.locator(".lede")).to_contain_text("readers would get a different letter")
        page.get_by_role("link", name="Edition of").click()
        page.get_by_role("link", name="Release now").click()
        expect(page.get_by_text("11, of them 1 pinned; 1 more hidden")).to_be_visible()
        page.get_by_role("button", name="Release it").click()
        expect(page.get_by_role("status")).to_contain_text("five minutes")
        page.get_by_role("link", name="Today").click()
        expect(page.locator(".matters")).to_contain_text("is going out")
        page.get_by_role("link", name="See it, or take it back").click()
        expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    tomorrow.refresh_from_db()
    assert (tomorrow.state, tomorrow.note) == ("frozen", "Read the first one.")
    assert lifecycle.release_due(tomorrow.release_at + timedelta(seconds=1))
    tomorrow.refresh_from_db()
    assert tomorrow.state == "released"


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


def titles(page):
    return page.locator(".sift h2 a").all_inner_texts()


def stands_at(page):
    """The title of the paper that has the focus."""
    expect(page.locator(".sift:focus")).to_have_count(1)
    return page.locator(".sift:focus h2 a").inner_text()


def press_at(page, title, key):
    """One act by its key, and the page that comes after it."""
    page.locator(".sift", has=page.locator("h2", has_text=title)).focus()
    with page.expect_navigation():
        page.keyboard.press(key)


@pytest.mark.parametrize(("show", "key"), [("all", "p"), ("open", "p"), ("open", "h")])
def test_after_an_act_the_keys_go_on_at_the_next_paper(show, key, browser, desk):
    Edition.objects.get().entries.filter(paper__title=HOSTILE).delete()
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/?show={show}") as page:
        before = titles(page)
        press_at(page, before[3], key)
        assert stands_at(page) == before[4]
        page.keyboard.press("j")
        assert stands_at(page) == before[5]


def test_after_an_act_that_leaves_a_paper_where_it_is_the_keys_stay_at_it(browser, desk):
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/") as page:
        press_at(page, "Speech number 3", "h")
        assert stands_at(page) == "Speech number 3"


def test_an_act_at_the_end_of_a_later_page_stays_on_it(browser, desk, monkeypatch):
    monkeypatch.setattr(paper_filter, "A_PAGE", 3)
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/?page=2") as page:
        before = titles(page)
        press_at(page, before[2], "p")
        assert "page=2" in page.url
        assert stands_at(page) == before[1]
        with page.expect_navigation():
            page.keyboard.press("u")
        assert (titles(page), stands_at(page)) == (before, before[2])


def test_an_undo_comes_back_at_the_paper_it_concerns_or_where_one_stood(browser, desk):
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/?show=all") as page:
        press_at(page, "Speech number 2", "h")
        press_at(page, "Speech number 0", "u")
        assert stands_at(page) == "Speech number 2"
        press_at(page, "Speech number 3", "h")
        page.goto(f"{desk}/desk/triage/{TODAY}/?show=hidden")
        page.goto(f"{desk}/desk/triage/{TODAY}/?q=zero+OR+number+NOT+3")
        press_at(page, "Speech number 1", "u")
        assert stands_at(page) == "Speech number 1"


def test_the_key_for_the_next_paper_goes_on_to_the_next_page(browser, desk, monkeypatch):
    monkeypatch.setattr(paper_filter, "A_PAGE", 3)
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/?order=votes") as page:
        expect(page.locator("#keys")).to_contain_text("goes on to page 2")
        assert titles(page) == ["Speech number 4", "Speech number 3", "Speech number 2"]
        page.locator(".sift").last.focus()
        with page.expect_navigation():
            page.keyboard.press("j")
        assert stands_at(page) == "Speech number 1"


def test_a_half_written_note_on_a_paper_outlives_other_acts(browser, desk):
    with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/") as page:
        page.locator(".sift", has=page.locator("h2", has_text="Speech number 0")).focus()
        page.keyboard.press("n")
        page.keyboard.type("Half a")
        page.keyboard.press("Escape")
        press_at(page, "Speech number 2", "p")
        row = page.locator(".sift", has=page.locator("h2", has_text="Speech number 0"))
        expect(row.locator("input[name=note]").last).to_have_value("Half a")
        expect(row.get_by_text("Not kept yet")).to_be_visible()
        row.get_by_role("button", name="Keep").click()
        expect(page.locator(".unkept:visible")).to_have_count(0)
    assert Edition.objects.get().entries.get(paper__title="Speech number 0").note == "Half a"


def test_pins_are_ordered_beside_a_note_that_is_not_kept_yet(browser, desk):
    entries = Edition.objects.get().entries
    for place in range(2):
        entries.filter(paper__title=f"Speech number {place}").update(is_pinned=True, position=place)
    with signed_in(browser, desk, path=f"/desk/edition/{TODAY}/") as page:
        page.get_by_label("At the head of every letter").fill("Half a note")
        page.locator(".pins button[value=up]").last.click()
        page.wait_for_url("**/#pins")
        expect(page.locator(".pins li").first).to_contain_text("Speech number 1")
        expect(page.get_by_label("At the head of every letter")).to_have_value("Half a note")
        expect(page.get_by_text("Not kept yet")).to_be_visible()
        page.get_by_role("button", name="Undo: order pins").click()
        expect(page.locator(".pins li").first).to_contain_text("Speech number 0")
        page.get_by_role("button", name="Keep the note").click()
        expect(page.locator(".unkept:visible")).to_have_count(0)
    assert Edition.objects.get().note == "Half a note"


def test_leaving_a_note_that_is_not_kept_asks_first(browser, desk):
    with signed_in(browser, desk, path=f"/desk/edition/{TODAY}/") as page:
        leaves = "window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"
        assert page.evaluate(leaves)
        page.get_by_label("At the head of every letter").fill("Half a note")
        assert not page.evaluate(leaves)


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
        expect(page.get_by_role("status").first).to_contain_text("Undone: the split of")
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


@pytest.fixture
def lived_in(desk):
    """The desk after some weeks: letters in every state, holds, a pause, a source in trouble, an edition out."""
    now = datetime.now(UTC)
    edition = make.edition(TODAY - timedelta(days=1), [make.paper("Yesterday’s paper")], released_at=now)
    attempt = Attempt.objects.create(channel="smtp", worker="w", lease_until=now, started_at=now)
    for n, state in enumerate(Delivery.State.values):
        reader = make.subscriber(f"{state}.with-a-rather-long-name@department.of.physics.example", queries=["speech"])
        Delivery.objects.create(
            edition=edition, subscriber=reader, state=state, attempt=attempt, address_hmac="0" * 64, settled_at=now,
            local_date=TODAY, due_at=now, next_at=now, planned_at=now, reason="unclear" if state == "uncertain" else "",
            fate="bounced" if state == "accepted" else "", matched=n,
            papers=[{"paper": edition.entries.get().paper_id, "reasons": [{"label": "speech"}]}],
        )  # fmt: skip
    make.subscriber("waits@example.org", state="pending", next_digest_at=None)
    services.suppress("gone@example.org", Suppression.Reason.HARD_BOUNCE, now, "550 5.1.1 no such user")
    Channel.objects.create(name="smtp", held_by="breaker", held_reason="Too many bounces.", held_at=now, probe_at=now)
    limiter.hold("destination", "slow.example", now + timedelta(hours=1), "451 Try again later.")
    source = make.source("arxiv-cs-cl", failures=3, held_reason="An HTML page came instead of a feed.")
    for n, outcome in enumerate(Outcome.values):
        Fetch.objects.create(
            source=source, at=now, day=TODAY - timedelta(days=n), outcome=outcome, http_status=200, body=b"x",
            entries=n, warnings=["A remark of some length about what came, and what was done with it."],
        )  # fmt: skip
    nightly_mail.count(now)
    return desk


STATES = [
    "/desk/", f"/desk/triage/{TODAY - timedelta(days=1)}/", f"/desk/edition/{TODAY - timedelta(days=1)}/",
    f"/desk/triage/{TODAY}/?show=hidden", f"/desk/triage/{TODAY}/?q=xylophone", f"/desk/triage/{TODAY}/?q=(speech",
    "/desk/readers/?q=accepted.", "/desk/readers/?q=@example.org", "/desk/readers/?q=nobody@nowhere.example",
    "/desk/readers/?state=pending",
    "/desk/preview/", "/desk/preview/?reader=999999", "/desk/preview/?q=speech&look=dark",
    "/desk/preview/?q=speech&look=text&width=phone", "/desk/sources/", "/desk/sources/arxiv-cs-cl/",
    "/desk/topics/", "/desk/topics/speech/", "/desk/deliverability/", "/desk/deliverability/?destination=example.org",
    "/desk/log/?verb=sign+in", "/desk/log/?actor=nobody",
]  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_state_is_readable_by_everyone(width, scheme, browser, lived_in):
    entries = Edition.objects.get(date=TODAY).entries
    for field, entry in zip(("is_pinned", "is_hidden"), entries.all()[:2], strict=True):
        entries.filter(pk=entry.pk).update(**{field: True, "note": "Read this one first."})
    readers = [f"/desk/readers/{row.uuid}/" for row in Subscriber.objects.order_by("state", "pk").distinct()[:12]]
    with signed_in(browser, lived_in, "admin", width=width, scheme=scheme) as page:
        for path in (*STATES, *readers, f"/desk/edition/{TODAY}/", f"/desk/edition/{TODAY}/difference/"):
            page.goto(lived_in + path)
            assert faults(page) == [], path
            assert not is_too_wide(page), path
            assert page.locator(".scroll").evaluate_all(HIDES_SIDEWAYS) == [], path


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_another_query_would_change_is_readable_by_everyone(scheme, browser, desk):
    with signed_in(browser, desk, path="/desk/topics/speech/", scheme=scheme, width=min(WIDTHS)) as page:
        page.get_by_label("Query", exact=True).fill('"number 0" OR alert')
        page.get_by_role("button", name="Try it").click()
        for heading in ("Gained", "Lost"):
            expect(page.get_by_role("heading", name=heading)).to_be_visible()
        assert faults(page) == []
        assert not is_too_wide(page)


# Tables of which a part can only be reached by scrolling sideways.
HIDES_SIDEWAYS = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.ariaLabel)"


def test_what_an_act_said_is_readable_by_everyone(browser, lived_in):
    """The page after each act of the edition: kept, refused, held, let go, on its way, taken back, frozen."""
    with signed_in(browser, lived_in, path=f"/desk/edition/{TODAY}/", scheme="dark") as page:
        page.get_by_label("At the head of every letter").fill("Read the first one.")
        for button in ("Keep the note", "Set the time", "Take it back", "Let it go by itself", "Hold", "Freeze"):
            page.get_by_role("button", name=button, exact=True).click()
            expect(page.get_by_role("status").or_(page.get_by_role("alert"))).to_have_count(1)
            assert faults(page) == [], button
            page.goto(f"{lived_in}/desk/triage/{TODAY}/")
            assert faults(page) == [], button
            page.goto(f"{lived_in}/desk/edition/{TODAY}/")
    assert Edition.objects.get(date=TODAY).state == "frozen"


def test_an_edition_is_released_by_keys_alone(browser, desk):
    with signed_in(browser, desk, path=f"/desk/edition/{TODAY}/") as page:
        page.get_by_label("At the head of every letter").focus()
        page.keyboard.type("Read the first one.")
        tab_to(page, "Keep the note")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("The note is kept")
        tab_to(page, "Release now …")
        page.keyboard.press("Enter")
        page.wait_for_url("**/release/")
        tab_to(page, "Release it")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("five minutes")
        tab_to(page, "Take it back")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Taken back")
    assert Edition.objects.get().state == "held"


def tab_to(page, words):
    """Press Tab until what has the focus says `words`; every stop on the way shows where it is."""
    for _ in range(80):
        page.keyboard.press("Tab")
        at, seen = page.evaluate(
            "[document.activeElement.innerText, getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert seen != "none", at
        if at.strip() == words:
            return
    pytest.fail(f"Tab never comes to {words!r}")


def test_the_keys_are_told_only_where_they_work(browser, desk):
    for script in (True, False):
        with signed_in(browser, desk, path=f"/desk/triage/{TODAY}/", script=script) as page:
            assert page.locator("#keys").is_visible() is script
            if script:
                page.locator(".sift").first.focus()
                page.keyboard.press("o")
                expect(page.locator(".sift details").first).to_have_attribute("open", "")


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


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_page_for_others_is_readable_by_everyone(scheme, browser, desk):
    with signed_in(browser, desk, scheme=scheme, width=min(WIDTHS)) as page:
        assert page.goto(f"{desk}/desk/log/").status == 403
        assert faults(page) == []
        assert not is_too_wide(page)
        page.get_by_role("link", name="To Today").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Today")


@pytest.mark.parametrize("path", ["/desk/sign-in/", "/admin/"])
def test_the_way_in_is_readable_by_everyone(path, browser, desk):
    with opened(browser, desk + path) as page:
        assert faults(page) == []


def test_the_stock_admin_keeps_the_strict_policy(browser, desk, django_user_model):
    django_user_model.objects.create_superuser("root", password=PASSWORD)
    with signed_in(browser, desk, "root", "/admin/") as page:
        for path in ("/admin/digest/paper/", "/admin/subscriptions/topic/add/", "/admin/digest/edition/1/change/"):
            assert page.goto(desk + path).status == 200
