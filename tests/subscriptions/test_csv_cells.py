from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions import csv_cells

TEXT = st.text(st.sampled_from("|'=-＝a \t\n"), max_size=8).map(str.strip)


@given(st.lists(TEXT.filter(bool), max_size=5))
@example(["a|", "|b", "||", "|"])
def test_what_is_joined_comes_apart_as_it_was(parts):
    assert csv_cells.parts(csv_cells.joined(parts)) == parts


@given(TEXT)
def test_what_is_made_safe_is_read_back(text):
    assert csv_cells.plain(csv_cells.safe(text)) == text


def test_single_bars_part_with_or_without_space():
    assert csv_cells.parts("a|b | c|| d | |") == ["a", "b", "c| d"]
