"""Feed text made fit to print."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.letters import text as letter_text


@given(st.text(max_size=400))
def test_any_text_becomes_one_printable_line(text: str):
    line = letter_text.one_line(text, 100)
    assert len(line) <= 100
    assert "\n" not in line
    assert all(char.isprintable() or char == " " for char in line if ord(char) < 0x250)


def test_f69_breaks_bidi_and_nul_leave_no_trace():
    assert letter_text.one_line("a\r\nBcc: x\x00 \u202eevil\u2066\u200b", 100) == "a Bcc: x evil"


def test_lone_surrogates_can_be_encoded_afterwards():
    assert letter_text.one_line("a\ud800b", 100).encode() == "a\ufffdb".encode()


def test_an_abstract_is_cut_at_a_sentence():
    text = "We show that cf. Smith et al. did this. It works, e.g. in 3.5 cases. " + "More words follow here. " * 20
    assert letter_text.opening(text, 90) == "We show that cf. Smith et al. did this. It works, e.g. in 3.5 cases."


def test_a_sentence_longer_than_the_room_is_cut_between_words():
    assert letter_text.opening("one two three four five six seven eight", 20) == "one two three four…"


def test_lines_have_72_columns_and_addresses_stay_whole():
    address = "https://example.org/" + "a" * 80
    lines = letter_text.wrapped(f"{'word ' * 40} {address}").split("\n")
    assert lines[-1] == address
    assert all(len(line) <= 72 for line in lines[:-1])
