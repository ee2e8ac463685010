from __future__ import annotations

import html
import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from digest.models import Delivery, Skip
from subscriptions import services
from subscriptions.links import urls
from subscriptions.models import Frequency, Notice, Subscriber
from subscriptions.signup import requests
from subscriptions.wants import interests, liked_papers
from subscriptions.when import week
from tests import make
from tests.make import NOW
from tests.subscriptions.pages import entered, text, visitor

pytestmark = pytest.mark.django_db
State = Subscriber.State


def opened(reader: Subscriber):
    client, page = entered(urls.preferences_url(reader))
    assert page == "/preferences/"
    return client


def post(reader: Subscriber, **fields):
    response = opened(reader).post("/preferences/", fields)
    reader.refresh_from_db()
    return response


def test_the_link_in_a_letter_opens_the_preferences():
    reader = make.subscriber(topics=[make.topic()], queries=["protein"])
    page = text(opened(reader).get("/preferences/"))
    assert "Speech" in page
    assert ">protein</textarea>" in page


def test_s6_the_page_does_not_tell_the_address():
    reader = make.subscriber("ada.lovelace@example.org")
    assert "lovelace" not in text(opened(reader).get("/preferences/"))


def test_each_interest_has_its_count_of_last_week():
    make.edition(papers=[make.paper("Speech one"), make.paper("Speech two"), make.paper("Protein")])
    make.edition(make.TODAY - timedelta(days=9), papers=[make.paper("Speech of old")])
    reader = make.subscriber(queries=["speech", "quaternions"])
    page = text(opened(reader).get("/preferences/"))
    assert '<span class="num">2</span> papers last week, <span class="num">3</span> in 30 days' in page
    assert "It brings nothing" in page


def test_interests_are_replaced_weighed_and_muted():
    make.topic("speech")
    reader = make.subscriber(queries=["protein", "galaxies"])
    protein = reader.interests.get(text="protein")
    fields = {f"weight-{protein.pk}": "more", "muted": "protein"}
    response = post(reader, act="interests", topics=["speech"], queries="protein", **fields)
    assert "Your interests are kept" in text(response)
    kept = {one.label: (one.weight, one.muted) for one in reader.interests.all()}
    assert kept == {"protein": (2.0, True), "Speech": (1.0, False)}


def test_a_bad_query_changes_nothing_and_says_where():
    reader = make.subscriber(queries=["protein"])
    response = post(reader, act="interests", queries="protein\n(speech")
    assert response.status_code == 422
    assert "Line 2, column" in text(response)
    assert [one.label for one in reader.interests.all()] == ["protein"]


def test_a_line_that_only_leaves_out_mutes_and_the_box_takes_it_back():
    make.edition(papers=[make.paper("Speech survey"), make.paper("Speech one"), make.paper("Survey of galaxies")])
    reader = make.subscriber(queries=["speech"])
    post(reader, act="interests", queries="speech\n-survey")
    kept = {one.label: one.muted for one in reader.interests.all()}
    assert kept == {"speech": False, "survey": True}
    page = text(opened(reader).get("/preferences/"))
    assert 'name="muted" value="survey" checked' in page
    assert '<span class="num">1</span> paper kept out last week' in page
    preview = text(visitor().post("/subscribe/preview/", {"queries": "speech\nsurvey", "muted": "survey"}))
    assert ">1</strong> of the" in preview
    assert 'survey <span class="meta">muted: keeps <span class="num">1</span> out' in preview
    post(reader, act="interests", queries="speech\nsurvey")
    assert not reader.interests.filter(muted=True).exists()


def test_a_sentence_among_the_interests_joins_the_description():
    reader = make.subscriber(queries=["protein"])
    for sentence in ("how do proteins fold in water", "why do so many misfold"):
        answer = post(reader, act="interests", queries=f"protein\n{sentence}")
        assert "stands in your description now" in text(answer)
    assert [one.label for one in reader.interests.all()] == ["protein"]
    assert reader.descriptions.get().text == "how do proteins fold in water\nwhy do so many misfold"


def test_a_filter_of_many_words_stays_one():
    reader = make.subscriber(queries=["for graph molecules networks neural"])
    line = "for AND graph AND molecules AND networks AND neural"
    assert f">{line}</textarea>" in text(opened(reader).get("/preferences/"))
    before = reader.interests.get().filter
    post(reader, act="interests", queries=line)
    assert reader.interests.get().filter == before
    assert not reader.descriptions.exists()


def test_times_are_changed():
    reader = make.subscriber()
    post(reader, act="schedule", frequency="weekly", weekday="6", hour="22", zone="Asia/Tokyo", text_only="on")
    assert (reader.frequency, reader.weekday, reader.hour, reader.zone) == (Frequency.WEEKLY, 6, 22, "Asia/Tokyo")
    assert (reader.text_only, reader.community_picks) == (True, False)


