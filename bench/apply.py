"""This benchmark measures events applied a second, at 100 ms for each Stripe call, and the calls they took, beside
dj-stripe.

    python -m bench.apply

Both apply the same lifecycle of new customers, ten events each. Ours is in the ledger before a queue of two worker
processes begins; dj-stripe works in its webhook view, served by two processes that receive all events at once.
"""

import json
import subprocess
import sys
import time
from itertools import chain

from bench import baseline, story
from bench.postgres import postgres_server
from bench.running import (
    ROOT,
    command,
    connect,
    cpu_seconds,
    environment,
    new_database,
    postmaster,
    queue,
    sandbox,
    until,
)
from bench.sandbox import Server
from bench.table import Row, main

LATENCY_MS = 100
OURS, STOCK = 60, 6
TARGET_RATE, TARGET_CALLS = 55, 6
WAITING = "SELECT count(*) FROM stripe_events WHERE status <> 'processed'"
# What one side made of it: events a second, CPU ms an event (its processes' and the database's), calls a lifecycle.
Figures = tuple[float, float, float]


def ours(url: str) -> Figures:
    with sandbox() as stripe:
        env = environment(new_database(url, "ours"), stripe)
        command(env, "setup")
        command(env, "setup_stripe", "--yes")
        price = stripe.ask("GET", "/v1/prices?lookup_keys[]=pro_month")["data"][0]["id"]
        warm_up, *stories = story.tell(stripe, price, OURS + 1)
        with connect(env["DATABASE_URL"]) as database, queue(env) as pid:

            def is_done() -> bool:
                return database.execute(WAITING).fetchone() == (0,)

            enrol(env, [warm_up])
            until(is_done, "the queue does not work")
            slow(stripe)
            enrol(env, stories)
            began, spent = time.perf_counter(), cpu(pid, url)
            until(is_done, "the queue has not finished", seconds=180, every=0.02)
            return figures(stripe, len(stories), time.perf_counter() - began, cpu(pid, url) - spent)


def stock(url: str) -> Figures:
    with sandbox() as stripe, baseline.djstripe(url, stripe) as (base, pid):
        warm_up, *stories = story.tell(stripe, baseline.publish(stripe), STOCK + 1)
        baseline.post(base, [warm_up], threads=1)
        slow(stripe)
        began, spent = time.perf_counter(), cpu(pid, url)
        baseline.post(base, stories, threads=2)
        return figures(stripe, len(stories), time.perf_counter() - began, cpu(pid, url) - spent)


def enrol(env: dict[str, str], stories: list[list[story.Event]]) -> None:
    customers = {customer: f"{customer}@example.com" for customer in map(story.customer_of, stories)}
    given = json.dumps({"customers": customers, "events": list(chain.from_iterable(stories))}).encode()
    run = [sys.executable, "-m", "bench.enrol"]
    if subprocess.run(run, check=False, input=given, env=env, cwd=ROOT, stdout=subprocess.PIPE).returncode:
        raise SystemExit("the ledger was not filled")


def slow(stripe: Server) -> None:
    stripe.ask("DELETE", "/_sandbox/calls")
    stripe.control("faults", api={"latency_ms": LATENCY_MS})


def cpu(pid: int, url: str) -> float:
    return cpu_seconds(pid) + cpu_seconds(postmaster(url))


def figures(stripe: Server, lifecycles: int, seconds: float, spent: float) -> Figures:
    calls = sum(call["count"] for call in stripe.ask("GET", "/_sandbox/calls")["data"])
    events = lifecycles * story.EVENTS
    return events / seconds, spent * 1000 / events, calls / lifecycles


def rows() -> list[Row]:
    with postgres_server() as url:
        (their_rate, their_cpu, their_calls), (rate, cpu_ms, calls) = stock(url), ours(url)
    return [
        Row(
            f"events applied, {LATENCY_MS} ms a Stripe call, 2 worker processes",
            f"{their_rate:.1f}/s",
            f"{rate:.1f}/s",
            f"{rate / their_rate:.1f} ×",
            f"≥ {TARGET_RATE}/s",
            rate >= TARGET_RATE,
        ),
        Row(
            "CPU of an event applied, database included",
            f"{their_cpu:.1f} ms",
            f"{cpu_ms:.1f} ms",
            f"{cpu_ms / their_cpu:.2f} ×",
            cost=cpu_ms / their_cpu,
        ),
        Row(
            "Stripe calls for a new customer's ten events",
            f"{their_calls:.1f}",
            f"{calls:.1f}",
            f"{calls / their_calls:.2f} ×",
            f"≤ {TARGET_CALLS}",
            calls <= TARGET_CALLS,
            calls,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(rows))
