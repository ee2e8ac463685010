from __future__ import annotations

import re
from datetime import timedelta
from itertools import count

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from digest.models import Delivery
from subscriptions import services
from subscriptions.links import urls
from subscriptions.mail import notices
from subscriptions.models import Notice, SignupRequest, Subscriber
from subscriptions.signup import bot_check, requests
from subscriptions.wants import interests
from tests import make
from tests.make import NOW, TODAY
from tests.subscriptions.pages import entered, sign_up, signup, text, visitor

pytestmark = pytest.mark.django_db
State = Subscriber.State


def test_what_a_link_brings_along_is_previewed_at_once():
    make.edition(papers=[make.paper("Speech in noise")])
    page = text(visitor().get("/subscribe/?q=noise"))
    assert "Speech in noise" in page
    assert "Tick a topic" in text(visitor().get("/subscribe/?q=(noise&topic=none"))
    assert "Tick a topic" in text(visitor().get("/subscribe/"))


def test_a_site_younger_than_a_week_says_each_number_once():
    make.edition(papers=[make.paper("Speech in noise")])
    page = text(visitor().post("/subscribe/preview/", {"queries": "noise"}))
    assert "last 7 days" in page
    assert "30 days" not in page
    assert "<figure" not in page  # one bar is no chart
    make.edition(TODAY - timedelta(days=20), [make.paper("More noise")])
    later = text(visitor().post("/subscribe/preview/", {"queries": "noise"}))
    assert "2 in 30 days" in later
    assert "<figure" in later


def test_the_page_offers_topics_by_group():
    make.topic("speech", group="Language")
    make.topic("proteins", "protein", group="Biology")
    page = text(visitor().get("/subscribe/"))
    assert '<legend class="visually-hidden">Language</legend>' in page
    assert 'value="proteins"' in page
    assert page.count('<details class="topics">') == 2
    ticked = text(visitor().get("/subscribe/?topic=proteins"))
    assert ticked.count('<details class="topics" open>') == 1
    assert "1, 1 chosen</span></summary>" in ticked


def test_a_link_may_bring_a_topic_and_a_query_along():
    make.topic("speech")
    page = text(visitor().get("/subscribe/?topic=speech&q=protein+folding"))
    assert 'value="speech" checked' in page
    assert ">protein folding</textarea>" in page


def test_a_signup_waits_for_its_confirmation():
    make.topic("speech")
    response = sign_up(topics=["speech"], queries="protein folding\n\nauthor:Erdős", hour="9", zone="Asia/Tokyo")
    assert response.status_code == 200
    reader = Subscriber.objects.get()
    assert (reader.state, reader.hour, reader.zone) == (State.PENDING, 9, "Asia/Tokyo")
    assert [one.label for one in reader.interests.order_by("id")] == ["Speech", "protein folding", "author:Erdős"]
    assert Notice.objects.get().kind == "confirm"


def test_boxes_left_empty_are_choices_too():
    sign_up(community_picks="on")
    reader = Subscriber.objects.get()
    assert (reader.community_picks, reader.text_only) == (True, False)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": "ada@localhost"}, "not a domain that gets mail"),
        ({"email": ""}, "Write your e-mail address."),
        ({"zone": "Berlin"}, "We do not know the time zone “Berlin”"),
        ({"hour": "25"}, "not an hour of the day"),
        ({"hour": "soon"}, "Choose a whole hour from 0 to 23."),
        ({"weekday": "9"}, "not a day of the week"),
        ({"frequency": "hourly"}, "We cannot send “hourly”"),
        ({"papers_per_day": "500"}, "500 papers a day cannot be"),
        ({"empty_day": "party"}, "For empty days"),
        ({"abstracts": "long"}, "For abstracts"),
        ({"topics": ["alchemy"]}, "no topic called “alchemy”"),
        ({"queries": "protein (folding"}, "Column "),
        ({"queries": "speech\nprotein (folding"}, "Line 2, column "),
        ({"queries": "x" * 13000}, "too much text"),
    ],
)
def test_bad_input_is_told_beside_its_field_and_keeps_what_was_written(fields, sentence):
    response = visitor().post("/subscribe/", signup(**{"queries": "speech"} | fields))
    assert response.status_code == 422
    assert sentence in text(response).replace("&#39;", "'")
    assert not SignupRequest.objects.exists()


