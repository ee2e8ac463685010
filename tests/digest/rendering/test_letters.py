"""From ledger rows to letters."""

from __future__ import annotations

import pytest

from digest.rendering.letters import letters
from tests import make
from tests.digest.rendering.posts import delivery

pytestmark = pytest.mark.django_db


def test_a_letter_has_the_paper_in_both_voices():
    paper = make.paper("Hearing with machines", abstract="We teach machines to hear. They do.")
    [letter] = letters([delivery([paper])], make.NOW)
    for part in (letter.text, letter.html):
        assert "Hearing with machines" in part
        assert "We teach machines to hear. They do." in part
        assert paper.url in part


def test_the_subject_is_the_date_and_the_best_title():
    [letter] = letters([delivery([make.paper("Hearing with machines"), make.paper("Second")])], make.NOW)
    assert letter.subject == "3 June: Hearing with machines"
