"""This benchmark measures the sync's calls, seconds and memory, against the sandbox with a slow network.

    python -m bench.sync

It runs on PostgreSQL. `djstripe_sync_models`, which fetches and writes objects one at a time, is measured beside it, in
the same run.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.postgres import postgres_server
from bench.sandbox import ROOT, Server, running

SECRET = "whsec_bench"
PORTION = 500
SPACING_SECONDS = 3600


@dataclass
class Cost:
    """The cost of one command is its output, seconds from start to end, seconds it worked, CPU seconds, peak MB."""

    said: dict[str, Any]
    total: float
    worked: float
    cpu: float
    megabytes: float


class Site:
    def __init__(self, database: str, stripe: str) -> None:
        self.database = database
        self.environment = {
            **os.environ,
            "DATABASE_URL": database,
            "STRIPE_API_BASE": stripe,
            "STRIPE_SECRET_KEY": "sk_test_" + "benchmark0" * 3,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_RATE": "0",
        }

    def run(self, *arguments: str) -> Cost:
        command = [sys.executable, "manage.py", *arguments]
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        said = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}: {said.decode()}")
        report = json.loads(said) if said.startswith(b"{") else {}
        total = time.perf_counter() - began
        return Cost(
            report, total, report.get("seconds", total), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        )

    def sync(self, *options: str) -> Cost:
        return self.run("sync_stripe", "--json", *options)

    def sql(self, statement: str, *values: Any) -> Any:
        with psycopg.connect(self.database.replace("postgres://", "postgresql://"), autocommit=True) as database:
            cursor = database.execute(statement, values)
            return cursor.fetchall() if cursor.description else None


@contextmanager
def made_ready(number: int) -> Iterator[tuple[Site, Server]]:
    """Make a migrated database, and a Stripe with so many customers, each with a subscription to one of our plans."""
    with postgres_server() as database, running() as server:
        address = f"http://{server.connection.host}:{server.connection.port}"
        site = Site(database, address)
        site.run("setup")
        print(f"seeding {number:,} customers with a subscription each ...", flush=True)
        for start in range(0, number, PORTION):
            size = min(PORTION, number - start)
            server.control("seed", customers=size, subscriptions=size)
            server.control("advance", seconds=SPACING_SECONDS)
        price = server.ask("GET", "/v1/prices?lookup_keys[0]=sandbox_seed_monthly")["data"][0]
        site.sql(
            "INSERT INTO billing_price (id, plan_id, lookup_key, product, product_name, currency, unit_amount, "
            "currency_options, terms, tax_behavior, interval, interval_count, is_active) "
            "SELECT %s, id, %s, '', '', 'usd', 2900, '{}', '{}', '', 'month', 1, true FROM billing_plan "
            "WHERE slug = 'pro'",
            price["id"],
            price["lookup_key"],
        )
        yield site, server


def change(server: Server, number: int) -> None:
    """Change so many subscriptions at Stripe without sending a webhook."""
    subs = [row["id"] for row in _all(server, "/v1/subscriptions")]
    for sub in random.Random(1).sample(subs, number):
        server.ask("POST", f"/v1/subscriptions/{sub}", "cancel_at_period_end=true")


def _all(server: Server, path: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = server.ask("GET", f"{path}?limit=100{cursor}")
        yield from page["data"]
        if not page["has_more"]:
            return
        cursor = f"&starting_after={page['data'][-1]['id']}"


def latency(server: Server, milliseconds: int) -> None:
    server.control("faults", **({"api": {"latency_ms": milliseconds}} if milliseconds else {}))


def measure(site: Site, server: Server, number: int, latency_ms: int) -> list[tuple[str, str, str, bool | None]]:
    """Return rows of the table: name, measured value, target, and whether it was reached."""
    objects = 2 * number
    idle = site.run("check").megabytes
    latency(server, latency_ms)
    first = site.sync("--full")
    again = site.sync("--full")
    nothing = site.sync()
    latency(server, 0)
    changed = max(number // 100, 1)
    change(server, changed)
    latency(server, latency_ms)
    few = site.sync()
    delivered = few.said["events"]["found"]
    quiet = site.sync()
    latency(server, 0)
    peak = max(cost.megabytes for cost in (first, again, few)) - idle
    allowed_quiet = delivered // 100 + 5
    return [
        rate("full, first time", objects, first, 1000),
        rate("full, nothing differs", objects, again, 2500),
        ("  written then", f"{again.said['drifted'] + again.said['imported']} rows", "0",
         again.said["drifted"] + again.said["imported"] == 0),
        most("nothing happened", nothing.said["calls"], "calls", 5),
        most(f"1 % changed ({changed}), {delivered} events missed", few.said["calls"], "calls", changed + 5),
        most(f"  healed in ({few.cpu:.1f} s of CPU, start included)", few.worked, "s", 5.0),
        ("  healed", f"{few.said['healed']} of {few.said['drifted']}", f"{few.said['drifted']}",
         few.said["healed"] == few.said["drifted"] >= changed),
        most(f"all {delivered} events delivered", quiet.said["calls"], "calls", allowed_quiet),
        most("memory over Django's own", peak, "MB", 200),
    ]  # fmt: skip


def rate(name: str, objects: int, cost: Cost, target: int) -> tuple[str, str, str, bool | None]:
    reached = objects / cost.worked
    return name, f"{reached:,.0f} objects/s ({cost.worked:.1f} s)", f"≥ {target:,}", reached >= target


def most(name: str, value: float, unit: str, target: float) -> tuple[str, str, str, bool | None]:
    shown = f"{value:,.1f} {unit}" if isinstance(value, float) else f"{value:,} {unit}"
    return name, shown, f"≤ {target:,.0f}", value <= target


def stock(latency_ms: int, objects: int) -> tuple[str, str, str, bool | None]:
    """Run dj-stripe's own command on a Stripe of its own: half customers, half subscriptions."""
    with made_ready(objects // 2) as (site, server):
        latency(server, latency_ms)
        cost = site.run("djstripe_sync_models", "Customer", "Subscription")
        synced = site.sql(
            "SELECT (SELECT count(*) FROM djstripe_customer) + (SELECT count(*) FROM djstripe_subscription)"
        )[0][0]
    return f"djstripe_sync_models, {synced} objects", f"{synced / cost.total:,.1f} objects/s", "beside it", None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=10_000, help="how many, each with a subscription (10000)")
    parser.add_argument("--latency", type=int, default=100, help="milliseconds a call (100)")
    parser.add_argument("--stock", type=int, default=200, help="objects for djstripe_sync_models, 0 for none (200)")
    options = parser.parse_args()
    with made_ready(options.customers) as (site, server):
        rows = measure(site, server, options.customers, options.latency)
    if options.stock:
        rows.append(stock(options.latency, options.stock))
    print(f"\n{'at ' + str(options.latency) + ' ms a call':52}{'measured':>34}{'to reach':>12}")
    for name, measured, target, is_reached in rows:
        print(f"{name:52}{measured:>34}{target:>12}  {'' if is_reached is None else 'ok' if is_reached else 'MISSED'}")
    return 0 if all(row[3] is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
