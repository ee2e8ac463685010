from __future__ import annotations

import io
import json
from contextlib import redirect_stdout

import pytest
from django.core.management import call_command

from subscriptions import services
from subscriptions.models import Notice, Subscriber
from subscriptions.when import week
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
State = Subscriber.State


def run(*words: str) -> tuple[int, dict]:
    """A command's exit code and its one JSON object."""
    out, code = io.StringIO(), 0
    try:
        with redirect_stdout(out):
            call_command(*words, "--json", stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(out.getvalue())


def test_subscribe_asks_by_mail():
    make.topic("speech")
    code, answer = run("subscribe", "ada@example.org", "--topic", "speech", "--query", "protein", "--hour", "9")
    assert (code, answer["state"], answer["asked_by_mail"]) == (0, "pending", True)
    assert answer["interests"] == ["Speech", "protein"]


def test_subscribe_confirmed_is_due_at_its_hour():
    code, answer = run(
        "subscribe", "ada@example.org", "--confirmed", "--hour", "7", "--zone", "Asia/Tokyo", "--now", NOW.isoformat()
    )
    assert (code, answer["state"], answer["asked_by_mail"]) == (0, "active", False)
    assert answer["next_digest_at"] == "2026-06-03T22:00:00+00:00"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["ada@localhost"], "not a domain"),
        (["ada@example.org", "--zone", "Berlin"], "time zone"),
        (["ada@example.org", "--hour", "24"], "hour of the day"),
        (["ada@example.org", "--frequency", "hourly"], "hourly"),
        (["ada@example.org", "--frequency", "chosen"], "Choose at least one day of the week"),
        (["ada@example.org", "--days", ""], "Choose at least one day of the week"),
        (["ada@example.org", "--days", "tue,someday"], "“someday” is not a day of the week"),
        (["ada@example.org", "--topic", "alchemy"], "no topic"),
        (["ada@example.org", "--query", "speech", "--query", "(x"], "--query number 2, column"),
    ],
)
def test_subscribe_refuses_bad_words_with_the_fix(words, sentence):
    code, answer = run("subscribe", *words)
    assert code == 2
    assert sentence in answer["error"]


def test_days_are_named_on_the_command_line():
    words = ["--days", "tue,fri", "--hour", "7", "--zone", "Europe/Berlin", "--confirmed"]
    code, answer = run("subscribe", "ada@example.org", *words, "--now", "2026-06-03T06:00:00+00:00")
    assert (code, answer["frequency"], answer["days"]) == (0, "chosen", ["Tuesday", "Friday"])
    assert answer["rhythm"] == "Tuesday and Friday"
    assert answer["next_digest_at"] == "2026-06-05T05:00:00+00:00"


@pytest.mark.parametrize("days", ["tue fri", '"tue,fri"', "Friday Tuesday"])
@pytest.mark.parametrize("frequency", ["", "chosen"])
def test_import_takes_days_however_they_are_parted(tmp_path, days, frequency):
    code, _ = imported(tmp_path, f"email,frequency,days\nada@example.org,{frequency},{days}\n")
    ada = Subscriber.objects.get()
    assert (code, ada.frequency, ada.days) == (0, "chosen", week.read("tue fri"))


@pytest.mark.parametrize("row", ["chosen,", ",noday"])
def test_import_names_the_line_whose_days_cannot_be_kept(tmp_path, row):
    code, answer = imported(tmp_path, f"email,frequency,days\nada@example.org,{row}\n")
    assert (code, answer["refused"], answer["problems"][0]["line"]) == (1, 1, 2)
    assert "day of the week" in answer["problems"][0]["problem"]


def test_days_beside_another_frequency_are_remembered(tmp_path):
    imported(tmp_path, "email,frequency,days\nada@example.org,weekly,tue fri\n")
    ada = Subscriber.objects.get()
    assert (ada.frequency, week.short(ada.days)) == ("weekly", "tue fri")


def test_an_export_of_a_reader_names_their_days():
    make.subscriber("ada@example.org", frequency="chosen", days=week.read("tue fri"))
    _, answer = run("export_subscriber", "ada@example.org")
    assert answer["settings"]["days"] == ["Tuesday", "Friday"]


def test_subscribe_fails_for_a_suppressed_address():
    services.suppress("ada@example.org", "complaint", NOW)
    code, answer = run("subscribe", "ada@example.org")
    assert code == 1
    assert "Nobody may write" in answer["error"]


