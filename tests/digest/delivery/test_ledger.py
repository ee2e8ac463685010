"""Only the ledger writes the state of a letter or of an attempt, and only along the table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.delivery import ledger, states
from digest.delivery.states import Event, State
from digest.models import Attempt, Delivery, Edition
from tests import make
from tests.make import NOW
from tests.test_architecture import ROOT, imports, modules

pytestmark = pytest.mark.django_db
WRITERS = {"update", "bulk_update", "save", "update_or_create"}
MODELS = {"digest.models.Delivery", "digest.models.Attempt"}
# Modules that know both models and write the state of something else: what it is, by the text of the call.
OTHERS = {
    "digest/delivery/reports/events.py": ("Notice.State.ACCEPTED",),
    "digest/desk/acts/delivery_acts.py": ("Subscriber.State.PENDING",),
}


def writes(path: Path) -> Iterator[str]:
    """Every call or assignment of the module that may write a state."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITERS:
            names = [one.arg for one in node.keywords]
            text = ast.unparse(node)
            if "state" in names or '"state"' in text or "'state'" in text:
                yield text
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = {one.attr for target in targets for one in ast.walk(target) if isinstance(one, ast.Attribute)}
            if "state" in named:
                yield ast.unparse(node)


def astray(path: Path) -> list[str]:
    allowed = OTHERS.get(str(path.relative_to(ROOT)), ())
    return [text for text in writes(path) if not any(one in text for one in allowed)]


def test_no_other_module_writes_a_state() -> None:
    knows_letters = [one for room in ("digest", "subscriptions") for one in modules(room) if imports(one) & MODELS]
    found = {str(one.relative_to(ROOT)): astray(one) for one in knows_letters if one.name != "ledger.py"}
    assert len(found) > 20
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize(
    "written",
    [
        "Delivery.objects.update(state='dead')",
        "rows.filter(pk=1).update(**{'state': target})",
        "row.state = Delivery.State.DEAD",
        "row.state, row.reason = 'dead', ''",
        "row.save(update_fields=['state'])",
    ],
)
def test_the_search_finds_a_bypass(written: str, tmp_path: Path) -> None:
    path = tmp_path / "bypass.py"
    path.write_text(written)
    assert len(list(writes(path))) == 1


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", [one for one in State if one is not State.SENDING])
def test_a_letter_moves_where_the_table_says_and_nowhere_else(state: State, event: Event, edition: Edition) -> None:
    row = letter(edition, states.DELIVERY[state])
    stored_as = {states.DELIVERY[one] for one in states.sources(event)}
    moved = ledger.move(Delivery.objects.all(), event, NOW)
    row.refresh_from_db()
    is_allowed = states.DELIVERY[state] in stored_as
    assert moved == is_allowed
    assert row.state == (states.DELIVERY[states.target(event)] if is_allowed else states.DELIVERY[state])


def test_a_final_letter_has_a_moment_and_a_revived_one_has_none(edition: Edition) -> None:
    row = letter(edition, "pending")
    ledger.move(Delivery.objects.all(), Event.FAIL, NOW)
    row.refresh_from_db()
    assert row.settled_at == NOW
    ledger.move(Delivery.objects.all(), Event.RETRY, NOW)
    row.refresh_from_db()
    assert (row.state, row.settled_at) == ("pending", None)


@pytest.mark.parametrize("state", Attempt.State)
@pytest.mark.parametrize("to", Attempt.State)
def test_an_attempt_turns_where_it_may_and_a_closed_one_stays_closed(state: str, to: Attempt.State) -> None:
    Attempt.objects.create(channel="outbox", state=state, lease_until=NOW, worker="w", started_at=NOW)
    assert ledger.move_attempts(Attempt.objects.all(), to) == (state in states.ATTEMPT_TRANSITIONS[to])
    assert ledger.move_attempts(Attempt.objects.filter(state="closed"), to) == 0


def letter(edition: Edition, state: str) -> Delivery:
    reader = make.subscriber()
    moments = {"due_at": NOW, "next_at": NOW, "planned_at": NOW, "local_date": NOW.date()}
    return Delivery.objects.create(edition=edition, subscriber=reader, state=state, address_hmac="x", **moments)
