"""`python -m bench` runs every benchmark, one after the other, and prints one table of them all.

    python -m bench [--keep] [NAME...]

The exit code is 1 if a target was missed, or if CPU or a count is more than a tenth above that of the release before.
"""

import argparse
import json
import subprocess
import sys
import time
from contextlib import redirect_stdout
from functools import partial

from bench import sandbox, sync
from bench.table import Row, keep, show

NAMES = ("ingest", "apply", "paid", "usage", "million", "admin", "dashboard", "sync", "sandbox", "sizes")


def measured(name: str) -> list[Row]:
    began = time.monotonic()
    print(f"{name} ...", end="", file=sys.stderr, flush=True)
    rows = {"sandbox": sandbox_rows, "sync": sync_rows}.get(name, partial(own_rows, name))()
    print(f" {time.monotonic() - began:.0f} s", file=sys.stderr)
    return rows


def own_rows(name: str) -> list[Row]:
    run = subprocess.run([sys.executable, "-m", f"bench.{name}", "--json"], stdout=subprocess.PIPE, check=False)
    if run.returncode:
        return [Row(f"{name}: it failed, see above", "", "", is_reached=False)]
    return [Row(**row) for row in json.loads(run.stdout.splitlines()[-1])]


def sync_rows() -> list[Row]:
    """Return the sync's rows: 10,000 customers with a subscription each, 100 ms a call. dj-stripe's own command syncs
    200 objects."""
    with redirect_stdout(sys.stderr), sync.made_ready(10_000) as (site, server):
        measured = sync.measure(site, server, 10_000, latency_ms=100)
        measured.append(sync.stock(latency_ms=100, objects=200))
    return [Row(f"sync: {work.strip()}", "", ours, "", target, reached) for work, ours, target, reached in measured]


def sandbox_rows() -> list[Row]:
    with sandbox.running() as server:
        seed = server.control("seed", customers=10_000, subscriptions=10_000)["seconds"]
        cost = sandbox.per_call(server, sandbox.calls(server)["retrieve"], times=200, rounds=3)
    most, longest = sandbox.TARGETS["retrieve"], sandbox.TARGETS["seed"]
    return [
        Row("sandbox: CPU of a retrieve", "–", f"{cost:.2f} ms", "", f"≤ {most} ms", cost <= most),
        Row("sandbox: 10,000 customers with a subscription seeded", "–", f"{seed:.1f} s", "", f"≤ {longest:.0f} s",
            seed <= longest),
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description="Run the benchmarks and print one table.")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=f"of {', '.join(NAMES)}; all")
    parser.add_argument("--keep", action="store_true", help="write what it costs into bench/baseline.json")
    asked = parser.parse_args()
    rows = [row for name in asked.names or NAMES for row in measured(name)]
    worst = show(rows)
    if asked.keep:
        keep(rows)
    return worst


if __name__ == "__main__":
    sys.exit(main())
