"""Reads many hostile answers in one confined process: what each costs, without a process start for each.

`python -m tests.digest.sources.batch_child SEED MUTATIONS` prints one JSON object.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from digest.sources.parsers import registry, sandbox, sandbox_child
from tests.digest.sources import hostile


def main() -> None:
    answers = list(hostile.corpus(int(sys.argv[1]), int(sys.argv[2])))
    for kind in registry.KINDS:
        registry.parser(kind)
    sandbox_child.confine(cpu_seconds=300)  # for all of them; each one's time is measured
    with Path("/proc/self/status").open() as status:  # opened here: `lock` lets nothing be opened
        sandbox_child.lock()
        found = [_measured(one) for one in answers]
        print(json.dumps({"count": len(found), "peak_mb": _peak(status.read()), "answers": found}))


def _peak(status: str) -> float:
    """In MB, as proc(5) tells it: getrusage's `ru_maxrss` survives exec and counts whoever started this process."""
    [kilobytes] = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kilobytes) / 1024


def _measured(one: hostile.Hostile) -> dict[str, Any]:
    started = time.process_time()
    answer = sandbox_child.answer(one.kind, hostile.DAY, one.body)
    seconds = time.process_time() - started
    faults: tuple[str, ...] = ()
    if "batch" in answer:
        faults = hostile.faults_of(sandbox._batch(json.loads(json.dumps(answer["batch"], default=str))))
    return {"name": f"{one.kind}: {one.name}", "seconds": seconds, "error": answer.get("error"), "faults": faults}


if __name__ == "__main__":
    main()
