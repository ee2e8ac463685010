"""Postfix's log as evidence: what proves a letter taken, what proves it not taken, and what proves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.delivery.channels.maillog import Record, Window

A, B = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
START = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(minutes=5), UTC)


def line(clock: str, who: str, words: str) -> bytes:
    return f"Jun  3 {clock} relay postfix/{who}: {words}\n".encode()


BEFORE = [line("05:58:00", "qmgr[9]", "AAAAAA: removed")]
AFTER = [line("06:20:00", "smtpd[7]", "connect from localhost[127.0.0.1]")]
CONNECT = line("06:01:00", "smtpd[5]", "connect from localhost[127.0.0.1]")
CLIENT = line("06:01:00", "smtpd[5]", "D370621C92D: client=localhost[127.0.0.1]")
NAME = line("06:01:00", "cleanup[6]", f"D370621C92D: message-id=<d.{A}@papers.example.org>")
CUT = line("06:01:00", "smtpd[5]", "lost connection after DATA (21040 bytes) from localhost[127.0.0.1]")
GONE = line("06:01:00", "smtpd[5]", "disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=1 data=0/1")
ACTIVE = line("06:01:01", "qmgr[9]", "D370621C92D: from=<p@example.org>, size=2126, nrcpt=1 (queue active)")
SENT = line(
    "06:01:02", "smtp[8]", "D370621C92D: to=<ada@example.org>, relay=mx.example.org, dsn=2.0.0, status=sent (ok)"
)


def read(*files: list[bytes], window: Window = WINDOW) -> Record:
    record = Record(window, frozenset({A}))
    for one in files:
        record.feed(one)
    return record


def test_a_letter_in_the_queue_was_taken() -> None:
    record = read([*BEFORE, CONNECT, CLIENT, NAME, GONE, ACTIVE, *AFTER])
    assert (record.found, record.doubt) == ({A}, "")


def test_a_delivery_proves_it_too_also_long_after_and_in_a_later_file() -> None:
    assert read([*BEFORE, CONNECT, CLIENT, NAME, *AFTER], [SENT]).found == {A}


def test_a_client_gone_within_the_text_proves_that_it_was_not_taken() -> None:
    record = read([*BEFORE, CONNECT, CLIENT, NAME, CUT, GONE, *AFTER])
    assert (record.found, record.doubt) == (set(), "")


def test_no_word_of_it_in_a_whole_log_proves_that_it_was_not_taken() -> None:
    assert read([*BEFORE, CONNECT, CLIENT, CUT, GONE, *AFTER]).doubt == ""
    assert read([*BEFORE, CONNECT, GONE, *AFTER]).doubt == ""
    assert read([*BEFORE, *AFTER]).doubt == ""


def test_the_name_alone_proves_nothing() -> None:
    """The queue manager may be behind, or the letter may have been refused at its end."""
    assert "end of a letter" in read([*BEFORE, CONNECT, CLIENT, NAME, GONE, *AFTER]).doubt


def test_a_session_that_has_not_ended_proves_nothing() -> None:
    assert "end of a letter" in read([*BEFORE, CONNECT, CLIENT, *AFTER]).doubt


def test_the_next_letter_of_a_session_ends_the_one_before() -> None:
    another = line("06:01:03", "smtpd[5]", "E370621C92D: client=localhost[127.0.0.1]")
    name = line("06:01:03", "cleanup[6]", f"E370621C92D: message-id=<d.{B}@papers.example.org>")
    assert read([*BEFORE, CONNECT, CLIENT, another, name, *AFTER]).doubt == ""


def test_a_queue_id_used_again_speaks_of_the_new_letter() -> None:
    other = line("06:02:00", "cleanup[6]", f"D370621C92D: message-id=<d.{B}@papers.example.org>")
    again = [line("06:02:00", "smtpd[5]", "D370621C92D: client=localhost[127.0.0.1]"), other, ACTIVE]
    assert read([*BEFORE, CONNECT, CLIENT, NAME, CUT, *again, *AFTER]).found == set()


@pytest.mark.parametrize("words", ["status=sent", "to=<ada@example.org>, status=sent (ok)"])
def test_what_others_wrote_into_a_header_proves_nothing(words: str) -> None:
    warning = line("06:01:00", "cleanup[6]", f"D370621C92D: warning: header Subject: {words} from localhost")
    assert read([*BEFORE, CONNECT, CLIENT, NAME, warning, CUT, *AFTER]).found == set()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([[]], "reach back"),
        ([AFTER], "reach back"),
        ([[CONNECT, CLIENT, CUT, GONE, *AFTER]], "reach back"),
        ([BEFORE], "reach past"),
        ([[*BEFORE, CONNECT]], "reach past"),
        ([BEFORE, AFTER], "rotated"),
        ([[*BEFORE, b"\0\0\0\0\n", *AFTER]], "damaged"),
        ([[*BEFORE, CLIENT[:30] + b"\n", *AFTER]], "damaged"),
        ([[*BEFORE, CONNECT, line("05:40:00", "qmgr[9]", "x"), *AFTER]], "went back"),
        ([[*BEFORE, line("06:03:00", "master[1]", "daemon started -- version 3.7.11"), *AFTER]], "anew"),
        # Later than the moment, but nothing was written in between: a power cut may have taken its lines away.
        ([[*BEFORE, line("06:15:00", "master[1]", "daemon started -- version 3.7.11"), *AFTER]], "anew"),
        ([[*BEFORE, line("06:15:00", "postfix-script[1]", "starting the Postfix mail system"), *AFTER]], "anew"),
        (
            [[*BEFORE, line("06:03:00", "master[1]", "warning: process postlogd pid 4 killed by signal 9"), *AFTER]],
            "killed",
        ),
    ],
)
def test_a_log_that_is_not_whole_proves_nothing(files: list[list[bytes]], says: str) -> None:
    assert says in read(*files).doubt


def test_a_restart_after_a_line_past_the_moment_does_no_harm() -> None:
    restart = line("06:30:00", "master[1]", "daemon started -- version 3.7.11")
    assert read([*BEFORE, CONNECT, CLIENT, CUT, GONE, *AFTER, restart]).doubt == ""


def test_what_was_wrong_before_the_moment_does_no_harm() -> None:
    earlier = [line("05:40:00", "master[1]", "daemon started -- version 3.7.11"), b"\0\n"]
    assert read([*earlier, *BEFORE, CONNECT, CLIENT, CUT, GONE, *AFTER]).doubt == ""
    only = [line("05:40:00", "master[1]", "daemon started -- version 3.7.11")]
    assert read([*only, CONNECT, CLIENT, CUT, GONE, *AFTER]).doubt == ""


def test_a_hole_that_may_hide_the_beginning_of_the_moment_does() -> None:
    assert "damaged" in read([*BEFORE, b"\0\n", CONNECT, GONE, *AFTER]).doubt


def test_a_rotation_after_the_moment_does_no_harm() -> None:
    assert read([*BEFORE, CONNECT, GONE, *AFTER], [*AFTER, b"\0\n"]).doubt == ""


def test_half_a_line_at_the_end_is_still_being_written() -> None:
    assert read([*BEFORE, CONNECT, GONE, *AFTER, CLIENT[:25]]).doubt == ""


def test_the_year_is_the_one_that_brings_a_line_nearest() -> None:
    window = Window(datetime(2027, 1, 1, 0, 0, 30, tzinfo=UTC), datetime(2027, 1, 1, 0, 5, tzinfo=UTC), UTC)
    assert window.read(b"Dec 31 23:59:00") == datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert window.read(b"Jan  1 00:01:00") == datetime(2027, 1, 1, 0, 1, tzinfo=UTC)
    assert window.read(b"Feb 30 00:01:00") is None
    assert window.read(b"\0" * 15) is None


def test_near_a_change_of_clocks_an_hour_may_mean_two() -> None:
    zone = ZoneInfo("Europe/Paris")
    near, far = datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 24, 1, 30, tzinfo=UTC)
    assert not Window(near, near, zone).is_straight
    assert Window(far, far, zone).is_straight
    assert "clocks changed" in read([*BEFORE, *AFTER], window=Window(near, near, zone)).doubt
