"""The promise holds in every interleaving, and each rule is needed for it."""

from __future__ import annotations

from typing import Any

import pytest

from digest.delivery import states
from digest.delivery.states import Event, State
from subscriptions.mail.outcomes import Outcome
from tests.digest.delivery.model import BLIND, EVIDENCE, IDEMPOTENT, BrokenError, Rules, explore


@pytest.mark.parametrize("kind", [IDEMPOTENT, EVIDENCE, BLIND])
def test_nobody_gets_a_letter_twice_in_any_interleaving(kind: str) -> None:
    assert explore(Rules(kind, most_attempts=2, crashes=2, most_turns=1)) > 300


def without(*moves: tuple[State, Event]) -> dict[tuple[State, Event], State]:
    return {move: to for move, to in states.TRANSITIONS.items() if move not in moves}


WRONG = "twice|never went|stuck"  # whichever comes first on the shortest path


MUTANTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "intent before effect": (EVIDENCE, {"intent_first": False}, WRONG),
    "death is a doubt": (EVIDENCE, {"event_of_lost_lease": lambda intended: Event.UNCLAIM}, WRONG),
    "the fence": (EVIDENCE, {"may_send": lambda left, needed: True}, WRONG),
    "settle by compare-and-set": (EVIDENCE, {"may_settle": lambda state, own: True}, WRONG),
    "only the last holder settles": (
        IDEMPOTENT,
        {"may_settle": lambda state, own: state in states.SETTLEABLE},
        WRONG,
    ),
    "the watermark": (EVIDENCE, {"proves_unsent": lambda found, *times: not found}, WRONG),
    "accepted is sticky": (EVIDENCE, {"table": without((State.UNCERTAIN, Event.PROVE_SENT))}, "known to have gone"),
    "the same key": (IDEMPOTENT, {"same_key": False}, WRONG),
    "an unclear answer is a doubt": (
        BLIND,
        {"event_of": lambda one: Event.POSTPONE if one is Outcome.UNCLEAR else states.event_of(one)},
        WRONG,
    ),
    "the sweeper": (EVIDENCE, {"table": without((State.CLAIMED, Event.UNCLAIM))}, "stuck"),
}


@pytest.mark.parametrize("rule", MUTANTS)
def test_without_a_rule_there_is_a_counter_example(rule: str) -> None:
    kind, change, fault = MUTANTS[rule]
    with pytest.raises(BrokenError, match=fault):
        explore(Rules(kind, **change))


def test_what_the_table_does_not_name_cannot_happen() -> None:
    assert State.ACCEPTED not in states.sources(Event.CLAIM)


@pytest.mark.parametrize("event", Event)
def test_every_event_leads_to_one_state(event: Event) -> None:
    assert states.target(event) in State


def test_accepted_has_no_way_out() -> None:
    assert not [move for move in states.TRANSITIONS if move[0] is State.ACCEPTED]


def test_every_state_has_its_place_in_the_two_rows() -> None:
    assert set(states.DELIVERY) == set(State)
