"""This program posts signed but malformed bodies to a running site, and then runs every reader over what was stored.

    python -m bench.fuzz --minutes 10 [--seed 1] [--sqlite]
    python -m bench.fuzz --bodies 20000

The site is the project in gunicorn, as in production, on PostgreSQL or SQLite. At the end the worker applies what was
stored, staff open the page of each stored event and take the CSV, and each customer's events are redacted as a deletion
does it. The program ends at the first answer of 5xx.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import local

from bench.fuzz_bodies import bodies
from bench.postgres import postgres_server
from bench.posting import headers
from bench.running import ROOT, command, environment, netloc, new_database, sandbox, site

DOOR = "/api/v1/webhooks/stripe"
PORTION, THREADS = 1000, 4
WORK = "from billing import testing; testing.work()"


class Door:
    """This client posts over one connection for each thread, counts the answers, and keeps the bodies answered with
    5xx."""

    def __init__(self, base: str) -> None:
        self.netloc, self.local = netloc(base), local()
        self.answers: Counter[str] = Counter()
        self.failed: list[tuple[int, bytes]] = []

    def post(self, body: bytes) -> None:
        status, text = self._answered(body)
        said = json.loads(text) if text.startswith(b"{") else {}
        self.answers[f"{status} {said.get('status') or said.get('code') or 'no JSON'}"] += 1
        if status >= 500:
            self.failed.append((status, body))

    def _answered(self, body: bytes) -> tuple[int, bytes]:
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.netloc, timeout=60)
        try:
            self.local.connection.request("POST", DOOR, body, headers(body))
            answer = self.local.connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, OSError):
            del self.local.connection  # a body refused unread ends its connection
            return 0, b""


def fuzz(base: str, env: dict[str, str], seed: int, number: int, until: float) -> Door:
    """Post until so many bodies or that time, whichever comes first; each portion has a seed of its own."""
    door, sent = Door(base), 0
    while sent < number and time.monotonic() < until and not door.failed:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(door.post, bodies(seed + sent, min(PORTION, number - sent))))
        sent += PORTION
        print(f"{sum(door.answers.values())} bodies", file=sys.stderr)
    return door


def run(env: dict[str, str], program: str) -> str:
    """Run a few lines of Python in the project, as the worker or staff would; return what they print."""
    made = f"import django; django.setup(); from bench import fuzz_readers\n{program}"
    done = subprocess.run([sys.executable, "-c", made], env=env, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{program} failed:\n{done.stderr[-3000:]}")
    return done.stdout.strip()


@contextmanager
def database(*, is_sqlite: bool) -> Iterator[str]:
    if is_sqlite:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'fuzz.sqlite3'}"
    else:
        with postgres_server() as url:
            yield new_database(url, "fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.fuzz", description="Post signed bodies that nobody should send.")
    parser.add_argument(
        "--minutes", type=float, default=10_000, help="stop after so many minutes (default: when --bodies are posted)"
    )
    parser.add_argument(
        "--bodies", type=int, default=0, help="stop after so many bodies (default: when --minutes are over)"
    )
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="draw the same bodies again (default: the time)"
    )
    parser.add_argument("--sqlite", action="store_true", help="run on SQLite instead of PostgreSQL")
    asked = parser.parse_args()
    number = asked.bodies or (10**9 if asked.minutes < 10_000 else 20_000)
    with database(is_sqlite=asked.sqlite) as url, sandbox() as stripe:
        env = {**environment(url, stripe), "PYTHONPATH": os.fspath(ROOT)}
        command(env, "setup")
        run(env, "fuzz_readers.prepare()")
        with site(env) as (base, _):
            door = fuzz(base, env, asked.seed, number, time.monotonic() + asked.minutes * 60)
            run(env, WORK)
            read = json.loads(run(env, "fuzz_readers.main()").splitlines()[-1])
    print(json.dumps({"seed": asked.seed, "answers": dict(door.answers.most_common()), "readers": read}, indent=1))
    for status, body in door.failed[:5]:
        print(status, body[:400], file=sys.stderr)
    return 1 if door.failed or read["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
