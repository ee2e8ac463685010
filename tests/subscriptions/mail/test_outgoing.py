"""The hand-over: finished bytes leave as they are, and nobody waits for ever."""

from __future__ import annotations

import gc
import os
import threading
import time

import pytest

from subscriptions.mail import outgoing


def test_a_finished_letter_leaves_as_its_very_bytes() -> None:
    raw = b"From: a@example.org\r\nTo: ada@example.org\r\n\r\n.dot\r\n"
    message = outgoing.as_message(outgoing.Letter("ada@example.org", "", "", message_id="<d.1@example.org>", raw=raw))
    assert message.message().as_bytes(linesep="\r\n") == raw
    assert (message.to, message.extra_headers["Message-ID"]) == (["ada@example.org"], "<d.1@example.org>")


@pytest.mark.thorough
def test_one_thread_serves_many_hand_overs_and_ends_with_its_owner() -> None:
    used: set[threading.Thread] = set()

    def owner() -> None:
        for _ in range(5):
            outgoing._within(5, lambda: used.add(threading.current_thread()))

    one = threading.Thread(target=owner)
    one.start()
    one.join()
    gc.collect()
    (thread,) = used
    thread.join(5)
    assert not thread.is_alive()


def test_f75_after_an_overdue_hand_over_its_late_answer_is_nobodys() -> None:
    release = threading.Event()

    def late() -> None:
        release.wait(5)
        raise ValueError("late")

    with pytest.raises(outgoing.OverdueError):
        outgoing._within(0.05, late)
    done: list[int] = []
    outgoing._within(5, lambda: done.append(1))
    release.set()
    time.sleep(0.05)
    outgoing._within(5, lambda: done.append(2))
    assert done == [1, 2]


def test_an_error_is_raised_to_who_waits() -> None:
    with pytest.raises(ValueError, match="no"):
        outgoing._within(5, lambda: (_ for _ in ()).throw(ValueError("no")))


def test_a_forked_worker_does_not_wait_for_a_thread_of_its_parent() -> None:
    outgoing._within(5, lambda: None)
    child = os.fork()
    if child == 0:
        try:
            outgoing._within(5, lambda: None)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_after_a_wait_that_was_broken_off_the_answer_is_not_the_next_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal or a time limit of the worker may end the wait at any moment."""
    outgoing._within(60, lambda: None)
    hand = outgoing._hands.hand

    class Broken:
        def get(self, timeout: float) -> None:
            raise GeneratorExit

    monkeypatch.setattr(hand, "answers", Broken())
    with pytest.raises(GeneratorExit):
        outgoing._within(60, lambda: None)
    ran: list[int] = []
    outgoing._within(60, lambda: ran.append(1))
    assert ran == [1]
    assert outgoing._hands.hand is not hand


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("ada@bücher.example.org", "ada@xn--bcher-kva.example.org"),
        ("ada@straße.example.org", "ada@xn--strae-oqa.example.org"),
        ("Ada@Example.org", "Ada@Example.org"),
    ],
)
def test_a_domain_with_umlauts_is_written_in_ascii(typed, written):
    message = outgoing.as_message(outgoing.Letter(to=typed, subject="A day", text="Hello"))
    assert message.to == [written]
    assert f"To: {written}\n".encode() in message.message().as_bytes()
    assert outgoing.as_message(outgoing.Letter(to=typed, subject="", text="", raw=b"x")).to == [written]
