"""Asks a server on this machine for pages at a steady rate, and prints how long the answers took.

    python -m tests.load.rate --port 8000 --rate 50 --seconds 20 / /topics/
    python -m tests.load.rate --port 8000 --rate 50 --seconds 20 --file addresses.txt
    python -m tests.load.rate --port 8000 --rate 50 --seconds 30 --previews

Previews are what the signup form shows of one to four lines, rare and common words. Each comes from another network
(`X-Forwarded-For`, so the server needs BEHIND_PROXY=true), since they are counted by network. Requests start on time
whether or not earlier ones were answered, as visitors do. Loopback only, and at most two minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import time
from pathlib import Path
from urllib.parse import urlencode

from tests.load.site import vocabulary

HOST = "127.0.0.1"
LONGEST = 120
SECRET = "a" * 32  # a visitor may choose their CSRF cookie; the form must repeat it


def page(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


def previews(count: int) -> list[bytes]:
    dice, found = random.Random(1), []
    words, weights = vocabulary()
    for number in range(count):
        lines = [" ".join(dice.choices(words, weights, k=dice.randint(1, 2))) for _ in range(dice.randint(1, 4))]
        body = urlencode({"queries": "\n".join(lines), "csrfmiddlewaretoken": SECRET})
        found.append(
            "POST /subscribe/preview/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Cookie: csrftoken={SECRET}\r\nX-Forwarded-For: 10.{number // 250 % 250}.{number % 250}.1\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
    return found


async def ask(port: int, request: bytes) -> tuple[float, int]:
    """Seconds until the whole answer was there, and its status."""
    start = time.perf_counter()
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return time.perf_counter() - start, int(answer.split(b" ", 2)[1])


async def run(port: int, requests: list[bytes], rate: int, seconds: int) -> list[tuple[float, int]]:
    start, tasks = time.perf_counter(), []
    for number, request in zip(range(rate * seconds), itertools.cycle(requests)):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(port, request)))
    return await asyncio.gather(*tasks)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--rate", type=int, default=50, help="requests a second")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--file", type=Path, help="addresses, one a line")
    parser.add_argument("--previews", action="store_true", help="ask for previews instead of pages")
    parser.add_argument("paths", nargs="*")
    asked = parser.parse_args()
    paths = asked.paths + (asked.file.read_text().split() if asked.file else [])
    seconds = min(asked.seconds, LONGEST)
    requests = previews(asked.rate * seconds) if asked.previews else [page(path) for path in paths or ["/"]]
    answers = asyncio.run(run(asked.port, requests, asked.rate, seconds))
    times = sorted(1000 * seconds for seconds, _ in answers)
    failed = sum(status != 200 for _, status in answers)
    p50, p95, p99 = (times[int(len(times) * part)] for part in (0.5, 0.95, 0.99))
    print(f"{len(times)} requests at {asked.rate}/s, {failed} failed")
    print(f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms")


if __name__ == "__main__":
    main()
