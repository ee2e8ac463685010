"""Asks a running site for previews at an even pace, and prints how long they took.

    BEHIND_PROXY=true DATABASE_URL=postgresql://… gunicorn config.wsgi …     (filled by tests.load.site)
    python -m tests.load.previews http://127.0.0.1:8000 --rate 50 --seconds 30

Each request comes from another network (`X-Forwarded-For`), since previews are counted by network.
"""

from __future__ import annotations

import argparse
import http.client
import random
import threading
import time
from collections import Counter
from urllib.parse import urlencode, urlsplit

from tests.load.site import vocabulary

SECRET = "a" * 32  # a visitor may choose their CSRF cookie; the form must repeat it


def ask(host: str, port: int, body: str, network: str) -> tuple[int, bool]:
    """Status, and whether papers came."""
    connection = http.client.HTTPConnection(host, port, timeout=30)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrftoken={SECRET}",
        "X-Forwarded-For": network,
    }
    connection.request("POST", "/subscribe/preview/", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, b"papers of the last" in text


def wishes(dice: random.Random) -> str:
    """One to four lines of one or two words, rare and common ones."""
    words, weights = vocabulary()
    lines = [" ".join(dice.choices(words, weights, k=dice.randint(1, 2))) for _ in range(dice.randint(1, 4))]
    return urlencode({"queries": "\n".join(lines), "csrfmiddlewaretoken": SECRET})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site")
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    parts = urlsplit(options.site)
    dice, taken, seen = random.Random(1), [], Counter[tuple[int, bool]]()
    bodies = [wishes(dice) for _ in range(300)]

    def one(number: int) -> None:
        begun = time.perf_counter()
        network = f"10.{number // 250 % 250}.{number % 250}.1"
        answer = ask(parts.hostname or "127.0.0.1", parts.port or 80, bodies[number % len(bodies)], network)
        taken.append(1000 * (time.perf_counter() - begun))
        seen[answer] += 1

    ask(parts.hostname or "127.0.0.1", parts.port or 80, bodies[0], "10.251.0.1")
    start, threads = time.perf_counter(), []
    for number in range(int(options.rate * options.seconds)):
        time.sleep(max(0.0, start + number / options.rate - time.perf_counter()))
        threads.append(threading.Thread(target=one, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    taken.sort()
    print(f"{len(taken)} previews in {time.perf_counter() - start:.1f} s; answers: {dict(seen)}")
    print("ms: " + ", ".join(f"p{part} {taken[int(len(taken) * part / 100)]:.1f}" for part in (50, 95, 99)))


if __name__ == "__main__":
    main()