def imported(tmp_path, text: str, *words: str) -> tuple[int, dict]:
    path = tmp_path / "readers.csv"
    path.write_text(text)
    return run("import_subscribers", str(path), *words)


def test_import_takes_every_good_line_and_names_the_bad_ones(tmp_path):
    make.topic("speech")
    make.subscriber("cyd@example.org")
    code, answer = imported(
        tmp_path,
        "email,topics,queries,hour,zone\n"
        "ada@example.org,speech,protein folding|galaxies,9,Asia/Tokyo\n"
        "ben@,,,,\n"
        "cyd@example.org,,,,\n"
        "dan@example.org,,,soon,\n"
        "eve@example.org,,(x,,\n",
    )
    assert (code, answer["new"], answer["known"], answer["refused"]) == (1, 1, 1, 3)
    assert [problem["line"] for problem in answer["problems"]] == [3, 5, 6]
    ada = Subscriber.objects.get(email="ada@example.org")
    assert (ada.state, ada.hour, ada.interests.count()) == (State.PENDING, 9, 3)
    assert Notice.objects.count() == 1


def test_import_takes_marked_wishes_whether_or_not_they_are_listed_too(tmp_path):
    make.topic("speech")
    text = "email,queries,mutes,more\nada@example.org,a||b | folding,survey | topic:speech,folding | galaxies\n"
    assert imported(tmp_path, text)[0] == 0
    assert {(one.label, one.weight, one.muted) for one in Subscriber.objects.get().interests.all()} == {
        ("a|b", 1.0, False), ("folding", 2.0, False), ("galaxies", 2.0, False), ("survey", 1.0, True),
        ("Speech", 1.0, True),
    }  # fmt: skip


def test_import_counts_marked_wishes_among_the_most_a_reader_may_have(tmp_path):
    queries, mutes = (" | ".join(f"{word}{number}" for number in range(11)) for word in ("asked", "unwanted"))
    code, answer = imported(tmp_path, f"email,queries,mutes\nada@example.org,{queries},{mutes}\n")
    assert code == 1
    assert "You wrote 22 filters" in answer["problems"][0]["problem"]


def test_import_writes_to_no_suppressed_and_no_erased_address(tmp_path):
    services.suppress("ada@example.org", "complaint", NOW)
    services.forget(make.subscriber("ben@example.org"), NOW)
    code, answer = imported(tmp_path, "email\nada@example.org\nben@example.org\n")
    assert (code, answer["new"], answer["left_out"], answer["refused"]) == (0, 0, 2, 0)


def gone(address: str, how: str) -> None:
    if how == "unsubscribed":
        services.unsubscribe(make.subscriber(address), NOW)
    elif how == "erased":
        services.forget(make.subscriber(address), NOW)
    else:
        make.subscriber(address)
        services.suppress(address, how, NOW)


@pytest.mark.parametrize("how", ["unsubscribed", "hard_bounce", "complaint", "request", "curator", "erased"])
@pytest.mark.parametrize("words", [(), ("--confirmed",), ("--dry-run",), ("--confirmed", "--dry-run")])
def test_import_brings_nobody_back_who_left(tmp_path, how, words):
    gone("lou@example.net", how)
    before = list(Subscriber.objects.values_list("pk", "state"))
    _, answer = imported(tmp_path, "email\nmia@example.net\nLou Roy <LOU@example.net>\n", *words)
    assert (answer["new"], answer["known"], answer["left_out"], answer["problems"]) == (1, 0, 1, [])
    assert [(one["line"], one["email"]) for one in answer["left"]] == [(3, "Lou Roy <LOU@example.net>")]
    assert answer["left"][0]["why"].endswith(".")
    assert [row for row in Subscriber.objects.values_list("pk", "state") if row in before] == before
    assert not Notice.objects.filter(subscriber__pk__in=[pk for pk, _ in before]).exists()


@pytest.mark.parametrize("words", [[], ["--confirmed"]])
def test_subscribe_brings_nobody_back_who_left(words):
    gone("lou@example.net", "unsubscribed")
    code, answer = run("subscribe", "lou@example.net", *words)
    assert code == 1
    assert "Only they themselves can come back" in answer["error"]
    assert Subscriber.objects.get().state == State.UNSUBSCRIBED