def test_days_are_chosen():
    reader = make.subscriber()
    assert "Your times are kept" in text(post(reader, act="schedule", frequency="chosen", days=["1", "4"]))
    assert (reader.frequency, week.names(reader.days)) == (Frequency.CHOSEN, ["Tuesday", "Friday"])
    page = text(opened(reader).get("/preferences/"))
    ticked = re.findall(r'name="days" value="(\d)"( checked)?', page)
    assert [number for number, mark in ticked if mark] == ["1", "4"]
    assert len(ticked) == 7


def test_to_choose_no_day_changes_nothing_and_says_what_to_do():
    reader = make.subscriber(frequency="chosen", days=week.read("tue fri"))
    answer = post(reader, act="schedule", frequency="chosen", hour="9")
    assert answer.status_code == 422
    assert "Choose at least one day of the week" in text(answer)
    assert 'aria-describedby="days-hint days-error-1"' in text(answer)
    assert (reader.hour, week.short(reader.days)) == (6, "tue fri")


@pytest.mark.parametrize("days", ["7", "-1", "tue", "9" * 5000])
def test_what_is_no_day_changes_nothing(days):
    reader = make.subscriber()
    answer = post(reader, act="schedule", frequency="chosen", days=[days])
    assert (answer.status_code, reader.frequency) == (422, Frequency.DAILY)
    assert "Choose from the days of the week." in text(answer)


def test_days_are_remembered_while_others_come():
    reader = make.subscriber(frequency="chosen", days=week.read("tue fri"))
    post(reader, act="schedule", frequency="daily")
    assert (reader.frequency, week.short(reader.days)) == (Frequency.DAILY, "tue fri")


def test_who_was_served_today_is_due_on_their_next_chosen_day():
    now = timezone.now()
    today = now.date()
    days = week.of([today.weekday(), (today.weekday() + 2) % 7])
    reader = make.subscriber(hour=now.hour, served_at=now, next_digest_at=now + timedelta(days=1))
    services.set_schedule(reader, now, frequency="chosen", days=days)
    assert reader.next_digest_at.date() == today + timedelta(days=2)


def test_a_zone_of_an_earlier_name_is_shown_and_kept_by_todays():
    reader = make.subscriber(zone="Asia/Calcutta")
    page = text(opened(reader).get("/preferences/"))
    assert re.search(r'value="Asia/Kolkata"[^>]* selected>Kolkata \(UTC\+05:30\)', page)
    assert 'value="Asia/Calcutta"' not in page
    post(reader, act="schedule", zone="Europe/Kiev")
    assert reader.zone == "Europe/Kyiv"
    rare = make.subscriber("rare@example.org", zone="Etc/GMT+5")
    assert 'value="Etc/GMT+5" selected' in text(opened(rare).get("/preferences/"))


def test_a_bad_hour_changes_nothing():
    reader = make.subscriber()
    assert post(reader, act="schedule", hour="99").status_code == 422
    assert reader.hour == 6


def test_a_pause_and_its_end():
    reader = make.subscriber()
    day = timezone.now().date() + timedelta(days=20)
    post(reader, act="pause", until=day.isoformat())
    assert (reader.state, reader.catch_up) == (State.PAUSED, False)
    post(reader, act="resume")
    assert reader.state == State.ACTIVE


@pytest.mark.parametrize("until", ["2020-01-01", "tomorrow"])
def test_a_pause_that_cannot_be_is_refused(until):
    reader = make.subscriber()
    assert post(reader, act="pause", until=until).status_code == 422
    assert reader.state == State.ACTIVE


def test_letters_so_far_say_what_became_of_them():
    reader = make.subscriber()
    edition = make.edition(date(2026, 6, 2))
    Delivery.objects.create(
        edition=edition, subscriber=reader, state="accepted", fate="delivered", local_date=date(2026, 6, 2), due_at=NOW,
        next_at=NOW, planned_at=NOW, settled_at=NOW, papers=[{"paper": 1}],
    )  # fmt: skip
    Skip.objects.create(subscriber=reader, local_date=date(2026, 6, 3), reason="no_match", at=NOW)
    page = text(opened(reader).get("/preferences/"))
    assert re.search(r'<a href="http://localhost:8000/l/[^"/]+/">2 June 2026</a>', page)
    assert "accepted by the mail provider at 06:00:00 UTC. Since then it was reported as delivered." in page
    assert "None of the new papers matched what you asked for." in page


def test_not_receiving_letters_names_the_true_reason():
    reader = make.subscriber(community_picks=False)
    services.pause(reader, timezone.now())
    page = text(opened(reader).get("/preferences/"))
    assert "paused for good" in page
    assert "You have chosen no topic" in page


