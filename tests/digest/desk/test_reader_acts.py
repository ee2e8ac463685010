"""Readers, topics, sources and deliverability at the desk."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone

from digest.delivery.accounts import audit
from digest.delivery.channels import circuit_breaker, holds
from digest.desk import counters
from digest.desk.acts import reader_acts, topic_acts
from digest.models import Attempt, AuditEntry, Channel, Delivery, ProviderEvent, Skip, Source
from digest.papers.entry import Entry
from digest.sources import additions
from subscriptions import addresses, csv_cells, services
from subscriptions.models import Filter, Notice, Subscriber, Suppression, Topic
from subscriptions.wants import interests
from subscriptions.when import week
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
    assert sorted(one.email for one in reader_acts.search(asked, "")) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("@example.org", ["ann@example.org", "ben+x@example.org"]),
        (" @Example.ORG ", ["ann@example.org", "ben+x@example.org"]),
        ("@bücher.example", ["eva@xn--bcher-kva.example"]),
        ("@sub.example.org", ["dan@sub.example.org"]),
        ("@xn--bcher-kva.example", ["eva@xn--bcher-kva.example"]),
        ("@example", []),
        ("@", []),
        ("@forgotten", []),
        ("@@example.org", []),
    ],
)
def test_readers_are_found_by_domain(asked, found):
    addressed = "ann@example.org", "ben+x@example.org", "cat@example.com", "dan@sub.example.org"
    for address in (*addressed, "eva@xn--bcher-kva.example"):
        make.subscriber(address)
    services.forget(make.subscriber("fay@example.org"), make.NOW)
    assert sorted(one.email for one in reader_acts.search(asked, "")) == found


def test_a_domain_is_found_within_a_state_and_further_down(operator, monkeypatch):
    make.subscriber(state="paused")
    active = [make.subscriber() for _ in range(3)]
    assert reader_acts.search("@example.org", "active") == active[::-1]
    monkeypatch.setattr(reader_acts, "FOUND", 2)
    first = operator.get("/desk/readers/?q=@example.org&state=active").content.decode()
    assert f"q=%40example.org&amp;state=active&amp;before={active[1].pk}" in first
    assert reader_acts.search("@example.org", "active", active[1].pk) == active[:1]


def test_who_finds_nobody_is_told_that_a_domain_can_be_searched(operator):
    assert "@example.org" in operator.get("/desk/readers/?q=zed").content.decode()


def test_the_search_by_domain_reads_an_index():
    found = Subscriber.objects.filter(reader_acts._at("@example.org")).order_by("-id")
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        plan = found.explain()
    assert "subscriber_domain" in plan
    assert "TEMP B-TREE" not in plan


def test_a_reader_is_found_by_number_and_state(operator):
    one = make.subscriber(state="paused")
    assert reader_acts.search(str(one.pk), "") == [one]
    assert reader_acts.search("", "paused") == [one]
    assert reader_acts.search("", "active") == []


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
        ({"frequency": "weekly", "weekday": 0}, "not a day"),
    ],
)
def test_why_there_is_nothing_today_is_said(fields, words):
    make.edition(make.TODAY - timedelta(days=1))
    assert words in reader_acts.why_nothing_today(make.subscriber(**fields), make.NOW)


def test_a_recorded_reason_comes_first():
    reader = make.subscriber()
    Skip.objects.create(subscriber=reader, local_date=make.TODAY, reason="nothing_new", at=make.NOW)
    assert "No edition had come out" in reader_acts.why_nothing_today(reader, make.NOW)


def test_who_got_one_is_not_asked_why_not():
    reader = make.subscriber()
    letter(reader, make.edition())
    assert reader_acts.why_nothing_today(reader, make.NOW) == ""


def test_a_waiting_reader_is_asked_again_and_not_too_often(operator):
    reader = make.subscriber(state="pending")
    for _ in range(3):
        operator.post(page(reader, "ask/"))
    assert Notice.objects.filter(kind="confirm").count() == 1
    assert AuditEntry.objects.filter(verb="ask again").count() == 1


def test_suppressing_and_lifting_ask_the_reader_anew(operator):
    reader = make.subscriber("ann@example.org")
    operator.post(page(reader, "suppress/"), {"detail": "wrote in"})
    reader.refresh_from_db()
    assert (reader.state, Suppression.objects.get().reason) == ("suppressed", "curator")
    operator.post(page(reader, "lift/"))
    reader.refresh_from_db()
    assert (reader.state, Suppression.objects.count()) == ("pending", 0)
    assert Notice.objects.get().kind == "confirm"
    assert "ann@" not in str(list(AuditEntry.objects.values()))


@pytest.mark.thorough
def test_lifting_does_not_claim_a_letter_that_may_not_go(operator):
    reader = make.subscriber(state="pending")
    operator.post(page(reader, "ask/"))
    operator.post(page(reader, "suppress/"), {"detail": "a test address"})
    assert "a test address" in operator.get(page(reader)).content.decode()
    said = operator.post(page(reader, "lift/"), follow=True).content.decode()
    assert "not asked to confirm yet" in said
    assert Notice.objects.filter(kind="confirm").count() == 1


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
    assert "ann@" not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A1"])
def test_s29_no_cell_is_a_formula(cell):
    assert csv_cells.safe(cell).startswith("'")


def test_s29_the_export_is_read_back_as_it_was_written(admin):
    make.subscriber("plain@example.org")
    make.subscriber("=cmd|calc@example.org")
    Subscriber.objects.filter(email__startswith="=").update(zone='a,"b"\nc')
    make.subscriber("gone@example.org", state="forgotten")
    answer = admin.post("/desk/readers/export/")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows[0] == list(reader_acts.COLUMNS)
    assert [row[0] for row in rows[1:]] == ["plain@example.org", "'=cmd|calc@example.org"]
    assert rows[2][rows[0].index("zone")] == 'a,"b"\nc'
    assert AuditEntry.objects.get().verb == "export readers"


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
    assert AuditEntry.objects.get().after == {"new": 1, "known": 0, "refused": 1, "left_out": 0}


def test_an_import_names_who_left_and_what_it_passes_over(admin):
    make.subscriber("lou@example.net", state="unsubscribed")
    text = "Email;name\nlou@example.net;Lou\nann@example.org;Ann\nn\x00o@example.org;No\n"
    for words in ({}, {"really": "yes"}):
        shown = upload(admin, text, **words).content.decode()
        assert "1 new, 0 known already, 1 refused, 1 left out" in shown
        assert "Line 2, lou@example.net: This reader unsubscribed" in shown
        assert "Line 4: A cell holds a character that no text has" in shown
        assert "Columns passed over: name." in shown
    assert Subscriber.objects.get(email="lou@example.net").state == "unsubscribed"


@pytest.mark.parametrize("column", ["queries", "topics", "mutes", "zone", "days", "frequency", "hour", "state"])
def test_a_nul_in_any_cell_of_an_import_is_refused_by_its_line(admin, column):
    shown = upload(admin, f"email,{column}\nann@example.org,a\x00b\nben@example.org,\n").content.decode()
    assert "1 new, 0 known already, 1 refused" in shown
    assert "Line 2: A cell holds a character that no text has" in shown


def test_an_import_is_kept_without_choosing_the_file_again(admin):
    shown = upload(admin, "email\nann@example.org\n").content.decode()
    assert "Keep this reader" in shown
    carried = shown.split('name="carried" value="')[1].split('"')[0]
    admin.post("/desk/readers/import/", {"carried": carried, "really": "yes"})
    assert Subscriber.objects.get().email == "ann@example.org"
    lost = admin.post("/desk/readers/import/", {"carried": "?", "really": "yes"})
    assert "Choose it again" in lost.content.decode()


def test_s29_an_export_can_be_imported_without_those_who_left(admin):
    speech = make.topic("speech")
    make.subscriber("ann@example.org", topics=[speech], queries=["protein folding", "-galaxies stars"], weekday=4)
    make.subscriber("ben@example.org", state="unsubscribed")
    text = b"".join(admin.post("/desk/readers/export/").streaming_content).decode()
    Subscriber.objects.all().delete()
    shown = upload(admin, text, really="yes").content.decode()
    assert "1 new, 0 known already, 0 refused, 1 left out" in shown
    ann = Subscriber.objects.get()
    assert (ann.email, ann.state, ann.weekday) == ("ann@example.org", "pending", 4)
    assert {one.topic.slug if one.topic else one.text for one in ann.interests.all()} == {
        "speech", "protein folding", "-galaxies stars",
    }  # fmt: skip


def test_chosen_days_are_named_and_survive_an_export_and_import(admin):
    make.subscriber("ann@example.org", frequency="chosen", days=week.read("tue fri"))
    make.subscriber("ben@example.org", frequency="weekly", weekday=6, days=week.read("mon"))
    pages = [page(reader) for reader in Subscriber.objects.order_by("pk")]
    shown = [admin.get(address).content.decode() for address in (*pages, "/desk/readers/")]
    assert ["Tuesday and Friday at 06:00" in one for one in shown] == [True, False, True]
    assert ["Once a week on Sunday at 06:00" in one for one in shown] == [False, True, True]
    text = b"".join(admin.post("/desk/readers/export/").streaming_content).decode()
    Subscriber.objects.all().delete()
    upload(admin, text, really="yes")
    kept = Subscriber.objects.order_by("pk").values_list("frequency", "weekday", "days")
    assert list(kept) == [("chosen", 0, week.read("tue fri")), ("weekly", 6, week.read("mon"))]


def wishes(reader):
    """What an interest is, in words that hold in any database."""
    return {
        (one.topic and one.topic.slug, one.text, one.filter.text, one.kind, one.weight, one.muted)
        for one in reader.interests.select_related("topic", "filter")
    }


def test_s29_an_export_brings_every_wish_back_with_its_emphasis(admin):
    speech, vision = make.topic("speech"), make.topic("vision", "vision")
    topics, queries = ["speech"], ["a|b", "|left right|", "=exact", "＝wide", "'=typed", "P(y|x)||z", "-survey -review"]
    interests.store(
        reader := make.subscriber("ann@example.org", topics=[speech]),
        [
            *interests.weigh(interests.read(topics, queries), {"speech": "less", "=exact": "more"}),
            interests.Wish(vision.filter.text, vision, weight=2.0, muted=True),
            interests.Wish("cat:cs.cv", text="cat:cs.CV", muted=True),
        ],
    )
    before = wishes(reader)
    assert len(before) == 10
    text = b"".join(admin.post("/desk/readers/export/").streaming_content).decode()
    Subscriber.objects.all().delete()
    Filter.objects.exclude(topics__isnull=False).delete()
    assert "1 new, 0 known already, 0 refused" in upload(admin, text, really="yes").content.decode()
    assert wishes(Subscriber.objects.get()) == before


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
    assert "3 papers in the last 3 editions" in shown
    assert not Topic.objects.exists()


def tried(curator, query):
    """What “Try it” says of another query for the topic: its words without the markup."""
    shown = curator.post("/desk/topics/speech/", form(query=query, do="try")).content.decode()
    return " ".join(re.sub("<.*?>", " ", shown).split())


def test_trying_another_query_shows_what_the_topic_gains_and_loses(curator, month):
    make.edition(make.TODAY - timedelta(days=5), [make.paper("Gesture")])
    make.topic("speech", "speech")
    said = tried(curator, "vision OR gesture")
    assert "6 papers before 4 papers after +1 gained −3 lost" in said
    assert "Gained Gesture Lost Speech Speech Speech The first it finds" in said
    assert Topic.objects.get().query == "speech"


def test_the_titles_gained_and_lost_are_bounded(curator, month, monkeypatch):
    monkeypatch.setattr(topic_acts, "MOST_TITLES", 2)
    make.topic("speech", "speech")
    assert "Lost Speech Speech and 1 more" in tried(curator, "vision")


def test_trying_the_kept_query_in_other_words_changes_nothing(curator, month):
    make.topic("speech", "speech")
    assert "It finds the same papers." in tried(curator, "title:speech OR abstract:speech")


def test_a_kept_query_that_can_be_read_no_more_is_compared_with_nothing(curator, month):
    make.topic("speech", "(speech")
    said = tried(curator, "vision")
    assert "3 papers in the last 3 editions" in said
    assert "Instead of" not in said


def test_a_new_topic_is_kept_with_its_filter(curator):
    assert curator.post("/desk/topics/new/", form()).url == "/desk/topics/speech/"
    assert Topic.objects.get().filter.text == "speech"
    assert AuditEntry.objects.get().verb == "write topic"


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
    asked = curator.post("/desk/topics/speech/merge/", {"into": "voice"}).content.decode()
    assert "its 2 readers get" in asked
    assert Topic.objects.get(slug="speech").is_active
    curator.post("/desk/topics/speech/merge/", {"into": "voice", "sure": "yes"})
    assert [reader.interests.get().topic for reader in (both, single)] == [two, two]
    assert Topic.objects.get(slug="speech").is_active is False
    assert AuditEntry.objects.get().after == {"into": "voice", "readers": 1}


def test_the_list_says_what_each_topic_brings(month, curator):
    topic, other = make.topic("speech", "speech"), make.topic("vision", "vision")
    make.subscriber(topics=[topic])
    for edition in month:
        topic_acts.count(edition, make.NOW)
    curator.get("/desk/topics/")
    lines = {line.topic.slug: line for line in topic_acts.lines(make.TODAY)}
    assert (lines["speech"].papers, lines["speech"].readers, lines["speech"].a_day) == (6, 1, 2.0)
    assert topic_acts.overlaps(other, make.TODAY) == [("speech", 3)]


def test_who_mutes_a_topic_is_none_of_its_readers(curator):
    topic = make.topic("speech", "speech")
    make.subscriber(topics=[topic])
    make.subscriber(topics=[topic]).interests.update(muted=True)
    counters.readers(make.NOW)
    assert topic_acts.lines(make.TODAY)[0].readers == 1
    assert "<strong>1</strong><span>reader</span>" in curator.get("/desk/topics/speech/").content.decode()


# -- sources ------------------------------------------------------------------------------------------


def test_a_source_is_looked_at_before_it_is_added(operator, monkeypatch):
    entry = Entry("1", "A paper of theirs", "https://journal.example/1")
    found = additions.Preview("https://journal.example/feed", "feed", "The Journal", 1, (entry,))
    monkeypatch.setattr(additions, "preview", lambda url, now: found)
    monkeypatch.setattr("digest.sources.ssrf_guard.check_url", lambda url, allowed=(): None)
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
    assert AuditEntry.objects.count() == 1


# -- deliverability -----------------------------------------------------------------------------------


def test_providers_and_destinations_are_counted_by_day(operator):
    today = timezone.now().date()
    for ago, domains in ((1, ("a.example", "b.example")), (2, ("a.example",))):
        day = make.edition(today - timedelta(days=ago))
        for domain in domains:
            letter(make.subscriber(f"ann{ago}@{domain}"), day, "accepted", fate="delivered")
    yesterday = str(today - timedelta(days=1))

    def table(page: str, anchor: str) -> str:
        return page.split(f'id="{anchor}"')[1].split("</table>")[0]

    page = operator.get("/desk/deliverability/").content.decode()
    assert re.search(r">a.example</a></th><td data-name=\"Accepted\" class=\"num\">2</td>", table(page, "destinations"))
    page = operator.get("/desk/deliverability/", {"day": yesterday}).content.decode()
    assert re.search(r">a.example</a></th><td data-name=\"Accepted\" class=\"num\">1</td>", table(page, "destinations"))
    assert re.search(r">smtp</a></th><td data-name=\"Accepted\" class=\"num\">2</td>", table(page, "providers"))
    assert f'<option value="{yesterday}" selected>' in page
    page = operator.get("/desk/deliverability/", {"destination": "b.example", "day": "2026-02-45"}).content.decode()
    days = page.split('<section id="one"')[1].split("</section>")[0]
    assert yesterday in days
    assert str(today - timedelta(days=2)) not in days
    page = operator.get("/desk/deliverability/", {"provider": "<b>nobody"}).content.decode()
    assert "No letters in the last 30 days." in page.split('<section id="one"')[1].split("</section>")[0]
    assert "<b>nobody" not in page


def test_a_doubt_is_settled_by_name(operator):
    doubt = letter(make.subscriber("ann@example.org", cursor=1), make.edition(), "uncertain", settled_at=make.NOW)
    assert "ann@example.org" in operator.get("/desk/deliverability/").content.decode()
    operator.post("/desk/deliverability/settle/", {"verb": "arrived", "letter": doubt.pk})
    doubt.refresh_from_db()
    assert doubt.state == "accepted"
    assert ProviderEvent.objects.get().event_key == f"operator:{doubt.uuid}"
    assert AuditEntry.objects.get().verb == "settle"
    assert [one.name for one in audit.audit().broken] == []


def test_several_doubts_are_settled_at_once(operator):
    edition = make.edition()
    rows = [letter(make.subscriber(), edition, "uncertain", settled_at=make.NOW) for _ in range(3)]
    kept = letter(make.subscriber(), edition, "rejected")
    ticked = [row.pk for row in [*rows[:2], kept]]
    page = operator.post("/desk/deliverability/settle/", {"verb": "arrived", "letter": ticked}, follow=True)
    assert "Settled: 2 letters arrived." in page.content.decode()
    states = [Delivery.objects.get(pk=row.pk).state for row in [*rows, kept]]
    assert states == ["accepted", "accepted", "uncertain", "rejected"]
    none = operator.post("/desk/deliverability/settle/", {"verb": "arrived"}, follow=True)
    assert "Tick letters that arrived first" in none.content.decode()


def test_a_letter_that_is_not_in_doubt_is_not_settled(operator):
    row = letter(make.subscriber(), make.edition(), "rejected")
    operator.post("/desk/deliverability/settle/", {"verb": "arrived", "letter": row.pk})
    row.refresh_from_db()
    assert row.state == "rejected"
    assert not AuditEntry.objects.exists()


def test_more_doubts_than_the_page_names_are_counted(operator, monkeypatch):
    monkeypatch.setattr("digest.desk.pages.deliverability.NAMED", 2)
    edition = make.edition()
    for _ in range(3):
        letter(make.subscriber(), edition, "uncertain", settled_at=make.NOW)
    assert "The newest 2 of 3." in operator.get("/desk/deliverability/").content.decode()


def test_a_viewer_sees_doubts_without_addresses(signed_in):
    letter(make.subscriber("ann@example.org"), make.edition(), "uncertain")
    assert "ann@" not in signed_in("viewer").get("/desk/deliverability/").content.decode()


def test_a_dead_letter_is_tried_again(operator):
    row = letter(make.subscriber(), make.edition(), "dead")
    operator.post("/desk/deliverability/settle/", {"verb": "revive", "letter": row.pk})
    row.refresh_from_db()
    assert row.state == "pending"


def waiting_report(kind="bounced"):
    row = letter(make.subscriber(), make.edition(), "accepted")
    return ProviderEvent.objects.create(
        event_key=f"e{row.pk}", channel="postmark", type=kind, delivery=row, occurred_at=make.NOW,
        received_at=make.NOW, waits=True, address_hmac="0" * 64, raw={"severity": "hard"},
    )  # fmt: skip


@pytest.mark.parametrize(("word", "fate"), [("apply", "bounced"), ("drop", "")])
def test_s17_reports_that_wait_are_shown_and_judged_at_the_desk(operator, word, fate):
    report = waiting_report()
    holds.hold("postmark", holds.BREAKER, circuit_breaker.SURGE, make.NOW)
    shown = operator.get("/desk/deliverability/").content.decode()
    assert "1 report waits for your word" in shown
    operator.post("/desk/deliverability/hold/", {"verb": "resume", "channel": "postmark", "reports": word})
    report.refresh_from_db()
    assert (report.waits, report.applied_at is None, report.delivery.fate) == (False, False, fate)
    act = AuditEntry.objects.get()
    assert (act.verb, act.after) == ("resume sending", {f"reports {word}": 1})
    assert "for your word" not in operator.get("/desk/deliverability/").content.decode()
    assert not holds.why("postmark", make.NOW)


def test_s17_the_desk_does_not_send_on_while_reports_wait(operator, settings):
    settings.MAIL_CHANNEL = "postmark"
    waiting_report()
    holds.hold("postmark", holds.BREAKER, "too many", make.NOW)
    answer = operator.post("/desk/deliverability/hold/", {"verb": "resume"}, follow=True)
    assert "say whether they are real" in answer.content.decode()
    assert holds.why("postmark", make.NOW)
    assert not AuditEntry.objects.exists()


def test_sending_is_held_and_let_go_on(operator):
    operator.post("/desk/deliverability/hold/", {"verb": "hold", "reason": "the provider called"})
    assert "the provider called" in operator.get("/desk/deliverability/").content.decode()
    assert Channel.objects.get().held_by == holds.OPERATOR
    operator.post("/desk/deliverability/hold/", {"verb": "resume"})
    assert Channel.objects.get().held_by == ""
    assert [act.verb for act in AuditEntry.objects.order_by("id")] == ["hold sending", "resume sending"]


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


def test_a_letter_names_its_papers_and_why_each_is_there(operator):
    reader, paper = make.subscriber("ann@example.org"), make.paper("A study of whispers")
    letter(reader, make.edition(papers=[paper]), papers=[
        {"paper": paper.pk, "reasons": [{"label": "speech"}, {"label": "audio"}]}, {"paper": 999_999, "reasons": []}
    ])  # fmt: skip
    assert reader_acts.letters(reader)[0].papers == [
        ("A study of whispers", "speech, audio"),
        ("A paper that is gone", ""),
    ]
    assert "A study of whispers" in operator.get(page(reader)).content.decode()


def test_older_readers_are_a_page_further(operator, monkeypatch):
    monkeypatch.setattr(reader_acts, "FOUND", 2)
    rows = [make.subscriber(f"reader-{n}@example.org") for n in range(3)]
    first = operator.get("/desk/readers/").content.decode()
    assert f"before={rows[1].pk}" in first
    assert "reader-0@" not in first
    second = operator.get(f"/desk/readers/?before={rows[1].pk}").content.decode()
    assert "reader-0@" in second
    assert "Older readers" not in second
    assert operator.get("/desk/readers/?before=²").status_code == 200


def test_churn_is_the_share_of_those_who_were_readers():
    assert (reader_acts.churn(0, 0), reader_acts.churn(1, 99), reader_acts.churn(3, 0)) == (0.0, 1.0, 100.0)


@pytest.mark.parametrize(("complained", "words"), [(0, ""), (1, "many"), (4, "too many")])
def test_shares_that_providers_act_on_are_marked(complained, words, operator):
    edition = make.edition()
    counters.put("letters", edition.date, {"accepted": 1000}, make.NOW)
    counters.put("fates", edition.date, {"delivered": 990, "complained": complained}, make.NOW)
    text = operator.get("/desk/deliverability/").content.decode()
    assert ("many</span>" in text) is bool(words)
    assert not words or f">{words}</span>" in text