def test_what_was_written_is_still_there_after_an_error():
    make.topic("speech")
    page = text(visitor().post("/subscribe/", signup(email="ada@", topics=["speech"], queries="folding", hour="9")))
    assert 'value="ada@"' in page
    assert 'value="speech" checked' in page
    assert ">folding</textarea>" in page
    assert '<option value="9" selected>' in page


def test_the_preview_comes_before_any_address():
    make.edition(papers=[make.paper("Speech in noise"), make.paper("Protein folding")])
    page = text(visitor().post("/subscribe/", signup(act="preview", email="", queries="speech\nprotein\ngalaxies")))
    assert "Speech in noise" in page
    assert ">2</strong> of the" in page
    assert '<span class="num hot">0</span> galaxies' in page
    assert not SignupRequest.objects.exists()


def test_the_preview_alone_is_a_piece_of_a_page():
    make.edition(papers=[make.paper("Speech in <b>noise</b>")])
    page = text(visitor().post("/subscribe/preview/", {"queries": "speech"}))
    assert "Speech in &lt;b&gt;noise" in page
    assert "<html" not in page


@pytest.mark.parametrize("queries", ["", "(speech", "galaxies"])
def test_the_preview_has_a_sentence_for_every_case(queries):
    make.edition(papers=[make.paper("Speech in noise")])
    assert "<p" in text(visitor().post("/subscribe/preview/", {"queries": queries}))


def test_the_preview_of_an_empty_site_is_quiet():
    assert "No papers have come in yet" in text(visitor().post("/subscribe/preview/", {"queries": "speech"}))


def test_the_preview_shows_each_day_of_a_month_and_what_brings_too_much_or_nothing():
    for days in (0, 10):
        make.edition(TODAY - timedelta(days=days), [make.paper(f"Speech {number}") for number in range(30)])
    page = text(visitor().post("/subscribe/preview/", {"queries": "speech\nquaternions"}))
    assert "60</span> of the" in page
    assert "last 30 days" in page
    assert page.count("<rect") == 2
    assert "style=" not in page
    assert "some 30 papers a day" in page
    assert "It brings nothing" in page


def test_a_sentence_is_read_as_a_description():
    make.edition(papers=[make.paper("Speech models in noise"), make.paper("Protein folding")])
    sentence = "how do speech models cope with noise"
    page = text(visitor().post("/subscribe/preview/", {"queries": f"protein\n{sentence}"}))
    assert f'<span class="num hot">1</span> {sentence}' in page
    assert "This line is read as a description of your work: the likeliest papers come." in page
    assert "Speech models in noise" in text(visitor().get("/subscribe/", {"q": sentence}))
    sign_up(queries=f"protein\n{sentence}", description="I build hearing aids.")
    reader = Subscriber.objects.get()
    assert [one.label for one in reader.interests.all()] == ["protein"]
    assert reader.descriptions.get().text == f"I build hearing aids.\n{sentence}"


def test_an_unfinished_line_does_not_cost_the_others():
    make.edition(papers=[make.paper("Speech in noise")])
    queries = "speech\nagents AND \n(noise"
    for address, fields, status in (
        ("/subscribe/preview/", {"queries": queries}, 200),
        ("/subscribe/", signup(act="preview", email="", queries=queries), 422),
    ):
        response = visitor().post(address, fields)
        page = text(response)
        assert response.status_code == status
        assert '<span class="num hot">1</span> speech' in page
        assert "Line 2, column 8: AND needs a word after it." in page
        assert "Line 3, column 1: This parenthesis is never closed." in page
    assert visitor().post("/subscribe/", signup(queries=queries)).status_code == 422
    assert not SignupRequest.objects.exists()


