"""This benchmark measures the room in PostgreSQL of an event, a subscriber and a payment, in KiB, indexes included.

    python -m bench.sizes

New customers buy at Checkout and are renewed (`bench/story.py`); a queue applies their events, so that each table has
the rows of real use. Tables are rewritten before they are measured, so that the figures are data and not free space.
"""

import sys

from bench import story
from bench.apply import WAITING, enrol
from bench.postgres import postgres_server
from bench.running import command, connect, environment, new_database, queue, sandbox, until
from bench.table import Row, main

CUSTOMERS = 120
PAYMENTS = 2 * CUSTOMERS
LEDGER = ("stripe_events", "djstripe_event")
WEIGH = """
SELECT relname, pg_total_relation_size(oid), reltuples FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
# Table → bytes with its indexes and what lies outside its rows, and how many rows.
Weights = dict[str, tuple[int, int]]


def weigh(url: str) -> Weights:
    with connect(url) as database:
        database.execute("VACUUM FULL ANALYZE")
        return {str(name): (int(size), int(rows)) for name, size, rows in database.execute(WEIGH)}  # type: ignore[call-overload]


def lived_through() -> tuple[Weights, Weights, Weights]:
    """Return the tables' sizes empty, after the customers' events were applied, and after the payloads were pruned."""
    with postgres_server() as url, sandbox() as stripe:
        env = environment(new_database(url, "sizes"), stripe)
        command(env, "setup")
        command(env, "setup_stripe", "--yes")
        price = stripe.ask("GET", "/v1/prices?lookup_keys[]=pro_month")["data"][0]["id"]
        empty = weigh(env["DATABASE_URL"])
        with connect(env["DATABASE_URL"]) as database, queue(env):
            enrol(env, story.tell(stripe, price, CUSTOMERS))
            until(lambda: database.execute(WAITING).fetchone() == (0,), "the queue has not finished", seconds=180)
        full = weigh(env["DATABASE_URL"])
        with connect(env["DATABASE_URL"]) as database:
            database.execute("UPDATE stripe_events SET received_at = received_at - interval '100 days'")
        command(env, "prune_events", "--older-than", "90")
        return empty, full, weigh(env["DATABASE_URL"])


def rows() -> list[Row]:
    empty, full, pruned = lived_through()

    def kib(now: Weights, names: list[str], number: int) -> str:
        return f"{sum(now[name][0] - empty[name][0] for name in names) / number / 1024:.1f} KiB"

    def of(prefix: str, *, each_payment: bool) -> list[str]:
        found = [name for name in full if name.startswith(prefix) and name not in LEDGER]
        return [name for name in found if (full[name][1] - empty[name][1] >= PAYMENTS) is each_payment]

    events = CUSTOMERS * story.EVENTS
    return [
        *(Row(f"an event in {name}; pruned", "", f"{kib(full, [name], events)}; {kib(pruned, [name], events)}")
          for name in LEDGER),
        *(Row(f"a subscriber in {prefix}*; and each payment", "",
              f"{kib(full, of(prefix, each_payment=False), CUSTOMERS)}; "
              f"{kib(full, of(prefix, each_payment=True), PAYMENTS)}")
          for prefix in ("billing_", "djstripe_")),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(rows))
