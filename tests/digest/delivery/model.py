"""Every interleaving of two workers, a sweeper, crashes and a provider, over the production table and rules.

One letter is enough: letters do not touch each other. The world below decides in every state what may
happen next (a worker's next step, a lease running out, a crash, a request arriving or being lost, an
answer being lost, an event coming at any time or never), and `explore` visits all of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from digest.delivery import states
from digest.delivery.states import FINAL, Event, State
from subscriptions.mail.outcomes import Outcome

IDEMPOTENT, EVIDENCE, BLIND = "idempotent", "evidence", "blind"


class Attempt(NamedTuple):
    state: str  # open, sending, ambiguous, closed: as the database has it
    fresh: bool  # its lease has not run out
    turn: int  # raised by whoever takes it over
    flying: int  # requests on their way to the provider
    accepted: int  # letters the provider made of it
    visible: bool  # whether its record or an event shows that


class Worker(NamedTuple):
    phase: str  # idle, claimed, intended, waiting, answered
    attempt: int
    fresh: bool
    turn: int
    answer: str


IDLE = Worker("idle", -1, True, 0, "")


class World(NamedTuple):
    letter: State
    current: int
    attempts: tuple[Attempt, ...]
    workers: tuple[Worker, ...]
    crashes: int


@dataclass(frozen=True)
class Rules:
    """The production rules; a mutant replaces one of them."""

    kind: str
    may_send: Callable[[float, float], bool] = states.may_send
    may_settle: Callable[[str, bool], bool] = states.may_settle
    event_of_lost_lease: Callable[[bool], Event] = states.event_of_lost_lease
    event_of: Callable[[Outcome], Event] = states.event_of
    proves_unsent: Callable[..., bool] = states.proves_unsent
    table: dict[tuple[State, Event], State] = field(default_factory=lambda: dict(states.TRANSITIONS))
    intent_first: bool = True
    same_key: bool = True
    most_attempts: int = 3
    crashes: int = 2
    most_turns: int = 2


class BrokenError(Exception):
    """An invariant does not hold; the message says which, `path` how it came to that."""

    def __init__(self, says: str, path: list[str]) -> None:
        super().__init__(f"{says}: {' -> '.join(path)}")
        self.says = says
        self.path = path


def explore(rules: Rules, most: int = 5_000_000) -> int:
    """Visit every reachable world; answers how many. Raises `BrokenError` with the shortest path."""
    start = World(State.PENDING, -1, (), (IDLE, IDLE), rules.crashes)
    came: dict[World, tuple[World | None, str]] = {start: (None, "")}
    waiting = deque([start])
    while waiting:
        world = waiting.popleft()
        following = list(steps(world, rules))
        fault = broken(world, following, rules)
        if fault:
            raise BrokenError(fault, _path(world, came))
        for name, after in following:
            if after not in came:
                if len(came) >= most:
                    raise RuntimeError("more worlds than expected")
                came[after] = (world, name)
                waiting.append(after)
    return len(came)


def _path(world: World | None, came: dict[World, tuple[World | None, str]]) -> list[str]:
    path: list[str] = []
    while world is not None:
        world, name = came[world]
        path.append(name)
    return path[-2::-1]


def broken(world: World, following: list[tuple[str, World]], rules: Rules) -> str:
    copies = sum(one.accepted for one in world.attempts)
    if copies > 1:
        return "the reader got it twice"
    if world.letter is State.ACCEPTED and not copies:
        return "the ledger says accepted, and nothing was"
    if world.letter in {State.REJECTED, State.DEAD, State.EXPIRED} and copies:
        return "the ledger says it never went, and it did"
    if not following and world.letter not in FINAL:
        return "it is stuck for ever"
    known = any(one.visible for one in world.attempts)
    if not following and known and world.letter is not State.ACCEPTED and rules.kind != BLIND:
        return "it is known to have gone, and the ledger does not say so"
    return ""


# -- what may happen next -----------------------------------------------------------------------

Step = tuple[str, World]


def steps(world: World, rules: Rules) -> Iterator[Step]:
    if (world.letter, Event.EXPIRE) in rules.table:
        yield "it is too late", _move(world, Event.EXPIRE, rules)
    for number, worker in enumerate(world.workers):
        yield from _worker(world, number, worker, rules)
    for number, attempt in enumerate(world.attempts):
        yield from _attempt(world, number, attempt, rules)


def _worker(world: World, w: int, worker: Worker, rules: Rules) -> Iterator[Step]:
    if worker.phase == "idle":
        yield from _claim(world, w, rules)
        return
    if world.crashes:
        yield f"worker {w} dies", _put(world, w, IDLE)._replace(crashes=world.crashes - 1)
    if worker.phase == "claimed":
        yield from _intend(world, w, worker, rules)
    elif worker.phase == "intended":
        yield from _post(world, w, worker, rules)
    elif worker.phase == "answered":
        yield f"worker {w} settles {worker.answer}", _settle(world, w, worker, rules)


def _claim(world: World, w: int, rules: Rules) -> Iterator[Step]:
    to = rules.table.get((world.letter, Event.CLAIM))
    if to is not None and len(world.attempts) < rules.most_attempts:
        number = len(world.attempts)
        attempts = (*world.attempts, Attempt("open", True, 0, 0, 0, False))
        after = world._replace(letter=to, current=number, attempts=attempts)
        yield f"worker {w} claims", _put(after, w, Worker("claimed", number, True, 0, ""))
    for number, attempt in enumerate(world.attempts):
        doubtful = attempt.state == "ambiguous" and number == world.current
        if rules.kind == IDEMPOTENT and doubtful and attempt.turn < rules.most_turns:
            yield f"worker {w} takes over", _take_over(world, w, number, attempt, rules)


def _take_over(world: World, w: int, number: int, attempt: Attempt, rules: Rules) -> World:
    turn = attempt.turn + 1
    after = _set(world, number, attempt._replace(state="sending", fresh=True, turn=turn))
    after = _move(after, Event.INTEND, rules)
    return _put(after, w, Worker("intended", number, True, turn, "repeat"))


def _intend(world: World, w: int, worker: Worker, rules: Rules) -> Iterator[Step]:
    attempt = world.attempts[worker.attempt]
    if not rules.intent_first:
        yield f"worker {w} goes on without intent", _put(world, w, worker._replace(phase="intended"))
        return
    if attempt.state != "open":
        yield f"worker {w} finds its claim gone", _put(world, w, IDLE)
        return
    after = _set(world, worker.attempt, attempt._replace(state="sending"))
    yield (
        f"worker {w} commits its intent",
        _put(_move(after, Event.INTEND, rules), w, worker._replace(phase="intended")),
    )


def _post(world: World, w: int, worker: Worker, rules: Rules) -> Iterator[Step]:
    attempt = world.attempts[worker.attempt]
    if rules.may_send(100.0 if worker.fresh else 0.0, 60.0):
        after = _set(world, worker.attempt, attempt._replace(flying=attempt.flying + 1))
        yield f"worker {w} posts", _put(after, w, worker._replace(phase="waiting"))
    else:
        answer = "unclear" if worker.answer == "repeat" else "later"
        yield f"worker {w} is too late", _put(world, w, worker._replace(phase="answered", answer=answer))


def _settle(world: World, w: int, worker: Worker, rules: Rules) -> World:
    """Write the answer by compare-and-set; an answer that comes too late still proves a "yes"."""
    number, idle = worker.attempt, _put(world, w, IDLE)
    attempt = world.attempts[number]
    own = attempt.turn == worker.turn and world.current == number
    outcome = {"accepted": Outcome.ACCEPTED, "later": Outcome.LATER, "unclear": Outcome.UNCLEAR}[worker.answer]
    if worker.turn and outcome is Outcome.LATER:
        outcome = Outcome.UNCLEAR  # `settle.still_unclear`: "not now" says nothing about the first request
    state = attempt.state if rules.intent_first else "sending"
    if not rules.may_settle(state, own):
        return _prove(idle, rules) if outcome is Outcome.ACCEPTED else idle
    event = rules.event_of(outcome)
    doubtful = event is Event.NO_ANSWER and rules.kind != BLIND
    after = _set(idle, number, attempt._replace(state="ambiguous" if doubtful else "closed", fresh=False))
    after = _move(after, event, rules, default=State.SENDING)
    return _move(after, Event.MARK_UNCERTAIN, rules) if event is Event.NO_ANSWER and not doubtful else after


def _attempt(world: World, number: int, attempt: Attempt, rules: Rules) -> Iterator[Step]:
    if attempt.fresh and attempt.state in {"open", "sending"}:
        yield f"lease {number} runs out", _expire(world, number, attempt)
    if not attempt.fresh and attempt.state in {"open", "sending"}:
        yield f"sweeper heals {number}", _heal(world, number, attempt, rules)
    if attempt.flying:
        yield from _arrive(world, number, attempt, rules)
    if attempt.accepted and not attempt.visible:
        yield f"evidence of {number} shows", _set(world, number, attempt._replace(visible=True))
    if attempt.visible and (world.letter, Event.PROVE_SENT) in rules.table and rules.kind != BLIND:
        yield f"an event proves {number}", _closed_if_settled(_prove(world, rules), number)
    if attempt.state == "ambiguous" and number == world.current:
        yield from _resolve(world, number, attempt, rules)


def _expire(world: World, number: int, attempt: Attempt) -> World:
    """With the attempt's lease, that of its holder has run out: the holder's own clock began earlier."""
    after = _set(world, number, attempt._replace(fresh=False))
    workers = tuple(one._replace(fresh=False) if one.attempt == number else one for one in world.workers)
    return after._replace(workers=workers)


def _heal(world: World, number: int, attempt: Attempt, rules: Rules) -> World:
    event = rules.event_of_lost_lease(attempt.state == "sending")
    doubtful = event is Event.NO_ANSWER and rules.kind != BLIND
    after = _set(world, number, attempt._replace(state="ambiguous" if doubtful else "closed"))
    if number != world.current:
        return after
    default = State.SENDING if event is Event.NO_ANSWER else State.CLAIMED
    after = _move(after, event, rules, default=default)
    return _move(after, Event.MARK_UNCERTAIN, rules) if event is Event.NO_ANSWER and not doubtful else after


def _arrive(world: World, number: int, attempt: Attempt, rules: Rules) -> Iterator[Step]:
    """A request is lost on the way, refused, or accepted; its answer is heard or not."""
    landed = attempt._replace(flying=attempt.flying - 1)
    known = rules.kind == IDEMPOTENT and rules.same_key and attempt.accepted
    taken = landed if known else landed._replace(accepted=attempt.accepted + 1)
    for name, after, answer in (
        ("is lost", landed, "unclear"),
        ("is refused", landed, "later"),
        ("is accepted", taken, "accepted"),
        ("is accepted, its answer lost", taken, "unclear"),
    ):
        if known and answer == "later":
            continue
        base = _set(world, number, after)
        waiting = [w for w, one in enumerate(world.workers) if one.phase == "waiting" and one.attempt == number]
        for w in waiting or [-1]:
            heard = base if w < 0 else _put(base, w, base.workers[w]._replace(phase="answered", answer=answer))
            yield f"request of {number} {name}", heard


def _resolve(world: World, number: int, attempt: Attempt, rules: Rules) -> Iterator[Step]:
    closed = attempt._replace(state="closed")
    if rules.kind == EVIDENCE:
        complete = not attempt.flying and (attempt.visible or not attempt.accepted)
        watermark, age = (10.0, 10.0) if complete else (0.0, 10.0)
        if rules.proves_unsent(attempt.visible, 0.0, watermark, 1.0, age, 5.0):
            after = _move(_set(world, number, closed), Event.PROVE_UNSENT, rules)
            yield f"a query shows that {number} did not go", after
    yield f"patience with {number} ends", _move(_set(world, number, closed), Event.MARK_UNCERTAIN, rules)


# -- small pieces -------------------------------------------------------------------------------


def _put(world: World, w: int, worker: Worker) -> World:
    return world._replace(workers=tuple(worker if n == w else one for n, one in enumerate(world.workers)))


def _set(world: World, number: int, attempt: Attempt) -> World:
    return world._replace(attempts=tuple(attempt if n == number else one for n, one in enumerate(world.attempts)))


def _move(world: World, event: Event, rules: Rules, default: State | None = None) -> World:
    """The table's word; a compare-and-set that finds another state changes nothing."""
    to = rules.table.get((world.letter, event))
    if to is None and default is not None and world.letter not in FINAL:
        to = rules.table.get((default, event))
    return world if to is None else world._replace(letter=to)


def _prove(world: World, rules: Rules) -> World:
    return _move(world, Event.PROVE_SENT, rules)


def _closed_if_settled(world: World, number: int) -> World:
    attempt = world.attempts[number]
    if attempt.state == "ambiguous" and number == world.current:
        return _set(world, number, attempt._replace(state="closed"))
    return world


def mutant(rules: Rules, **changes: Any) -> Rules:
    return replace(rules, **changes)