def test_papers_that_cannot_be_read_are_named_in_the_preview():
    make.edition(papers=[make.paper("Speech in noise")])
    page = text(visitor().post("/subscribe/preview/", {"papers": "2608.19880\ngarbage here\n@misc{k, title={Noise}}"}))
    assert "1 entry could not be read as a paper" in page
    assert "Line 2, garbage here: This is neither" in page
    page = text(visitor().post("/subscribe/preview/", {"papers": "garbage here"}))
    assert "Line 1, garbage here: This is neither" in page


def test_a_line_that_brings_nothing_is_told_of_sentences():
    make.edition(papers=[make.paper("Speech in noise")])
    assert "or a whole sentence" in text(visitor().post("/subscribe/preview/", {"queries": "quaternions"}))


def test_a_mistyped_address_costs_no_choice():
    make.topic("speech")
    answer = text(sign_up(topics=["speech"], queries="folding\nhow do speech models cope with noise", hour="9"))
    assert "Look for a letter from" in answer
    assert "papers@" in answer
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer)
    fields = {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}
    page = text(visitor().post("/subscribe/", fields | {"act": "preview"}))
    assert 'value="ada@example.org"' in page
    assert 'value="speech" aria-describedby="about-speech" checked' in page or 'value="speech" checked' in page
    assert ">folding\nhow do speech models cope with noise</textarea>" in page
    assert '<option value="9" selected>' in page
    assert Subscriber.objects.count() == 1


def test_whoever_chooses_nothing_is_told_what_comes():
    assert "bring what many others read" in text(visitor().get("/subscribe/"))
    assert "You have chosen nothing yet" in text(sign_up())
    assert "You have chosen nothing yet" not in text(sign_up(queries="folding"))


# -- confirming -------------------------------------------------------------------------------------


def test_the_request_to_confirm_names_what_was_asked_for_but_nothing_that_was_typed():
    make.topic("speech")
    wishes = {"queries": "win a prize\n-survey", "description": "Come to example dot org.", "papers": "2504.02302"}
    sign_up(topics=["speech"], **wishes)
    notices.send_waiting(timezone.now())
    [letter] = mail.outbox
    for part in (letter.body, letter.alternatives[0][0]):
        said = " ".join(part.split())
        assert "Speech; 1 filter of your own; your description of your work; 1 paper you like." in said
        assert "When the letters would come: Every day at 07:00, UTC time." in said
        assert not [word for word in ("prize", "dot org", "survey", "2504") if word in said]


def test_a_request_to_confirm_names_a_dozen_topics_at_most():
    slugs = [make.topic(f"t{n}", f"word{n}", name=f"Topic {n}").slug for n in range(14)]
    sign_up(topics=slugs)
    notices.send_waiting(timezone.now())
    [letter] = mail.outbox
    assert "Topic 11; 2 more topics." in " ".join(letter.body.split())


def test_a_confirmation_link_shows_a_button_and_the_button_begins():
    sign_up(queries="protein folding", hour="7", zone="Europe/Berlin")
    reader = Subscriber.objects.get()
    client, page = entered(urls.confirm_url(reader))
    assert "protein folding" in text(client.get(page))
    reader.refresh_from_db()
    assert reader.state == State.PENDING
    with time_machine.travel(NOW, tick=False):
        answer = text(client.post(page))
    assert "Thursday, 4 June 2026" in answer
    assert "07:00" in answer
    reader.refresh_from_db()
    assert reader.state == State.ACTIVE


def test_the_page_to_confirm_says_what_is_not_wanted():
    reader = make.subscriber(state=State.PENDING, confirmed_at=None, next_digest_at=None)
    interests.store(reader, interests.read([], ["speech", "!survey"]))
    client, path = entered(urls.confirm_url(reader))
    page = text(client.get(path))
    assert "<li>speech</li>" in page
    assert "<li>Not: survey</li>" in page


def test_after_confirming_the_preferences_are_open():
    reader = make.subscriber(state=State.PENDING, confirmed_at=None, next_digest_at=None)
    client, page = entered(urls.confirm_url(reader))
    client.post(page)
    assert "Your letters" in text(client.get("/preferences/"))


