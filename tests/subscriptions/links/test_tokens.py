from __future__ import annotations

import random
import string
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.links import tokens

THEN = datetime(2026, 6, 3, 6, 0, tzinfo=UTC)
SUBJECT = "0f8fad5bd9cb469fa16570867728950e"
PURPOSES = sorted(tokens.LIFETIMES)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_token_gives_its_subject_back(purpose):
    assert tokens.read(purpose, tokens.make(purpose, SUBJECT)) == SUBJECT


@pytest.mark.parametrize("made_for", PURPOSES)
def test_s5_a_token_opens_no_door_but_its_own(made_for):
    token = tokens.make(made_for, SUBJECT)
    for purpose in PURPOSES:
        if purpose != made_for:
            with pytest.raises(tokens.BadTokenError):
                tokens.read(purpose, token)


@pytest.mark.parametrize("purpose", [name for name, life in tokens.LIFETIMES.items() if life])
def test_a_token_expires_and_still_says_whose_it_was(purpose):
    life = tokens.LIFETIMES[purpose]
    assert life is not None
    with time_machine.travel(THEN, tick=False):
        token = tokens.make(purpose, SUBJECT)
    with time_machine.travel(THEN + life - timedelta(seconds=2), tick=False):
        assert tokens.read(purpose, token) == SUBJECT
    with (
        time_machine.travel(THEN + life + timedelta(seconds=2), tick=False),
        pytest.raises(tokens.ExpiredTokenError) as old,
    ):
        tokens.read(purpose, token)
    assert old.value.subject == SUBJECT


def test_an_unsubscribe_link_works_after_twenty_years_and_is_always_the_same():
    with time_machine.travel(THEN, tick=False):
        token = tokens.make("unsubscribe", SUBJECT)
    with time_machine.travel(THEN + timedelta(days=7300), tick=False):
        assert tokens.read("unsubscribe", token) == SUBJECT
        assert tokens.make("unsubscribe", SUBJECT) == token


@pytest.mark.parametrize("purpose", PURPOSES)
def test_f94_links_made_under_the_old_key_go_on_working(purpose, settings):
    token = tokens.make(purpose, SUBJECT)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [settings.SECRET_KEY]
    assert tokens.read(purpose, token) == SUBJECT
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(tokens.BadTokenError):
        tokens.read(purpose, token)


@given(st.sampled_from(PURPOSES), st.data())
def test_s5_a_token_changed_anywhere_opens_nothing(purpose, data):
    token = tokens.make(purpose, SUBJECT)
    position = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters())
    changed = token[:position] + letter + token[position + 1 :]
    if changed == token:
        return
    with pytest.raises(tokens.TokenError):
        tokens.read(purpose, changed)


@pytest.mark.thorough
def test_s5_twenty_thousand_forgeries_open_nothing():
    """Letters swapped, cut, doubled, and signatures of one token put behind the subject of another."""
    dice = random.Random(5)
    alphabet = string.ascii_letters + string.digits + "-_."
    token, other = tokens.make("unsubscribe", SUBJECT), tokens.make("unsubscribe", SUBJECT[::-1])
    subject, signature = token.split(".")
    forged = {
        f"{subject[::-1]}.{signature}",
        f"{subject}.{other.split('.')[1]}",
        subject,
        f".{signature}",
        f"{subject}.",
    }
    while len(forged) < 20_000:
        at, length = dice.randrange(len(token)), dice.randrange(3)
        forged.add(token[:at] + "".join(dice.choices(alphabet, k=length)) + token[at + dice.randrange(3) :])
    forged -= {token}
    assert [one for one in forged if _opens(one)] == []


def _opens(token: str) -> bool:
    try:
        tokens.read("unsubscribe", token)
    except tokens.BadTokenError:
        return False
    return True


@given(st.text(max_size=400))
def test_s5_no_made_up_text_is_a_token(text):
    with pytest.raises(tokens.BadTokenError):
        tokens.read("unsubscribe", text)
