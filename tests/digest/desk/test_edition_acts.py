"""An edition at the desk: its note, holding it, and S26: letting it go takes two steps and can be taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from digest.desk.acts import edition_acts
from digest.editions import lifecycle
from digest.models import AuditEntry, Edition
from tests import make

pytestmark = pytest.mark.django_db
PAGE = f"/desk/edition/{make.TODAY}/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(make.NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def edition():
    return make.edition(papers=[make.paper("Speech from silence"), make.paper("Other")], state="collecting")


def state(edition):
    edition.refresh_from_db()
    return edition.state


def release(client, edition, **form):
    edition.refresh_from_db()
    return client.post(f"{PAGE}release/", {"revision": edition.revision, **form})


def test_a_note_is_kept_and_signed(curator, edition):
    curator.post(f"{PAGE}note/", {"note": " Two lines.\r\n\r\nReally. ", "curator": "Ann", "revision": 0})
    edition.refresh_from_db()
    assert (edition.note, edition.curator) == ("Two lines.\n\nReally.", "Ann")
    assert AuditEntry.objects.get().after["note"] == "Two lines.\n\nReally."


def test_the_second_of_two_notes_is_shown_beside_the_first(signed_in, edition):
    signed_in("curator", "ann").post(f"{PAGE}note/", {"note": "Ann's", "curator": "Ann", "revision": 0})
    answer = signed_in("curator", "ben").post(f"{PAGE}note/", {"note": "Ben's", "curator": "Ben", "revision": 0})
    edition.refresh_from_db()
    assert (answer.status_code, edition.note) == (409, "Ann's")
    assert "Ann&#39;s" in answer.content.decode()
    assert "Ben&#39;s" in answer.content.decode()


def test_a_note_that_is_too_long_is_refused_in_words(curator, edition):
    answer = curator.post(f"{PAGE}note/", {"note": "x" * 4001, "curator": "Signed so", "revision": 0})
    assert answer.status_code == 400
    assert b"Shorten it" in answer.content


def test_a_note_that_is_refused_is_in_the_form_again(curator, edition):
    form = {"note": "<b>First</b> " + "x" * 4001, "curator": "Signed so", "revision": 0}
    page = curator.post(f"{PAGE}note/", form).content.decode()
    assert "&lt;b&gt;First&lt;/b&gt; xxx" in page
    assert 'value="Signed so"' in page


@pytest.mark.parametrize(
    ("steps", "end"),
    [
        (["hold"], "held"),
        (["hold", "let-go"], "collecting"),
        (["freeze"], "frozen"),
        (["freeze", "hold"], "held"),
        (["freeze", "take-back"], "held"),
        (["let-go"], "collecting"),
        (["hold", "hold"], "held"),
    ],
)
def test_an_edition_moves_as_it_is_told(steps, end, curator, edition):
    for verb in steps:
        assert curator.post(f"{PAGE}{verb}/").status_code == 302
    assert state(edition) == end


def test_a_step_nobody_knows_is_not_there(curator, edition):
    assert curator.post(f"{PAGE}explode/").status_code == 404


def test_s26_asking_to_release_releases_nothing(curator, edition):
    make.subscriber(queries=["speech"])
    page = curator.get(f"{PAGE}release/").content.decode()
    assert "at most 1" in page
    assert state(edition) == "collecting"


def test_s26_a_release_goes_out_five_minutes_later(curator, edition, clock):
    release(curator, edition)
    assert state(edition) == "frozen"
    clock.shift(timedelta(minutes=4, seconds=59))
    lifecycle.release_due(make.NOW + timedelta(minutes=4, seconds=59))
    assert state(edition) == "frozen"
    lifecycle.release_due(make.NOW + timedelta(minutes=5))
    assert state(edition) == "released"


def test_s26_within_five_minutes_it_can_be_taken_back(curator, edition):
    release(curator, edition)
    curator.post(f"{PAGE}take-back/")
    lifecycle.release_due(make.NOW + timedelta(hours=30))
    assert state(edition) == "held"
    assert edition.release_at is None
    assert [act.verb for act in AuditEntry.objects.order_by("id")] == ["release", "take back"]


def test_s26_what_is_out_is_out(curator, edition):
    release(curator, edition)
    lifecycle.release_due(make.NOW + timedelta(minutes=5))
    curator.post(f"{PAGE}take-back/")
    assert state(edition) == "released"
    assert "letters have begun to go" in curator.get(PAGE).content.decode()


def test_s26_many_letters_want_their_number_typed(curator, edition, monkeypatch):
    monkeypatch.setattr(edition_acts, "TYPED_ABOVE", 2)
    for _ in range(3):
        make.subscriber(queries=["speech"])
    assert release(curator, edition, typed="2").status_code == 400
    assert state(edition) == "collecting"
    assert release(curator, edition, typed="3").status_code == 302
    assert state(edition) == "frozen"


def test_s26_an_edition_that_changed_meanwhile_is_looked_at_again(signed_in, edition):
    ann = signed_in("curator", "ann")
    row = edition.entries.first()
    signed_in("curator", "ben").post(f"/desk/triage/{make.TODAY}/{row.pk}/", {"verb": "hide"})
    answer = ann.post(f"{PAGE}release/", {"revision": 0})
    assert answer.status_code == 400
    assert b"Look at it again" in answer.content
    assert state(edition) == "collecting"


def test_an_edition_in_which_all_is_hidden_is_not_released(curator, edition):
    edition.entries.update(is_hidden=True)
    assert b"nothing in it that readers would see" in release(curator, edition).content


def test_releasing_twice_sets_one_time(curator, edition):
    release(curator, edition)
    assert b"It is on its way" in release(curator, edition).content
    assert AuditEntry.objects.filter(verb="release").count() == 1


def test_a_time_of_the_curators_counts_instead_of_the_gates(curator, edition):
    at = make.NOW + timedelta(hours=9)  # an hour after the deadline
    curator.post(f"{PAGE}release-at/", {"at": at.strftime("%Y-%m-%dT%H:%M")})
    lifecycle.release_due(at - timedelta(minutes=1))
    assert state(edition) == "collecting"
    lifecycle.release_due(at)
    assert state(edition) == "released"


@pytest.mark.parametrize("at", ["", "soon", "2026-06-03T05:59", "2026-07-01T00:00"])
def test_a_time_that_cannot_be_is_refused_in_words(at, curator, edition):
    curator.post(f"{PAGE}release-at/", {"at": at})
    edition.refresh_from_db()
    assert edition.release_at is None
    assert 'role="alert"' in curator.get(PAGE).content.decode()


def test_f92_an_edition_held_while_the_gate_looks_is_not_released(edition, monkeypatch):
    seen = lifecycle._is_time

    def held_in_between(one, now):
        Edition.objects.filter(pk=one.pk).update(state="held")
        return seen(one, now)

    monkeypatch.setattr(lifecycle, "_is_time", held_in_between)
    assert lifecycle.release_due(make.NOW + timedelta(hours=30)) == []
    assert state(edition) == "held"


def test_the_dry_run_says_whose_letter_changes(curator, edition):
    make.subscriber(queries=["speech"])
    make.subscriber(queries=["nothing like it"], community_picks=False)
    assert edition_acts.difference(edition, make.NOW).changed == 0
    row = edition.entries.get(paper__title="Speech from silence")
    curator.post(f"/desk/triage/{make.TODAY}/{row.pk}/", {"verb": "hide"})
    found = edition_acts.difference(edition, make.NOW)
    assert (found.looked_at, found.changed, found.all_readers) == (2, 1, True)
    assert b"1 of 2 readers" in curator.get(f"{PAGE}difference/").content


def test_a_pin_changes_everybodys_letter(curator, edition):
    make.subscriber(queries=["nothing like it"], community_picks=False)
    row = edition.entries.get(paper__title="Other")
    curator.post(f"/desk/triage/{make.TODAY}/{row.pk}/", {"verb": "pin"})
    assert edition_acts.difference(edition, make.NOW).changed == 1


def test_the_dry_run_names_what_comes_and_what_goes(curator, edition):
    reader = make.subscriber(queries=["speech"], community_picks=False)
    assert "Nothing is pinned or hidden" in curator.get(f"{PAGE}difference/").content.decode()
    for title, verb in (("Speech from silence", "hide"), ("Other", "pin")):
        row = edition.entries.get(paper__title=title)
        curator.post(f"/desk/triage/{make.TODAY}/{row.pk}/", {"verb": verb})
    example = edition_acts.difference(edition, make.NOW).examples[0]
    assert (example.reader, example.comes, example.goes) == (reader.pk, ("Other",), ("Speech from silence",))
    assert f"Reader {reader.pk}" in curator.get(f"{PAGE}difference/").content.decode()


def test_the_dry_run_counts_by_paper_who_gets_it_and_who_loses_it(curator, edition, monkeypatch):
    for queries in (["speech"], ["speech", "other"], ["nothing like it"]):
        make.subscriber(queries=queries, community_picks=False)
    for title, verb in (("Speech from silence", "hide"), ("Other", "pin")):
        row = edition.entries.get(paper__title=title)
        curator.post(f"/desk/triage/{make.TODAY}/{row.pk}/", {"verb": verb})
    found = edition_acts.difference(edition, make.NOW)
    assert [(one.title, one.comes, one.goes) for one in found.papers] == [
        ("Other", 2, 0), ("Speech from silence", 0, 2)
    ]  # fmt: skip
    assert "By paper" in curator.get(f"{PAGE}difference/").content.decode()
    monkeypatch.setattr(edition_acts, "MOST_PAPERS", 1)
    assert "The 1 of 2 papers that most readers" in curator.get(f"{PAGE}difference/").content.decode()


def test_the_time_a_form_begins_with_is_to_come(curator, edition):
    with time_machine.travel(make.NOW.replace(hour=6, minute=40), tick=False):
        page = curator.get(PAGE).content.decode()
        assert 'value="2026-06-03T08:00"' in page
        assert (
            "goes out on 3 June at 08:00 UTC"
            in curator.post(f"{PAGE}release-at/", {"at": "2026-06-03T08:00"}, follow=True).content.decode()
        )
