"""This benchmark measures the webhook door beside a bare view that verifies and inserts one row, and dj-stripe's
webhook view.

    python -m bench.ingest

Bare view and door run in the same gunicorn, middleware and settings, on PostgreSQL, in alternating rounds of the same
bodies: a lifecycle's events, ten to a customer, so that one event in ten also wakes its lane and enqueues its drain.
"Every lane asleep" is the worst case: every event is the first of its customer. dj-stripe's view runs alone in the same
kind of gunicorn, and asks a sandbox that answers at once.
"""

import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import baseline, story
from bench.postgres import postgres_server
from bench.posting import Headers, Poster, headers
from bench.running import command, connect, cpu_seconds, environment, new_database, sandbox, site
from bench.table import Row, main
from billing.conf import API_VERSION

DOOR = "/api/v1/webhooks/stripe"
# What is posted where, and how many events each customer has.
RUNS = {"bare": ("/bare/webhook", 10), "door": (DOOR, 10), "asleep": (DOOR, 1)}
TABLE = "CREATE TABLE bare_events (id varchar(255) PRIMARY KEY, payload jsonb NOT NULL)"
ROUNDS, REQUESTS, THREADS = 3, 1200, 4
PER_SECOND, SECONDS = 100, 8
STORIES = 15
TARGET_CPU, TARGET_P99_MS = 1.5, 50


def bodies(label: str, number: int, events_per_customer: int) -> list[bytes]:
    """Return events of the size of Stripe's, each with an id of its own."""
    fixture = json.loads((Path(__file__).parent / "subscription_updated.json").read_text())
    fixture["api_version"] = API_VERSION
    made = []
    for index in range(number):
        fixture["id"] = f"evt_{label}_{index}"
        fixture["data"]["object"]["customer"] = f"cus_{label}_{index // events_per_customer}"
        made.append(json.dumps(fixture).encode())
    return made


def signed(made: list[bytes]) -> list[tuple[bytes, Headers]]:
    return [(body, headers(body)) for body in made]


def measure(poster: Poster, pid: int, path: str, made: list[bytes]) -> tuple[float, float]:
    """Return the CPU milliseconds of the web processes for each request, and requests a second at full speed."""
    posts = signed(made)
    with ThreadPoolExecutor(THREADS) as pool:
        began, cpu = time.perf_counter(), cpu_seconds(pid)
        list(pool.map(lambda post: poster.post(path, *post), posts))
        seconds, cpu = time.perf_counter() - began, cpu_seconds(pid) - cpu
    return cpu * 1000 / len(made), len(made) / seconds


def paced_p99(poster: Poster, path: str, made: list[bytes]) -> float:
    """Return the 99th percentile, in ms, from the moment a request was due to its answer, at a steady 100 a second."""
    posts, start = signed(made), time.perf_counter() + 0.1

    def post(index: int) -> float:
        due = start + index / PER_SECOND
        time.sleep(max(due - time.perf_counter(), 0))
        poster.post(path, *posts[index])
        return (time.perf_counter() - due) * 1000

    with ThreadPoolExecutor(8) as pool:
        return statistics.quantiles(pool.map(post, range(len(posts))), n=100)[98]


def ours(url: str) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the medians of the rounds by run, and the paced 99th percentiles."""
    env = environment(new_database(url, "ours"))
    command(env, "setup")
    with connect(env["DATABASE_URL"]) as database:
        database.execute(TABLE)
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in RUNS}
    with site(env) as (base, pid):
        poster = Poster(base)
        for round_ in range(ROUNDS + 1):
            for name, (path, per_customer) in RUNS.items():
                made = bodies(f"{name}_{round_}", REQUESTS if round_ else 200, per_customer)
                figures = measure(poster, pid, path, made)
                results[name] += [figures] if round_ else []
        paced = {
            name: paced_p99(poster, RUNS[name][0], bodies(f"{name}_paced", PER_SECOND * SECONDS, 10))
            for name in ("bare", "door")
        }
    return {
        name: [statistics.median(column) for column in zip(*rounds, strict=True)] for name, rounds in results.items()
    }, paced


def stock(url: str) -> float:
    """Return the requests a second of dj-stripe's view."""
    with sandbox() as stripe, baseline.djstripe(url, stripe) as (base, _):
        warm_up, *stories = story.tell(stripe, baseline.publish(stripe), STORIES + 1)
        baseline.post(base, [warm_up], threads=1)
        began = time.perf_counter()
        baseline.post(base, stories, THREADS)
        return len(stories) * story.EVENTS / (time.perf_counter() - began)


def rows() -> list[Row]:
    with postgres_server() as url:
        djstripe_rate = stock(url)
        medians, p99 = ours(url)
    (bare_cpu, bare_rate), (cpu, rate), (asleep_cpu, _) = (medians[name] for name in RUNS)
    ratio = cpu / bare_cpu
    return [
        Row("door: CPU of a webhook; bare view", f"{bare_cpu:.2f} ms", f"{cpu:.2f} ms", f"{ratio:.2f} ×",
            f"≤ {TARGET_CPU} ×", ratio <= TARGET_CPU, ratio),
        Row("door: the same, every lane asleep", f"{bare_cpu:.2f} ms", f"{asleep_cpu:.2f} ms",
            f"{asleep_cpu / bare_cpu:.2f} ×", cost=asleep_cpu / bare_cpu),
        Row(f"door: p99 at {PER_SECOND}/s; bare view", f"{p99['bare']:.1f} ms", f"{p99['door']:.1f} ms",
            f"{p99['door'] / p99['bare']:.2f} ×", f"< {TARGET_P99_MS} ms", p99["door"] < TARGET_P99_MS),
        Row("door: webhooks answered; bare view", f"{bare_rate:.0f}/s", f"{rate:.0f}/s", f"{rate / bare_rate:.2f} ×"),
        Row("door: webhooks answered; dj-stripe's view", f"{djstripe_rate:.0f}/s", f"{rate:.0f}/s",
            f"{rate / djstripe_rate:.0f} ×"),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(rows))
