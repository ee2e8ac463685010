"""A small house with a few readers and one edition, and a postbox that answers as told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from digest.models import Delivery, Edition
from subscriptions.mail import outgoing
from subscriptions.mail.outcomes import Outcome
from subscriptions.mail.outgoing import Letter, Receipt
from tests import make

Answer = Callable[[Letter], Receipt]


class Provider:
    """Stands in for the hand-over of one letter; keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[Letter] = []
        self.answer: Answer = self.accept

    def accept(self, letter: Letter) -> Receipt:
        return Receipt(Outcome.ACCEPTED, provider_id=f"p{len(self.taken)}")

    def __call__(self, letter: Letter, postbox: Any) -> Receipt:
        receipt = self.answer(letter)
        if receipt.outcome is Outcome.ACCEPTED:
            self.taken.append(letter)
        return receipt

    def always(self, outcome: Outcome, **details: Any) -> None:
        self.answer = lambda letter: Receipt(outcome, **details)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    stand_in = Provider()
    monkeypatch.setattr(outgoing, "_hand_over", stand_in)
    return stand_in


@pytest.fixture
def channel(settings: Any) -> Callable[[str], None]:
    def use(name: str) -> None:
        settings.MAIL_CHANNEL = name

    use("postmark")
    return use


@pytest.fixture
def edition(db: None) -> Edition:
    return make.edition(papers=[make.paper("Speech for all"), make.paper("Vision in the dark")])


def letters(state: str = "") -> list[Delivery]:
    rows = Delivery.objects.order_by("pk")
    return list(rows.filter(state=state) if state else rows)
