from __future__ import annotations

import pytest

from digest.matching import preview


@pytest.fixture(autouse=True)
def no_papers_of_another_test() -> None:
    """The index of the last weeks is kept by the editions' ids, which every test counts anew."""
    preview._window.clear()
