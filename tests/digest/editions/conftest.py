"""Reading in this process, as the tests of the sources do."""

from __future__ import annotations

from tests.digest.sources.conftest import in_process as in_process
