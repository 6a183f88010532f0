"""The door beside a bare view that verifies and inserts one row: CPU per request and requests per second.

    python -m bench.ingest

Both run in the same gunicorn, middleware and settings, on PostgreSQL, in alternating rounds of the same bodies: a
lifecycle's events, ten to a customer, so that one event in ten also wakes its lane and queues its drain. The last
row is the worst case: every event is the first of its customer.
"""

import argparse
import hashlib
import hmac
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import local

import psycopg

from bench.postgres import postgres_server

SECRET = "whsec_bench"
PORT = 8765
DOOR = "/api/v1/webhooks/stripe"
# What is posted where, and how many events each customer has.
RUNS = {"bare view": ("/bare/webhook", 10), "the door": (DOOR, 10), "the door, every lane asleep": (DOOR, 1)}
TARGET = 1.5
TABLE = "CREATE TABLE bare_events (id varchar(255) PRIMARY KEY, payload jsonb NOT NULL)"
# What production sets, behind a proxy that ends TLS.
PRODUCTION = {
    "DJANGO_DEBUG": "false",
    "DJANGO_SECRET_KEY": "a-secret-key-of-the-benchmarks-that-is-long-enough-for-production",
    "ALLOWED_HOSTS": "127.0.0.1",
    "SITE_URL": "https://billing.example.com",
    "STRIPE_SECRET_KEY": "sk_test_" + "benchmark0" * 3,
    "TRUSTED_PROXIES": "127.0.0.1",
}
TICKS = os.sysconf("SC_CLK_TCK")


def bodies(label: str, number: int, events_per_customer: int) -> list[bytes]:
    """Events of the size Stripe's are, each with an id of its own."""
    fixture = json.loads((Path(__file__).parent / "subscription_updated.json").read_text())
    made = []
    for index in range(number):
        fixture["id"] = f"evt_{label}_{index}"
        fixture["data"]["object"]["customer"] = f"cus_{label}_{index // events_per_customer}"
        made.append(json.dumps(fixture).encode())
    return made


def sign(body: bytes) -> str:
    moment = int(time.time())
    digest = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Poster:
    """Posts over connections that stay open, one a thread."""

    def __init__(self) -> None:
        self.local = local()

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> float:
        """Seconds the answer took."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        began = time.perf_counter()
        self.local.connection.request("POST", path, body, headers)
        answer = self.local.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {text[:300]!r}")
        return time.perf_counter() - began


def cpu_seconds(pid: int) -> float:
    """What a process and its children have used so far."""
    total = 0.0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(entry.parent.name) == pid or int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


@contextmanager
def site(environment: dict[str, str]) -> Iterator[int]:
    """The pid of a gunicorn that serves the project and the bare view."""
    run = [sys.executable, "-m"]
    subprocess.run([*run, "django", "setup"], env=environment, check=True, stdout=subprocess.DEVNULL)
    command = [*run, "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{PORT}", "--worker-class", "gthread"]
    server = subprocess.Popen([*command, "--workers", "2", "--threads", "4", "--log-level", "warning"], env=environment)
    try:
        wait_until_it_answers()
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def wait_until_it_answers() -> None:
    for _ in range(100):
        time.sleep(0.1)
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=1)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            continue
    raise SystemExit("the site does not answer")


def measure(poster: Poster, pid: int, path: str, made: list[bytes], threads: int) -> tuple[float, float, float]:
    """CPU milliseconds of the web processes per request, requests per second, and the 99th percentile in ms."""
    headers = {"Content-Type": "application/json", "X-Forwarded-Proto": "https"}
    signed = [(body, {**headers, "Stripe-Signature": sign(body)}) for body in made]
    with ThreadPoolExecutor(threads) as pool:
        began, cpu = time.perf_counter(), cpu_seconds(pid)
        took = list(pool.map(lambda pair: poster.post(path, *pair), signed))
        seconds, cpu = time.perf_counter() - began, cpu_seconds(pid) - cpu
    return cpu * 1000 / len(made), len(made) / seconds, statistics.quantiles(took, n=100)[98] * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=2000, help="a round (2000)")
    parser.add_argument("--rounds", type=int, default=4, help="of each (4)")
    parser.add_argument("--threads", type=int, default=4, help="that post at once (4)")
    options = parser.parse_args()
    results: dict[str, list[tuple[float, float, float]]] = {name: [] for name in RUNS}
    with postgres_server() as url:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            **PRODUCTION,
        }
        with site(environment) as pid:
            with psycopg.connect(url.replace("postgres://", "postgresql://"), autocommit=True) as database:
                database.execute(TABLE)
            poster = Poster()
            for round_ in range(options.rounds + 1):
                for number, (name, (path, events_per_customer)) in enumerate(RUNS.items()):
                    made = bodies(f"{round_}_{number}", options.requests if round_ else 200, events_per_customer)
                    figures = measure(poster, pid, path, made, options.threads)
                    if round_:
                        results[name].append(figures)
    return report(results)


def report(results: dict[str, list[tuple[float, float, float]]]) -> int:
    print(f"\n{'':28}{'CPU ms/request':>16}{'requests/s':>14}{'p99 ms':>10}")
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in results.items()
    }
    for name, (cpu, rate, p99) in medians.items():
        print(f"{name:28}{cpu:16.2f}{rate:14.0f}{p99:10.1f}")
    ratio = medians["the door"][0] / medians["bare view"][0]
    verdict = "reached" if ratio <= TARGET else "missed"
    print(f"\nthe door's CPU: {ratio:.2f} × the bare view's (at most {TARGET}: {verdict})")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