def test_todays_letter_can_be_asked_for():
    edition = make.edition(papers=[make.paper("Speech")])
    reader = make.subscriber(cursor=edition.serial)
    assert "on its way" in text(post(reader, act="now"))
    assert reader.cursor == edition.serial - 1


def test_s6_links_in_letters_passed_on_can_be_made_void():
    reader = make.subscriber()
    owner, stranger = opened(reader), opened(reader)
    owner.post("/preferences/", {"act": "renew"})
    assert "Your letters" in text(owner.get("/preferences/"))
    assert stranger.get("/preferences/").status_code == 404
    reader.refresh_from_db()
    assert "Your letters" in text(opened(reader).get("/preferences/"))


@pytest.mark.parametrize(
    ("fields", "section", "said"),
    [
        ({"act": "pause", "until": "2020-01-01"}, "pause", "A pause ends on a day to come"),
        ({"act": "pause"}, "pause", "until you start again"),
        ({"act": "link"}, "account", "on its way"),
        ({"act": "reset"}, "taste", "is forgotten"),
        ({"act": "interests", "topics": []}, "interests", "are kept"),
    ],
)
def test_what_became_of_a_button_stands_in_its_section(fields, section, said):
    """The page comes back scrolled there."""
    page = text(post(make.subscriber(), **fields))
    assert said in page.split(f'<section id="{section}"')[1].split("</section>")[0]
    assert page.count('class="notice') == 1


def whole(**changed):
    """The page as a browser sends it: interests, work and times in one form."""
    kept = {"queries": "protein", "description": "I fold proteins.", "hour": "6", "zone": "UTC", "likes_weight": "1"}
    boxes = {"community_picks": "on", "exploration": "on"}
    return {"part": ["interests", "taste", "schedule"], **kept, **boxes, **changed}


@pytest.fixture
def folder() -> Subscriber:
    reader = make.subscriber(queries=["protein"], exploration=True)
    liked_papers.describe(reader, "I fold proteins.", NOW)
    return reader


@pytest.mark.parametrize("button", ["interests", "taste", "schedule"])
def test_any_keep_button_keeps_all_that_was_changed(folder, button):
    said = text(post(folder, **whole(act=button, queries="galaxies", description="I count stars.", hour="9")))
    assert [one.label for one in folder.interests.all()] == ["galaxies"]
    assert (folder.descriptions.get().text, folder.hour) == ("I count stars.", 9)
    assert "Your interests are kept" in said
    assert "Your times are kept" in said


def test_only_what_was_changed_is_spoken_of(folder):
    said = text(post(folder, **whole(act="schedule")))
    assert "Your times are kept" in said
    assert "Your interests are kept" not in said
    assert "That is kept" not in said


def test_a_mistake_in_one_part_keeps_nothing_and_says_where(folder):
    answer = post(folder, **whole(act="interests", queries="galaxies", description="I count stars.", hour="99"))
    assert answer.status_code == 422
    assert "Nothing is kept yet: see what stands under “When and how much”" in text(answer)
    assert ">galaxies</textarea>" in text(answer)
    assert ">I count stars.</textarea>" in text(answer)
    assert [one.label for one in folder.interests.all()] == ["protein"]
    assert (folder.descriptions.get().text, folder.hour) == ("I fold proteins.", 6)


def test_two_mistakes_at_once_give_no_two_elements_one_name(folder):
    page = text(post(folder, **whole(act="schedule", queries="(x", hour="99")))
    names = re.findall(r' id="([^"]+)"', page)
    assert page.count("Something here cannot be kept") == 2
    assert len(names) == len(set(names))


def test_a_refusal_while_keeping_takes_back_the_other_parts(folder, monkeypatch):
    monkeypatch.setattr(liked_papers, "MOST_LIKED", 1)
    answer = post(folder, **whole(act="schedule", description="I dig.", papers="2504.02302\n2504.02303", hour="9"))
    assert answer.status_code == 422
    assert "more than 1 papers" in text(answer)
    assert (folder.descriptions.get().text, folder.hour) == ("I fold proteins.", 6)


@pytest.mark.parametrize("button", ["drop:0", "pause", "link", "now"])
def test_a_button_that_keeps_nothing_leaves_what_was_typed_standing(folder, button):
    said = text(post(folder, **whole(act=button, queries="galaxies", hour="9")))
    assert "It is not kept yet" in said
    assert ">galaxies</textarea>" in said
    assert re.search(r'<option value="9" selected>', said)
    assert [one.label for one in folder.interests.all()] == ["protein"]
    assert folder.hour == 6
    assert "It is not kept yet" not in text(post(folder, **whole(act=button)))