def test_an_old_confirmation_link_is_renewed_in_place():
    with time_machine.travel(NOW, tick=False):
        sign_up()
        reader = Subscriber.objects.get()
        link = urls.confirm_url(reader)
    with time_machine.travel(NOW + timedelta(days=8), tick=False):
        client, page = entered(link)
        response = client.get(page)
        assert response.status_code == 410
        assert "Send a fresh link" in text(response)
        client.post(page)
    assert Notice.objects.filter(kind="confirm").count() == 2


def test_a_link_cut_in_two_says_so():
    client, page = entered(urls.confirm_url(make.subscriber())[:-9] + "/")
    response = client.get(page)
    assert response.status_code == 404
    assert "cut a long link in two" in text(response)


@pytest.mark.parametrize("state", [State.PAUSED, State.UNSUBSCRIBED, State.SUPPRESSED])
def test_a_used_confirmation_link_begins_nothing(state):
    reader = make.subscriber(state=state)
    client, page = entered(urls.confirm_url(reader))
    assert client.post(page).status_code == 200
    reader.refresh_from_db()
    assert reader.state == state


def test_todays_letter_can_be_had_at_once():
    edition = make.edition(papers=[make.paper("Speech in noise")])
    reader = make.subscriber(cursor=edition.serial, next_digest_at=timezone.now() + timedelta(days=1))
    client, page = entered(urls.confirm_url(reader))
    answer = text(client.post(page, {"act": "now"}))
    assert "on its way" in answer
    assert "Your first letter comes on" not in answer
    reader.refresh_from_db()
    assert reader.cursor == edition.serial - 1
    assert services.is_due(reader, timezone.now())


def test_a_confirmation_link_opened_again_speaks_of_the_letter_that_is_due():
    make.edition(papers=[make.paper("Speech in noise")])
    client, page = entered(urls.confirm_url(make.subscriber(next_digest_at=timezone.now())))
    seen = text(client.get(page))
    assert "Your first letter is due now" in seen
    assert 'value="now"' not in seen


def test_a_confirmation_link_opened_after_the_first_letter_speaks_of_the_next():
    reader = make.subscriber(next_digest_at=timezone.now() + timedelta(days=1))
    edition = make.edition(papers=[make.paper("Speech in noise")])
    client, page = entered(urls.confirm_url(reader))
    assert "Your first letter comes on" in text(client.get(page))
    Delivery.objects.create(
        edition=edition, subscriber=reader, state="accepted", local_date=edition.date, due_at=NOW,
        next_at=NOW, planned_at=NOW, settled_at=NOW, papers=[{"paper": 1}],
    )  # fmt: skip
    seen = text(client.get(page))
    assert "Your next letter comes on" in seen
    assert 'value="now"' not in seen


# -- whoever is no person -----------------------------------------------------------------------------


def test_a_filled_trap_writes_nothing_down_and_loses_nothing():
    shown = visitor().post("/subscribe/", signup(queries="folding", **{bot_check.TRAP: "https://spam.example"}))
    page = text(shown)
    assert shown.status_code == 422
    assert not SignupRequest.objects.exists()
    assert "password manager" in page
    assert ">folding</textarea>" in page
    assert "spam.example" not in page
    assert 'class="decoy"' not in page  # so that the person can see what fills itself in


def test_the_trap_bears_no_name_that_form_fillers_know():
    page = text(visitor().get("/subscribe/"))
    trap = page.split('class="decoy"')[1].split("</div>")[0]
    assert f'name="{bot_check.TRAP}"' in trap
    for asked_to_pass_by in ('autocomplete="off"', "data-1p-ignore", 'data-lpignore="true"', "data-bwignore"):
        assert asked_to_pass_by in trap
    known = "name mail user login pass url web site home company org phone tel fax addr street city zip note comment"
    assert not [word for word in known.split() if word in bot_check.TRAP]


