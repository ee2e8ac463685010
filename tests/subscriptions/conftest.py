from __future__ import annotations

import pytest

from digest import showing


@pytest.fixture(autouse=True)
def no_week_of_another_test() -> None:
    """The index of the week is kept by the editions' ids, which every test counts anew."""
    showing._week.clear()