def test_what_was_just_forgotten_does_not_stand_there_again(folder):
    said = text(post(folder, **whole(act="reset", hour="9")))
    assert "I fold proteins." not in said
    assert "It is not kept yet" in said


def test_a_date_typed_for_a_pause_outlives_other_buttons(folder):
    assert 'value="2030-01-01"' in text(post(folder, **whole(act="interests", until="2030-01-01")))
    assert 'value="2030-01-01"' not in text(post(folder, act="pause", until="2030-01-01"))


def test_a_mistake_in_one_line_keeps_what_was_chosen_beside_the_others():
    reader = make.subscriber(queries=["speech", "noise"])
    speech, noise = reader.interests.order_by("pk")
    chosen = {f"weight-{speech.pk}": "more", "muted": [noise.filter.text]}
    page = text(post(reader, act="interests", queries="speech\nnoise\n(x", **chosen))
    first, second = page.split('<span class="interest">')[1:3]
    assert 'value="more" selected' in first
    assert " checked" in second
    assert " checked" not in first
    speech.refresh_from_db()
    assert speech.weight == 1


def test_a_button_of_nobodys_is_refused():
    assert post(make.subscriber(), act="delete-everything").status_code == 422


@pytest.mark.parametrize("state", [State.PENDING, State.UNSUBSCRIBED, State.SUPPRESSED])
def test_only_readers_have_preferences(state):
    reader = make.subscriber(state=state)
    page = opened(reader).get("/preferences/")
    assert page.status_code == (404 if state == State.PENDING else 200)
    assert 'id="interests"' not in text(page)


def test_a_fresh_link_is_mailed_to_a_readers_address():
    make.subscriber("ada@example.org")
    response = visitor().post("/preferences/", {"email": "Ada@example.org"})
    assert "Look in your inbox" in text(response)
    requests.process(timezone.now())
    assert Notice.objects.get().kind == "link"


def test_a_bad_address_is_told():
    response = visitor().post("/preferences/", {"email": "ada@"})
    assert response.status_code == 422
    assert "error" in text(response)


def test_too_many_requests_from_one_network_are_told_to_wait():
    answers = [visitor().post("/preferences/", {"email": f"a{n}@example.org"}).status_code for n in range(41)]
    assert answers == [200] * 40 + [429]


@pytest.mark.parametrize(
    "line", ["-survey", "!survey", "NOT survey", "-(survey OR review)", '-"deep nets"', "-(a long line of many words)"]
)
def test_a_mute_reads_as_one_and_keeps_its_minus(line):
    reader = make.subscriber(queries=["speech"])
    post(reader, act="interests", queries=f"speech\n{line}")
    muted = reader.interests.select_related("filter").get(muted=True)
    page = html.unescape(text(opened(reader).get("/preferences/")))
    assert f'<span class="interest">Not: {muted.label} ' in page
    box = page.split('name="queries"')[1].split(">", 1)[1].split("</textarea>")[0].strip()
    assert box.splitlines() == ["speech", interests.as_typed(muted)]
    before = set(reader.interests.values_list("filter__text", "muted"))
    post(reader, act="interests", queries=box, muted=muted.filter.text, was_muted=muted.filter.text)
    assert set(reader.interests.values_list("filter__text", "muted")) == before


@pytest.mark.parametrize(
    ("line", "ticked", "shown", "muted"),
    [
        ("-survey", ["survey"], ["survey"], True),
        ("survey", ["survey"], ["survey"], False),
        ("-survey", [], ["survey"], False),
        ("survey", ["survey"], [], True),
        ("-survey", [], [], True),
        ("survey", [], [], False),
    ],
)
def test_a_mute_is_taken_back_by_its_minus_or_its_tick(line, ticked, shown, muted):
    reader = make.subscriber(queries=["speech"])
    post(reader, act="interests", queries=f"speech\n{line}", muted=ticked, was_muted=shown)
    assert reader.interests.get(filter__text="survey").muted is muted


def test_a_mute_counts_in_the_preferences_as_in_the_preview():
    titles = ["Speech survey", "Speech one", "Survey of galaxies and their dust", "Galaxies and dust"]
    make.edition(papers=[make.paper(title) for title in titles])
    told = "galaxies and their dust between the stars"
    preview = text(visitor().post("/subscribe/preview/", {"queries": "speech\n-survey", "description": told}))
    assert 'Not: survey <span class="meta">muted: keeps <span class="num">2</span> out' in preview
    reader = make.subscriber(queries=["speech"])
    post(reader, act="interests", queries="speech\n-survey")
    post(reader, act="taste", description=told)
    assert '<span class="num">2</span> papers kept out last week' in text(opened(reader).get("/preferences/"))