@pytest.mark.parametrize("text", ["a\x00b", "a\udcffb", "\ud800"])
def test_subscribe_refuses_a_filter_that_no_database_stores(text):
    code, answer = run("subscribe", "lou@example.net", "--query", text)
    assert code == 2
    assert "a character that no text has" in answer["error"]
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("confirmed", [[], ["--confirmed"]])
def test_a_dry_run_counts_as_the_real_run_does(tmp_path, settings, confirmed):
    settings.SIGNUPS_PER_HOUR = 5
    gone("ida@example.net", "unsubscribed")
    make.subscriber("cyd@example.org")
    lines = [f"r{number}@example.com," for number in range(4)]
    lines += ["R1@example.com,", "r1+a@example.com,", "ida@example.net,", "cyd@example.org,", "<r9@example.edu>,"]
    lines += ["mailto:r9@example.edu,", "new@example.edu,(x", "new@example.edu,", "nobody,", "n\x00ul@example.edu,"]
    text = "\n".join(["email,queries", *lines, ""])
    (_, trial), (_, real) = imported(tmp_path, text, "--dry-run", *confirmed), imported(tmp_path, text, *confirmed)
    assert trial | {"dry_run": False} == real
    assert (real["new"], real["known"], real["refused"], real["left_out"]) == (7, 3, 3, 1)
    assert real["unasked"] == (0 if confirmed else 2)


@pytest.mark.parametrize("cell", ["Lou Roy <lou@example.net>", '"Roy, Lou <lou@example.net>"', "mailto:lou@example.net",
                                  "lou@example.net.", "< lou@example.net >;", " lou@example.net "])  # fmt: skip
def test_import_takes_the_address_out_of_what_stands_around_it(tmp_path, cell):
    assert imported(tmp_path, f"email\n{cell}\n")[1]["new"] == 1
    assert Subscriber.objects.get().email == "lou@example.net"


def test_a_dry_run_keeps_nothing(tmp_path):
    code, answer = imported(tmp_path, "email\nada@example.org\n", "--dry-run")
    assert (code, answer["new"]) == (0, 1)
    assert not Subscriber.objects.exists()


def test_import_of_people_who_agreed_elsewhere(tmp_path):
    imported(tmp_path, "email\nada@example.org\n", "--confirmed")
    assert Subscriber.objects.get().state == State.ACTIVE
    assert not Notice.objects.exists()


@pytest.mark.parametrize("text", ["", "address\nada@example.org\n"])
def test_import_wants_a_header(tmp_path, text):
    code, answer = imported(tmp_path, text)
    assert code == 2
    assert "column" in answer["error"]


def test_import_names_the_columns_it_passes_over(tmp_path):
    code, answer = imported(tmp_path, "email,colour\nada@example.org,red\n")
    assert (code, answer["new"], answer["passed_over"]) == (0, 1, ["colour"])


def test_import_of_a_file_that_is_not_there(tmp_path):
    code, answer = run("import_subscribers", str(tmp_path / "none.csv"))
    assert code == 1
    assert "cannot be read" in answer["error"]


def test_export_prints_what_is_kept():
    make.subscriber("ada@example.org", queries=["protein"])
    code, answer = run("export_subscriber", "ADA@example.org")
    assert (code, answer["email"], answer["interests"][0]["label"]) == (0, "ada@example.org", "protein")


@pytest.mark.parametrize("command", ["export_subscriber", "forget"])
@pytest.mark.parametrize(("email", "code"), [("nobody@example.org", 1), ("nobody", 2)])
def test_a_stranger_is_not_found(command, email, code):
    assert run(command, email)[0] == code


def test_forget_erases():
    reader = make.subscriber("ada@example.org")
    assert run("forget", "ada@example.org")[0] == 0
    reader.refresh_from_db()
    assert reader.state == State.FORGOTTEN
    assert run("forget", "ada@example.org")[0] == 1


def test_words_for_people():
    out = io.StringIO()
    call_command("subscribe", "ada@example.org", "--query", "protein", stdout=out)
    call_command("export_subscriber", "ada@example.org", stdout=out)
    call_command("forget", "ada@example.org", stdout=out)
    assert "ada@example.org is pending." in out.getvalue()
    assert "Erased." in out.getvalue()
