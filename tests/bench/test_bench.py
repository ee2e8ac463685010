from __future__ import annotations

import json

import pytest

from subscriptions.models import Subscriber
from tests.bench.__main__ import main

pytestmark = pytest.mark.django_db


def test_the_match_stage_is_timed_at_a_chosen_size(capsys: pytest.CaptureFixture[str]) -> None:
    main(["match", "--subscribers", "50", "--papers", "40", "--filters", "30"])
    answer = json.loads(capsys.readouterr().out)
    assert (answer["subscribers"], answer["papers"], answer["filters"]) == (50, 40, 30)
    assert answer["interests"] > 50
    assert 0 < answer["chosen"] <= 750
    assert set(answer["seconds"]) == set(answer["cpu_seconds"])


def test_the_same_seed_gives_the_same_work(capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for _ in range(2):
        main(["match", "--subscribers", "20", "--papers", "30", "--filters", "20"])
        answers.append(json.loads(capsys.readouterr().out)["chosen"])
    assert answers[0] == answers[1]


@pytest.mark.parametrize("words", [["match", "--papers", "0"], ["match", "--subscribers", "-1"]], ids=str)
def test_sizes_below_one_are_a_usage_error(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*words])
    assert end.value.code == 2


@pytest.mark.thorough
def test_the_refit_stage_says_how_many_readers_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    main(["refit", "--subscribers", "60", "--papers", "80"])
    answer = json.loads(capsys.readouterr().out)
    assert (answer["subscribers"], answer["papers"], answer["profiles"]) == (60, 80, 60)
    assert answer["readers_a_second"] > 0
    assert set(answer["seconds"]) == set(answer["cpu_seconds"])


@pytest.mark.thorough
def test_the_preview_stage_says_how_long_a_reader_waits(capsys: pytest.CaptureFixture[str]) -> None:
    main(["preview", "--papers", "120"])
    answer = json.loads(capsys.readouterr().out)
    assert (answer["papers"], answer["asked"]) == (120, 300)
    assert answer["matched"] > 0
    assert 0 < answer["milliseconds"]["median"] <= answer["milliseconds"]["p95"] <= answer["milliseconds"]["most"]


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "sink", "channel"), [("send", "", "smtp"), ("day", "outbox:", "outbox")])
def test_a_made_up_day_is_sent_and_audited_on_a_database_of_its_own(
    stage: str, sink: str, channel: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ["--subscribers", "6", "--papers", "12", "--filters", "20"]
    main([stage, *sizes, "--sink", sink])
    answer = json.loads(capsys.readouterr().out)
    assert (answer["stage"], answer["channel"], answer["good"], answer["audit"]) == (stage, channel, True, [])
    assert answer["accepted"] == answer["planned"] == answer["accounts"]["planned"] > 0
    assert {"plan", "claim", "render", "intend", "hand over", "settle"} == set(answer["seconds"])
    assert answer["letters_per_second"] > 0 < answer["plain_letters_per_second"]
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("sink", ["smtp://mail.example.org", "anymail://resend", "smtp://10.0.0.1:25"])
def test_made_up_letters_stay_on_this_machine(sink: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["send", "--sink", sink])
    assert end.value.code == 2
