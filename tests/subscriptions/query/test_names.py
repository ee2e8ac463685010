from __future__ import annotations

import pytest

from subscriptions.query import names


@pytest.mark.parametrize(
    ("asked", "printed", "found"),
    [
        ("Yoshua Bengio", "Yoshua Bengio", True),
        ("Yoshua Bengio", "Y. Bengio", True),
        ("Yoshua Bengio", "Bengio, Yoshua", True),
        ("Yoshua Bengio", "Bengio Y", True),
        ("Y. Bengio", "Yoshua Bengio", True),
        ("Yoshua Bengio", "Samy Bengio", False),
        ("Yoshua Bengio", "Bengio", False),
        ("Bengio", "Samy Bengio", True),
        ("Geoffrey Hinton", "Geoffrey E. Hinton", True),
        ("Geoffrey E. Hinton", "Geoffrey Hinton", True),
        ("Geoffrey E. Hinton", "Geoffrey A. Hinton", False),
        ("Li Fei-Fei", "Fei-Fei Li", True),
        ("Paul Erdős", "P. Erdos", True),
        ("Laurens van der Maaten", "van der Maaten, Laurens", True),
        ("Sammy Davis", "Sammy Davis, Jr.", True),
        ("Hinton Geoffrey", "Geoffrey Hinton", True),
        ("Hinton Geoffrey", "G. Hinton", False),
    ],
)
def test_a_person_is_found_under_the_forms_of_a_name(asked: str, printed: str, found: bool) -> None:
    assert names.same(names.natural(asked), names.natural(printed)) is found
