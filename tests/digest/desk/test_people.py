"""Readers, topics, sources and deliverability at the desk."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from digest.delivery import audit, holds
from digest.desk import people, topicing
from digest.desk.models import Act
from digest.models import Attempt, Channel, Delivery, ProviderEvent, Skip, Source
from digest.sources import curating
from digest.sources.entry import Entry
from subscriptions import addresses, services
from subscriptions.models import Notice, Subscriber, Suppression, Topic
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(make.NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def admin(signed_in):
    return signed_in("admin")


def page(reader, verb=""):
    return f"/desk/readers/{reader.uuid}/{verb}"


# -- readers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "found"),
    [("ANN@example.org", ["ann@example.org"]), ("an", ["ann@example.org", "anna@example.org"]), ("zed", [])],
)
def test_readers_are_found_by_address_or_its_beginning(asked, found):
    for name in ("ann", "anna", "ben"):
        make.subscriber(f"{name}@example.org")
    assert sorted(one.email for one in people.search(asked, "")) == found


def test_a_reader_is_found_by_number_and_state(operator):
    one = make.subscriber(state="paused")
    assert people.search(str(one.pk), "") == [one]
    assert people.search("", "paused") == [one]
    assert people.search("", "active") == []


def test_one_readers_page_shows_what_they_got_and_why(operator):
    reader = make.subscriber("ann@example.org", queries=["speech"])
    paper = make.paper()
    letter(reader, make.edition(papers=[paper]), papers=[
        {"paper": paper.pk, "score": 1, "reasons": [{"kind": "filter", "label": "speech", "words": []}]}
    ])  # fmt: skip
    text = operator.get(page(reader)).content.decode()
    assert "ann@example.org" in text
    assert "speech" in text
    assert "Accepted by the provider" in text


def letter(reader, edition, state="accepted", **fields):
    attempt = Attempt.objects.create(
        channel="smtp", state="closed", lease_until=make.NOW, worker="w", started_at=make.NOW, intent_at=make.NOW
    )
    values = {"local_date": make.TODAY, "due_at": make.NOW, "next_at": make.NOW, "planned_at": make.NOW} | fields
    return Delivery.objects.create(
        edition=edition, subscriber=reader, state=state, attempt=attempt,
        address_hmac=addresses.hmac(reader.email), **values,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "pending"}, "not confirmed"),
        ({"state": "paused"}, "paused"),
        ({"next_digest_at": make.NOW + timedelta(hours=3)}, "falls due on Wednesday 3 June at 09:00"),
        ({"next_digest_at": make.NOW}, "due now"),
        ({"next_digest_at": None}, "No next letter"),
    ],
)
def test_why_there_is_nothing_today_is_said(fields, words):
    assert words in people.why_nothing_today(make.subscriber(**fields), make.NOW)


def test_a_recorded_reason_comes_first():
    reader = make.subscriber()
    Skip.objects.create(subscriber=reader, local_date=make.TODAY, reason="nothing_new", at=make.NOW)
    assert "No edition had come out" in people.why_nothing_today(reader, make.NOW)


def test_who_got_one_is_not_asked_why_not():
    reader = make.subscriber()
    letter(reader, make.edition())
    assert people.why_nothing_today(reader, make.NOW) == ""


def test_a_waiting_reader_is_asked_again_and_not_too_often(operator):
    reader = make.subscriber(state="pending")
    for _ in range(3):
        operator.post(page(reader, "ask/"))
    assert Notice.objects.filter(kind="confirm").count() == 1
    assert Act.objects.filter(verb="ask again").count() == 1


def test_suppressing_and_lifting_ask_the_reader_anew(operator):
    reader = make.subscriber("ann@example.org")
    operator.post(page(reader, "suppress/"), {"detail": "wrote in"})
    reader.refresh_from_db()
    assert (reader.state, Suppression.objects.get().reason) == ("suppressed", "curator")
    operator.post(page(reader, "lift/"))
    reader.refresh_from_db()
    assert (reader.state, Suppression.objects.count()) == ("pending", 0)
    assert Notice.objects.get().kind == "confirm"
    assert "ann@" not in str(list(Act.objects.values()))


@pytest.mark.parametrize("reason", ["complaint", "request"])
def test_a_persons_own_word_is_not_taken_back(reason, operator):
    reader = make.subscriber()
    services.suppress(reader.email, reason, make.NOW)
    operator.post(page(reader, "lift/"))
    assert Suppression.objects.get().reason == reason
    assert "Only they can take that back" in operator.get(page(reader)).content.decode()


def test_s26_erasing_wants_the_readers_number(admin):
    reader = make.subscriber("ann@example.org")
    admin.post(page(reader, "erase/"), {"typed": "yes"})
    assert Subscriber.objects.get().email == "ann@example.org"
    admin.post(page(reader, "erase/"), {"typed": str(reader.pk)})
    assert Subscriber.objects.get().state == "forgotten"
    assert "ann@" not in str(list(Act.objects.values()))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_s29_no_cell_is_a_formula(cell):
    assert people.safe(cell).startswith("'")


def test_s29_the_export_is_read_back_as_it_was_written(admin):
    make.subscriber("plain@example.org")
    make.subscriber("=cmd|calc@example.org")
    Subscriber.objects.filter(email__startswith="=").update(zone='a,"b"\nc')
    make.subscriber("gone@example.org", state="forgotten")
    answer = admin.post("/desk/readers/export/")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows[0] == list(people.COLUMNS)
    assert [row[0] for row in rows[1:]] == ["plain@example.org", "'=cmd|calc@example.org"]
    assert rows[2][4] == 'a,"b"\nc'
    assert Act.objects.get().verb == "export readers"


def upload(client, text, **form):
    file = SimpleUploadedFile("r.csv", text.encode(), "text/csv")
    return client.post("/desk/readers/import/", {"file": file, **form})


def test_an_import_is_tried_first(admin):
    make.topic("speech")
    text = "email,topics\nann@example.org,speech\nnonsense,speech\n"
    shown = upload(admin, text).content.decode()
    assert "1 new, 0 known already, 1 refused" in shown
    assert "Line 3" in shown
    assert not Subscriber.objects.exists()
    upload(admin, text, really="yes")
    assert Subscriber.objects.get().email == "ann@example.org"
    assert Act.objects.get().after == {"new": 1, "known": 0, "refused": 1}


@pytest.mark.parametrize("text", ["", "name\nx\n", "\x00\x01"])
def test_a_file_that_is_no_list_is_refused_in_words(text, admin):
    answer = upload(admin, text)
    assert answer.status_code == 400
    assert b'role="alert"' in answer.content


# -- topics -------------------------------------------------------------------------------------------


@pytest.fixture
def month():
    return [
        make.edition(make.TODAY - timedelta(days=n), [make.paper("Speech"), make.paper("Speech and vision")])
        for n in range(3)
    ]


def form(**fields):
    values = {"name": "Speech", "group": "Tests", "description": "", "query": "speech", "is_active": "yes"}
    return values | fields


def test_trying_a_query_shows_what_it_finds_and_keeps_nothing(curator, month):
    shown = curator.post("/desk/topics/new/", form(query="vision", do="try")).content.decode()
    assert "3 papers in 3 days" in shown
    assert not Topic.objects.exists()


def test_a_new_topic_is_kept_with_its_filter(curator):
    assert curator.post("/desk/topics/new/", form()).url == "/desk/topics/speech/"
    assert Topic.objects.get().filter.text == "speech"
    assert Act.objects.get().verb == "write topic"


def test_a_second_topic_of_the_same_name_gets_an_address_of_its_own(curator):
    for query in ("speech", "speech OR voice"):
        curator.post("/desk/topics/new/", form(query=query))
    assert sorted(Topic.objects.values_list("slug", flat=True)) == ["speech", "speech-2"]


def test_readers_come_along_when_a_topic_is_written_anew(curator):
    topic = make.topic("speech", "speech")
    reader = make.subscriber(topics=[topic])
    curator.post("/desk/topics/speech/", form(query="speech OR voice"))
    assert reader.interests.get().filter.text == Topic.objects.get().filter.text != "speech"


def test_a_query_that_cannot_be_read_is_refused_with_its_column(curator):
    answer = curator.post("/desk/topics/new/", form(query="(speech"))
    assert answer.status_code == 400
    assert b"column" in answer.content


def test_a_retired_topic_keeps_its_readers(curator):
    topic = make.topic("speech", "speech")
    reader = make.subscriber(topics=[topic])
    curator.post("/desk/topics/speech/", form(is_active=""))
    assert Topic.objects.get().is_active is False
    assert reader.interests.count() == 1


def test_merging_hands_the_readers_over_once_each(curator):
    one, two = make.topic("speech", "speech"), make.topic("voice", "voice")
    both, single = make.subscriber(topics=[one, two]), make.subscriber(topics=[one])
    curator.post("/desk/topics/speech/merge/", {"into": "voice"})
    assert [reader.interests.get().topic for reader in (both, single)] == [two, two]
    assert Topic.objects.get(slug="speech").is_active is False
    assert Act.objects.get().after == {"into": "voice", "readers": 1}


def test_the_list_says_what_each_topic_brings(month, curator):
    topic, other = make.topic("speech", "speech"), make.topic("vision", "vision")
    make.subscriber(topics=[topic])
    for edition in month:
        topicing.count(edition, make.NOW)
    curator.get("/desk/topics/")
    lines = {line.topic.slug: line for line in topicing.lines(make.TODAY)}
    assert (lines["speech"].papers, lines["speech"].readers, lines["speech"].a_day) == (6, 1, 2.0)
    assert topicing.overlaps(other, make.TODAY) == [("speech", 3)]


# -- sources ------------------------------------------------------------------------------------------


def test_a_source_is_looked_at_before_it_is_added(operator, monkeypatch):
    entry = Entry("1", "A paper of theirs", "https://journal.example/1")
    found = curating.Preview("https://journal.example/feed", "feed", "The Journal", 1, (entry,))
    monkeypatch.setattr(curating, "preview", lambda url, now: found)
    monkeypatch.setattr("digest.sources.guard.check_url", lambda url, allowed=(): None)
    shown = operator.post("/desk/sources/new/", {"url": "https://journal.example/feed", "do": "look"})
    assert "A paper of theirs" in shown.content.decode()
    assert 'value="The Journal"' in shown.content.decode()
    assert not Source.objects.exists()
    form = {"url": "https://journal.example/feed", "do": "add", "kind": "feed", "name": "The Journal"}
    assert operator.post("/desk/sources/new/", form).url == "/desk/sources/the-journal/"


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/"]
)
@pytest.mark.parametrize("do", ["look", "add"])
def test_a_source_on_this_machine_is_refused(do, url, operator):
    answer = operator.post("/desk/sources/new/", {"url": url, "do": do, "kind": "feed", "name": "x"})
    assert answer.status_code == 400
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("off", {"is_enabled": True}, {"is_enabled": False}),
        ("on", {"is_enabled": False}, {"is_enabled": True}),
        ("trust", {"held_reason": "odd", "failures": 3}, {"held_reason": "", "failures": 0}),
    ],
)
def test_a_source_is_switched_and_trusted(verb, before, after, operator):
    source = make.source(**before)
    operator.post(f"/desk/sources/{source.slug}/{verb}/")
    source.refresh_from_db()
    assert {name: getattr(source, name) for name in after} == after
    assert Act.objects.count() == 1


# -- deliverability -----------------------------------------------------------------------------------


def test_a_doubt_is_settled_by_name(operator):
    doubt = letter(make.subscriber("ann@example.org", cursor=1), make.edition(), "uncertain", settled_at=make.NOW)
    assert "ann@example.org" in operator.get("/desk/deliverability/").content.decode()
    operator.post("/desk/deliverability/settle/", {"verb": "arrived", "letter": doubt.pk})
    doubt.refresh_from_db()
    assert doubt.state == "accepted"
    assert ProviderEvent.objects.get().event_key == f"operator:{doubt.uuid}"
    assert Act.objects.get().verb == "settle"
    assert [one.name for one in audit.audit().broken] == []


def test_a_letter_that_is_not_in_doubt_is_not_settled(operator):
    row = letter(make.subscriber(), make.edition(), "rejected")
    operator.post("/desk/deliverability/settle/", {"verb": "arrived", "letter": row.pk})
    row.refresh_from_db()
    assert row.state == "rejected"
    assert not Act.objects.exists()


def test_a_viewer_sees_doubts_without_addresses(signed_in):
    letter(make.subscriber("ann@example.org"), make.edition(), "uncertain")
    assert "ann@" not in signed_in("viewer").get("/desk/deliverability/").content.decode()


def test_a_dead_letter_is_tried_again(operator):
    row = letter(make.subscriber(), make.edition(), "dead")
    operator.post("/desk/deliverability/settle/", {"verb": "revive", "letter": row.pk})
    row.refresh_from_db()
    assert row.state == "pending"


def test_sending_is_held_and_let_go_on(operator):
    operator.post("/desk/deliverability/hold/", {"verb": "hold", "reason": "the provider called"})
    assert "the provider called" in operator.get("/desk/deliverability/").content.decode()
    assert Channel.objects.get().held_by == holds.OPERATOR
    operator.post("/desk/deliverability/hold/", {"verb": "resume"})
    assert Channel.objects.get().held_by == ""
    assert [act.verb for act in Act.objects.order_by("id")] == ["hold sending", "resume sending"]


def test_a_hold_needs_a_reason(operator):
    operator.post("/desk/deliverability/hold/", {"verb": "hold", "reason": " "})
    assert not Channel.objects.exclude(held_by="").exists()


def test_an_address_is_looked_up_by_itself(operator):
    services.suppress("ann@example.org", "hard_bounce", make.NOW)
    for email, words in (("ANN@example.org", "Nobody may write"), ("ben@example.org", "may be written to")):
        shown = operator.post("/desk/deliverability/suppression/", {"email": email, "verb": "look"})
        assert words in shown.content.decode()


def test_an_address_that_is_none_is_refused_in_words(operator):
    answer = operator.post("/desk/deliverability/suppression/", {"email": "nonsense", "verb": "look"})
    assert answer.status_code == 400
