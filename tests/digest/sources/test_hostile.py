"""Hostile answers: none hangs, none fells its reader, none gets through, and no file or network is touched."""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from digest.papers.entry import FormatError
from digest.sources.parsers import sandbox, sandbox_child
from digest.sources.parsers.sandbox import KilledError
from tests.digest.sources import hostile

DAY = date(2026, 6, 3)
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_f54_f55_f56_f65_s14_five_hundred_hostile_answers_do_no_harm() -> None:
    command = [sys.executable, "-m", "tests.digest.sources.batch_child", "20260603", "120"]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    found = json.loads(done.stdout)
    assert found["count"] >= 500
    assert [one for one in found["answers"] if one["faults"]] == []
    assert max(one["seconds"] for one in found["answers"]) < sandbox_child.CPU_SECONDS
    assert found["peak_mb"] < 512


def nasty_files() -> list[str]:
    base = ROOT.parent / "shared" / "data" / "feeds"
    return sorted(
        str(p.relative_to(base)) for folder in base.glob("nasty_*") if folder.is_dir() for p in folder.rglob("*.*")
    )


@pytest.mark.parametrize("folder", sorted({name.partition("/")[0] for name in nasty_files()}))
def test_f54_every_captured_nasty_file_is_read_or_refused(captured: Path, folder: str) -> None:
    outcomes = set()
    for name in [name for name in nasty_files() if name.startswith(folder)]:
        body = (captured / "feeds" / name).read_bytes()
        for kind in ("feed", "arxiv"):
            started = time.process_time()
            found = sandbox_child.answer(kind, DAY, body)
            assert time.process_time() - started < 5, name
            outcomes.add("error" if "error" in found else "read")
            if "batch" in found:
                assert hostile.faults_of(sandbox._batch(json.loads(json.dumps(found["batch"], default=str)))) == (), (
                    name
                )
    assert "error" in outcomes


@pytest.mark.parametrize("name", ["billion laughs", "a file", "a device", "an external dtd", "parameters"])
@pytest.mark.parametrize("kind", ["feed", "arxiv"])
def test_f55_s14_entities_read_no_file_and_grow_nothing(kind: str, name: str) -> None:
    answer = json.dumps(sandbox_child.answer(kind, DAY, hostile.entity_bombs()[name]), default=str)
    assert "root:" not in answer
    assert len(answer) < 30_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["100k nested", "comments in a broken feed"])
def test_f56_s14_what_feedparser_cannot_end_is_ended_by_the_kernel(name: str) -> None:
    """They take feedparser from seconds to minutes: here they cost ten seconds of processor time at most."""
    before = processor_time_of_children()
    with contextlib.suppress(FormatError):
        sandbox.parse("feed", hostile.slow_words()[name], DAY)
    assert processor_time_of_children() - before < sandbox_child.CPU_SECONDS + 2


def processor_time_of_children() -> float:
    """In seconds, of those that have ended: it is the same however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_f56_s14_ten_seconds_of_processor_time_are_the_end() -> None:
    """The known bad expression: eighty kilobytes without an @ would take it a minute."""
    with pytest.raises(KilledError, match="was stopped"):
        sandbox.parse("feed", hostile.slow_words()["author 80 KB"], DAY)


def test_f56_a_child_over_its_limit_is_killed_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 0.01)
    with pytest.raises(KilledError, match="was stopped"):
        sandbox.parse("feed", hostile.rss(hostile.ITEM), DAY)


@pytest.mark.parametrize(
    ("code", "errors", "said"),
    [
        (-9, b"", "10 seconds"),
        (-24, b"", "10 seconds"),
        (1, b"MemoryError", "more memory"),
        (-11, b"", "more memory"),
        (3, b"x\nOSError: no", "OSError: no"),
    ],
)
def test_f56_the_reason_of_a_death_is_said(code: int, errors: bytes, said: str) -> None:
    assert said in sandbox._why(code, errors)


ACTS = {
    "read a file": "open('/etc/passwd').read()",
    "write a file": "open('/tmp/offprint-child', 'w').write('x')",
    "connect": "__import__('socket').create_connection(('127.0.0.1', 9))",
    "resolve": "__import__('socket').getaddrinfo('localhost', 80)",
    "run": "__import__('subprocess').run(['true'])",
    "use a shell": "__import__('os').system('true')",
    "fork": "__import__('os').fork()",
    "open an address": "__import__('urllib.request').request.urlopen('http://127.0.0.1/')",
    "take 600 MB": "bytearray(600 * 2**20)",
}


@pytest.mark.parametrize("act", ACTS)
def test_f55_s14_the_child_can_open_no_file_socket_or_process(act: str) -> None:
    """Whatever a parser were talked into: the child it runs in cannot do it."""
    code = (
        "from digest.sources.parsers import sandbox_child as child; child.confine(); child.lock()\n"
        f"try:\n    {ACTS[act]}\nexcept BaseException as e:\n    print('refused', type(e).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, timeout=20, check=False)
    assert done.stdout.startswith(b"refused"), (done.stdout, done.stderr)


def test_the_child_knows_no_secret_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    monkeypatch.setattr(
        subprocess, "run", lambda *a, **k: seen.update(k) or subprocess.CompletedProcess(a, 1, b"", b"x")
    )
    with pytest.raises(KilledError):
        sandbox.parse("feed", b"<rss/>", DAY)
    assert seen["env"] == {"LANG": "C.UTF-8", "HOME": "/"}


@pytest.mark.thorough
def test_f61_fifty_thousand_entries_are_capped_and_said_to_be() -> None:
    started = time.monotonic()
    batch = sandbox.parse("arxiv", many_entries(50_000), DAY)
    assert len(batch.entries) == 5_000
    assert "45,000 more were left" in batch.problems[0]
    assert time.monotonic() - started < 60


def many_entries(count: int) -> bytes:
    rows = "".join(
        f"<entry><id>oai:arXiv.org:2606.{n:05d}v1</id><title>T {n}</title><summary>S</summary></entry>"
        for n in range(count)
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>cs.CL updates on arXiv.org</title>{rows}</feed>'.encode()


@pytest.mark.parametrize("size", [0, 1])
def test_an_empty_answer_is_no_answer(size: int) -> None:
    with pytest.raises(FormatError, match="empty answer"):
        sandbox.parse("feed", b" " * size, DAY)
