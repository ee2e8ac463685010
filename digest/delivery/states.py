"""The states of a letter and every transition between them. `ledger` is the only module that writes a state.

A letter's state is read from two rows: its delivery and, while it is being sent, its attempt. `TRANSITIONS` gives the
next state for each state and event; what it does not list is refused. The functions below are the rules that keep the
promise of docs/reliability.md. `tests/digest/delivery/model.py` runs every order of workers, crashes and lost answers
against them.
"""

from __future__ import annotations

from enum import StrEnum

from digest.models import Attempt, Delivery
from subscriptions.mail.outcomes import Outcome


class State(StrEnum):
    """Where a letter is."""

    PENDING = "pending"  # waiting for its turn
    CLAIMED = "claimed"  # one worker holds a lease on it; nothing has left
    SENDING = "sending"  # the intent is committed: bytes may be leaving
    AMBIGUOUS = "ambiguous"  # it may have been accepted; evidence may still tell
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"  # no evidence came in time: listed by name, papers carried over
    SKIPPED = "skipped"
    EXPIRED = "expired"
    DEAD = "dead"


class Event(StrEnum):
    """What changes a letter's state."""

    CLAIM = "claim"  # a worker takes it, in a short transaction
    UNCLAIM = "unclaim"  # its worker died before the intent, or gave it back
    INTEND = "intend"  # the intent is committed, right before the first byte
    ACCEPT = "accept"  # the provider took it
    REJECT = "reject"  # the provider refused this recipient for good
    POSTPONE = "postpone"  # the provider certainly did not take it; it is tried later
    FAIL = "fail"  # certainly not taken, and tried as often as allowed
    NO_ANSWER = "no answer"  # no answer, part of an answer, or the worker died after the intent
    PROVE_SENT = "prove sent"  # an event or a query shows that it was accepted
    PROVE_UNSENT = "prove unsent"  # complete evidence shows that it was not
    MARK_UNCERTAIN = "mark uncertain"  # no evidence will come in time
    SKIP = "skip"  # the reader left, paused or must not be written to
    EXPIRE = "expire"  # too late to be of use
    RETRY = "retry"  # an operator sends a dead one again
    RESTORE = "restore"  # the database was restored from a backup: the letter may have gone after the backup


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.PENDING, Event.CLAIM): State.CLAIMED,
    (State.PENDING, Event.SKIP): State.SKIPPED,
    (State.PENDING, Event.EXPIRE): State.EXPIRED,
    (State.PENDING, Event.PROVE_SENT): State.ACCEPTED,  # late evidence, before the second try goes out
    (State.PENDING, Event.FAIL): State.DEAD,  # it cannot even be written (its template fails)
    (State.CLAIMED, Event.UNCLAIM): State.PENDING,
    (State.CLAIMED, Event.INTEND): State.SENDING,
    (State.CLAIMED, Event.SKIP): State.SKIPPED,
    (State.CLAIMED, Event.FAIL): State.DEAD,
    (State.CLAIMED, Event.PROVE_SENT): State.ACCEPTED,
    (State.SENDING, Event.ACCEPT): State.ACCEPTED,
    (State.SENDING, Event.REJECT): State.REJECTED,
    (State.SENDING, Event.POSTPONE): State.PENDING,
    (State.SENDING, Event.FAIL): State.DEAD,
    (State.SENDING, Event.SKIP): State.SKIPPED,  # suppressed between the intent and the first byte
    (State.SENDING, Event.NO_ANSWER): State.AMBIGUOUS,
    (State.SENDING, Event.PROVE_SENT): State.ACCEPTED,
    (State.AMBIGUOUS, Event.INTEND): State.SENDING,  # the same bytes under the same key (idempotent channels)
    (State.AMBIGUOUS, Event.ACCEPT): State.ACCEPTED,  # the worker was slow, not dead
    (State.AMBIGUOUS, Event.REJECT): State.REJECTED,
    (State.AMBIGUOUS, Event.POSTPONE): State.PENDING,
    (State.AMBIGUOUS, Event.FAIL): State.DEAD,
    (State.AMBIGUOUS, Event.SKIP): State.SKIPPED,
    (State.AMBIGUOUS, Event.NO_ANSWER): State.AMBIGUOUS,
    (State.AMBIGUOUS, Event.PROVE_SENT): State.ACCEPTED,
    (State.AMBIGUOUS, Event.PROVE_UNSENT): State.PENDING,
    (State.AMBIGUOUS, Event.MARK_UNCERTAIN): State.UNCERTAIN,
    (State.UNCERTAIN, Event.PROVE_SENT): State.ACCEPTED,  # late evidence; nothing leads out of ACCEPTED
    (State.UNCERTAIN, Event.ACCEPT): State.ACCEPTED,
    (State.EXPIRED, Event.PROVE_SENT): State.ACCEPTED,
    (State.DEAD, Event.PROVE_SENT): State.ACCEPTED,
    (State.DEAD, Event.RETRY): State.PENDING,
    (State.PENDING, Event.RESTORE): State.UNCERTAIN,
    (State.CLAIMED, Event.RESTORE): State.UNCERTAIN,
    (State.SENDING, Event.RESTORE): State.UNCERTAIN,
    (State.AMBIGUOUS, Event.RESTORE): State.UNCERTAIN,
}

