from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos import powercut


@pytest.mark.slow
def test_f20_after_a_power_cut_no_letter_that_left_is_without_its_intent(tmp_path: Path) -> None:
    seen = powercut.judge(tmp_path, images=30, recoveries=4, readers=30, dice=random.Random(20))
    assert (seen["images"], seen["recovered"]) == (30, 4)
    assert seen["sent before"] > 30
    assert (seen["damaged"], seen["without intent"], seen["twice"], seen["forgotten"]) == (0, 0, 0, 0)