@pytest.mark.parametrize("name", ["website", "url", "company", "phone", "nickname"])
def test_what_form_fillers_add_to_a_signup_does_not_end_it(name):
    assert sign_up(**{name: "https://ada.example.org"}).status_code == 200
    assert Notice.objects.get().kind == "confirm"


@pytest.mark.parametrize(
    ("age", "sentence"),
    [
        (lambda: bot_check.stamp(timezone.now()), "faster than people type"),
        (lambda: "", "more than a day"),
        (lambda: "1.x.y", "more than a day"),
    ],
)
def test_a_form_of_the_wrong_age_is_shown_again_with_everything_in_it(age, sentence):
    response = visitor().post("/subscribe/", signup(queries="folding", age=age()))
    assert response.status_code == 422
    assert sentence in text(response)
    assert ">folding</textarea>" in text(response)
    assert not SignupRequest.objects.exists()


def test_a_form_shown_again_counts_its_age_from_the_first_showing():
    age = bot_check.stamp(timezone.now() - timedelta(minutes=1))
    page = text(visitor().post("/subscribe/", signup(email="ada@", age=age)))
    assert f'name="age" value="{age}"' in page


def test_a_form_too_old_is_shown_again_with_a_fresh_age():
    with time_machine.travel(NOW, tick=False):
        age = bot_check.stamp(NOW)
    with time_machine.travel(NOW + timedelta(hours=25), tick=False):
        page = text(visitor().post("/subscribe/", signup(age=age)))
        again = page.split('name="age" value="')[1].split('"')[0]
        assert again == bot_check.stamp(timezone.now())


def solved(challenge: str) -> str:
    return next(n for n in map(str, count()) if bot_check.leading_zeros(challenge, n) >= bot_check.BITS)


def unsolved(challenge: str) -> str:
    """A wrong number: any fixed one is right by chance, once in 2 to the BITS challenges."""
    return next(n for n in map(str, count()) if bot_check.leading_zeros(challenge, n) < bot_check.BITS)


def test_s1_under_load_a_solved_sum_stands_in_for_waiting(settings, monkeypatch):
    monkeypatch.setattr(bot_check, "BITS", 8)
    settings.SIGNUPS_PER_HOUR = 5
    for number in range(5):
        sign_up(email=f"a{number}@h{number}.example")
    busy = visitor().post("/subscribe/", signup(email="ben@example.net"))
    assert busy.status_code == 429
    assert int(busy.headers["Retry-After"]) <= 3660
    challenge = text(busy).split('data-work="')[1].split('"')[0]
    assert sign_up(email="ben@example.net", work=challenge, sum=unsolved(challenge)).status_code == 429
    assert sign_up(email="ben@example.net", work=challenge, sum=solved(challenge)).status_code == 200
    assert Notice.objects.filter(subscriber__email="ben@example.net").count() == 1


def test_s1_no_sum_is_asked_for_where_it_would_not_help(settings):
    settings.SIGNUPS_PER_HOUR = 1
    sign_up()
    busy = visitor().post("/subscribe/", signup(email="ben@example.net"))
    assert busy.status_code == 429
    assert "data-work" not in text(busy)
    assert "The next place is free in" in text(busy)


def test_s1_a_sum_opens_once_and_for_ten_minutes(monkeypatch):
    monkeypatch.setattr(bot_check, "BITS", 4)
    challenge = bot_check.challenge()
    data = {"work": challenge, "sum": solved(challenge)}
    assert [bot_check.is_proof_of_work_solved(data, timezone.now()) for _ in range(2)] == [True, False]
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        late = bot_check.challenge()
    assert not bot_check.is_proof_of_work_solved({"work": late[:-2], "sum": "1"}, timezone.now())


def test_a_look_alike_domain_is_shown_before_it_is_taken():
    response = visitor().post("/subscribe/", signup(email="ada@pаypal.com"))
    assert response.status_code == 422
    assert "xn--pypal-4ve.com" in text(response)
    assert not SignupRequest.objects.exists()
    visitor().post("/subscribe/", signup(email="ada@pаypal.com", sure="xn--pypal-4ve.com"))
    assert requests.process(timezone.now()) == {"signup": 1}