FINAL = frozenset({State.ACCEPTED, State.REJECTED, State.UNCERTAIN, State.SKIPPED, State.EXPIRED, State.DEAD})
# Papers of these come with the reader's next letter: this one may not have arrived, or certainly did not.
CARRIED = frozenset({State.UNCERTAIN, State.EXPIRED, State.DEAD})


def sources(event: Event) -> frozenset[State]:
    """The states in which `event` may happen, for the condition of a compare-and-set."""
    return frozenset(state for state, one in TRANSITIONS if one is event)


def target(event: Event) -> State:
    """The one state to which `event` leads, from wherever it may happen."""
    [state] = {to for (_, one), to in TRANSITIONS.items() if one is event}
    return state


# -- how the states are stored in the two rows --------------------------------------------------

DELIVERY: dict[State, str] = {
    State.SENDING: Delivery.State.CLAIMED,
    **{one: Delivery.State(one.value) for one in State if one is not State.SENDING},
}
# An attempt's state -> the states from which it may be reached. A closed attempt stays closed.
ATTEMPT_TRANSITIONS: dict[Attempt.State, frozenset[Attempt.State]] = {
    Attempt.State.OPEN: frozenset(),
    Attempt.State.SENDING: frozenset({Attempt.State.OPEN, Attempt.State.AMBIGUOUS}),
    Attempt.State.AMBIGUOUS: frozenset({Attempt.State.SENDING, Attempt.State.AMBIGUOUS}),
    Attempt.State.CLOSED: frozenset({Attempt.State.OPEN, Attempt.State.SENDING, Attempt.State.AMBIGUOUS}),
}


# -- the rules ----------------------------------------------------------------------------------

DEFINITE: dict[Outcome, Event] = {
    Outcome.ACCEPTED: Event.ACCEPT,
    Outcome.REFUSED: Event.REJECT,
    Outcome.SUPPRESSED: Event.SKIP,
    Outcome.LATER: Event.POSTPONE,
    Outcome.BLOCKED: Event.POSTPONE,
    Outcome.MESSAGE_REJECTED: Event.POSTPONE,
    Outcome.POLICY_REJECTED: Event.POSTPONE,
}


def event_of(outcome: Outcome) -> Event:
    """The event for an answer of the provider. Only a definite "no" leads back to PENDING."""
    return DEFINITE.get(outcome, Event.NO_ANSWER)


def event_of_lost_lease(intended: bool) -> Event:
    """The event for an expired lease. Before the intent nothing can have been sent; after it, anything may have."""
    return Event.NO_ANSWER if intended else Event.UNCLAIM


def may_send(lease_left: float, needed: float) -> bool:
    """Whether the lease lasts for one more hand-over. Both in seconds of `clock.monotonic()`."""
    return lease_left >= needed


def may_settle(current: str, own_turn: bool) -> bool:
    """Whether an answer may still be written: its attempt is unsettled, and this worker has its newest lease.

    A slow worker whose attempt was taken over must not write "not now", because the repeat may be accepted.
    """
    return own_turn and current in SETTLEABLE


SETTLEABLE = frozenset({Attempt.State.SENDING.value, Attempt.State.AMBIGUOUS.value})


def proves_unsent(found: bool, ambiguous_at: float, watermark: float, margin: float, age: float, floor: float) -> bool:
    """Whether missing evidence means "not sent": only if the evidence is complete beyond `ambiguous_at`.

    All in seconds of one clock. `margin` is the allowed difference of two clocks, `floor` the least age of the doubt.
    """
    return not found and watermark > ambiguous_at + margin and age >= floor
