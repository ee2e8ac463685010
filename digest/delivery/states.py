"""The life of one letter, in one table. `ledger` is the only module that writes a state, and it asks here first.

A letter's state is read from two rows: its delivery and, while one is under way, its attempt.
`TABLE` says what each event makes of each state; what is not in it cannot happen. The rules that
keep the promise (see docs/reliability.md) are the small functions below it; `tests/digest/delivery`
runs every interleaving of workers, crashes and lost answers against this very module.
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
    UNCERTAIN = "uncertain"  # nothing will tell any more: named, and carried over
    SKIPPED = "skipped"
    EXPIRED = "expired"
    DEAD = "dead"


class Event(StrEnum):
    """What can happen to it."""

    CLAIM = "claim"  # a worker takes it, in a short transaction
    ABANDON = "abandon"  # its worker died or gave it back before the intent
    INTEND = "intend"  # the intent is committed, right before the first byte
    ACCEPT = "accept"  # the provider said yes
    REFUSE = "refuse"  # the provider said no to this person, for good
    POSTPONE = "postpone"  # the provider certainly did not take it; later
    BURY = "bury"  # certainly not taken, and tried often enough
    LOSE = "lose"  # no answer, half an answer, or the worker died after the intent
    PROVE_SENT = "prove sent"  # an event or a query shows that it was accepted
    PROVE_UNSENT = "prove unsent"  # complete evidence shows that it was not
    GIVE_UP = "give up"  # no evidence will come in time
    SKIP = "skip"  # the reader left, paused or may not be written to
    EXPIRE = "expire"  # too late to be of use
    REVIVE = "revive"  # an operator sends a dead one again
    FORGET = "forget"  # the ledger was put back from a backup: the letter may have gone in the time that is missing


TABLE: dict[tuple[State, Event], State] = {
    (State.PENDING, Event.CLAIM): State.CLAIMED,
    (State.PENDING, Event.SKIP): State.SKIPPED,
    (State.PENDING, Event.EXPIRE): State.EXPIRED,
    (State.PENDING, Event.PROVE_SENT): State.ACCEPTED,  # late evidence, before the second try goes out
    (State.PENDING, Event.BURY): State.DEAD,  # it cannot even be written (its template fails)
    (State.CLAIMED, Event.ABANDON): State.PENDING,
    (State.CLAIMED, Event.INTEND): State.SENDING,
    (State.CLAIMED, Event.SKIP): State.SKIPPED,
    (State.CLAIMED, Event.BURY): State.DEAD,
    (State.CLAIMED, Event.PROVE_SENT): State.ACCEPTED,
    (State.SENDING, Event.ACCEPT): State.ACCEPTED,
    (State.SENDING, Event.REFUSE): State.REJECTED,
    (State.SENDING, Event.POSTPONE): State.PENDING,
    (State.SENDING, Event.BURY): State.DEAD,
    (State.SENDING, Event.SKIP): State.SKIPPED,  # suppressed between the intent and the first byte
    (State.SENDING, Event.LOSE): State.AMBIGUOUS,
    (State.SENDING, Event.PROVE_SENT): State.ACCEPTED,
    (State.AMBIGUOUS, Event.INTEND): State.SENDING,  # the same bytes under the same key (idempotent channels)
    (State.AMBIGUOUS, Event.ACCEPT): State.ACCEPTED,  # the worker was slow, not dead
    (State.AMBIGUOUS, Event.REFUSE): State.REJECTED,
    (State.AMBIGUOUS, Event.POSTPONE): State.PENDING,
    (State.AMBIGUOUS, Event.BURY): State.DEAD,
    (State.AMBIGUOUS, Event.SKIP): State.SKIPPED,
    (State.AMBIGUOUS, Event.LOSE): State.AMBIGUOUS,
    (State.AMBIGUOUS, Event.PROVE_SENT): State.ACCEPTED,
    (State.AMBIGUOUS, Event.PROVE_UNSENT): State.PENDING,
    (State.AMBIGUOUS, Event.GIVE_UP): State.UNCERTAIN,
    (State.UNCERTAIN, Event.PROVE_SENT): State.ACCEPTED,  # late evidence: accepted is sticky
    (State.UNCERTAIN, Event.ACCEPT): State.ACCEPTED,
    (State.EXPIRED, Event.PROVE_SENT): State.ACCEPTED,
    (State.DEAD, Event.PROVE_SENT): State.ACCEPTED,
    (State.DEAD, Event.REVIVE): State.PENDING,
    (State.PENDING, Event.FORGET): State.UNCERTAIN,
    (State.CLAIMED, Event.FORGET): State.UNCERTAIN,
    (State.SENDING, Event.FORGET): State.UNCERTAIN,
    (State.AMBIGUOUS, Event.FORGET): State.UNCERTAIN,
}

FINAL = frozenset({State.ACCEPTED, State.REJECTED, State.UNCERTAIN, State.SKIPPED, State.EXPIRED, State.DEAD})
# Their papers come with the reader's next letter: this one may not have arrived, or certainly did not.
CARRIED = frozenset({State.UNCERTAIN, State.EXPIRED, State.DEAD})


def sources(event: Event) -> frozenset[State]:
    """The states in which `event` may happen: what a compare-and-set has to ask for."""
    return frozenset(state for state, one in TABLE if one is event)


def target(event: Event) -> State:
    """The one state to which `event` leads, from wherever it may happen."""
    [state] = {to for (_, one), to in TABLE.items() if one is event}
    return state


# -- how the states stand in the two rows -------------------------------------------------------

DELIVERY: dict[State, str] = {
    State.SENDING: Delivery.State.CLAIMED,
    **{one: Delivery.State(one.value) for one in State if one is not State.SENDING},
}
# An attempt's state -> the states from which it may be reached. A closed attempt stays closed.
TURNS: dict[Attempt.State, frozenset[Attempt.State]] = {
    Attempt.State.OPEN: frozenset(),
    Attempt.State.SENDING: frozenset({Attempt.State.OPEN, Attempt.State.AMBIGUOUS}),
    Attempt.State.AMBIGUOUS: frozenset({Attempt.State.SENDING, Attempt.State.AMBIGUOUS}),
    Attempt.State.CLOSED: frozenset({Attempt.State.OPEN, Attempt.State.SENDING, Attempt.State.AMBIGUOUS}),
}


# -- the rules ----------------------------------------------------------------------------------

DEFINITE: dict[Outcome, Event] = {
    Outcome.ACCEPTED: Event.ACCEPT,
    Outcome.REFUSED: Event.REFUSE,
    Outcome.SUPPRESSED: Event.SKIP,
    Outcome.LATER: Event.POSTPONE,
    Outcome.BLOCKED: Event.POSTPONE,
    Outcome.POISON: Event.POSTPONE,
    Outcome.UNWELCOME: Event.POSTPONE,
}


def event_of(outcome: Outcome) -> Event:
    """What an answer means for the letter. Only a definite "no" leads back to waiting."""
    return DEFINITE.get(outcome, Event.LOSE)


def event_of_death(intended: bool) -> Event:
    """What a worker's death means. Before the intent nothing can have left; after it, anything may have."""
    return Event.LOSE if intended else Event.ABANDON


def may_send(lease_left: float, needed: float) -> bool:
    """The fence: never begin what the lease may not outlast. Both in seconds of a clock that never stops."""
    return lease_left >= needed


def may_settle(current: str, own_turn: bool) -> bool:
    """Whether an answer may still be written: while its attempt is unsettled, by whoever held it last.

    A slow worker whose attempt was taken over must not write "not now": the repeat may be accepted yet.
    """
    return own_turn and current in SETTLEABLE


SETTLEABLE = frozenset({Attempt.State.SENDING.value, Attempt.State.AMBIGUOUS.value})


def proves_unsent(found: bool, ambiguous_at: float, watermark: float, margin: float, age: float, floor: float) -> bool:
    """Whether missing evidence means "not sent": only if the evidence is complete well past the doubt.

    All in seconds of one clock; waiting alone proves nothing.
    """
    return not found and watermark > ambiguous_at + margin and age >= floor
