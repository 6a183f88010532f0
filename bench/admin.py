"""This benchmark measures the list of events at a million rows and at a hundred, beside a stock ModelAdmin's list.

    python -m bench.admin

It asks for whole pages in this process, with middleware, session and templates. The milliseconds are CPU time, the
database's included: a page takes that long if nothing else is at work, since all that it reads is in memory.
"""

import os
import sys
import time
from dataclasses import dataclass
from typing import Any

import django
from django.conf import settings

from bench.million import EVENTS, LANES, fill, leave_waiting
from bench.postgres import postgres_server
from bench.running import command, connect, cpu_seconds, environment, new_database, postmaster
from bench.table import Row, main

FEW = 100
TARGET_MS = 200
TIMES, ENOUGH_SECONDS = 10, 5.0
LIST = "billing/stripeevent/"
# Name, what ours is asked, what the stock list is asked for the same.
PAGES: list[tuple[str, str, str]] = [
    ("newest", "", ""),
    ("second page", "?p=2", "?p=2"),
    ("dead", "?status__exact=dead", "?status__exact=dead"),
    ("failed or dead", "?status__exact=trouble", "?status__in=failed,dead"),
    ("received", "?status__exact=received", "?status__exact=received"),
    ("processed", "?status__exact=processed", "?status__exact=processed"),
    ("of a type", "?type=invoice.paid", "?type__exact=invoice.paid"),
    ("of a type, dead", "?type=invoice.paid&status__exact=dead", "?type__exact=invoice.paid&status__exact=dead"),
    ("by the sync", "?source__exact=sync", "?source__exact=sync"),
    ("of the other mode", "?livemode__exact=1", "?livemode__exact=1"),
    ("of a day", "?{day}", "?{day}"),
    ("search: event", "?q=evt_old_77", "?q=evt_old_77"),
    ("search: object", "?q=in_21", "?q=in_21"),
    ("search: customer", "?q=cus_old_7", "?q=cus_old_7"),
    ("search: e-mail", "?q=ada@example.com", "?q=ada@example.com"),
    ("an event's page", "evt_5Fold_5F77/change/", "evt_5Fold_5F77/change/"),
]
OF_A_CUSTOMER = """
INSERT INTO billing_customer (id, email, preferred_locale, created_at, requests)
SELECT 'cus_old_' || n, CASE n WHEN 7 THEN 'ada@example.com' ELSE n || '@example.org' END, '', now(), 0
FROM generate_series(0, %(lanes)s - 1) n
"""


@dataclass(frozen=True)
class Cost:
    queries: int
    ms: float

    def __str__(self) -> str:
        return f"{self.queries} queries, {self.ms:,.0f} ms CPU"


def cost(client: Any, database: int, address: str) -> Cost:
    """Return what a page costs. `database` is the pid of its server."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    began, answered = spent(database), 0
    while answered < TIMES and spent(database) - began < ENOUGH_SECONDS:
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address, secure=True)
            asked = len(queries)
        assert page.status_code == 200, (address, page.status_code)
        answered += 1
    return Cost(asked, (spent(database) - began) * 1000 / answered)


def spent(database: int) -> float:
    return time.process_time() + cpu_seconds(database)


def costs(client: Any, database: int, base: str, which: int) -> list[Cost]:
    from django.utils import timezone

    day = f"received_at__gte={timezone.now():%Y-%m-%d}+00%3A00%3A00%2B00%3A00"
    return [cost(client, database, base + LIST + page[which].format(day=day)) for page in PAGES]


def staff() -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(get_user_model().objects.create_superuser("staff@example.com", "correct-horse-battery"))
    return client


def rows() -> list[Row]:
    with postgres_server() as url:
        env = environment(new_database(url, "ours"))
        command(env, "setup")
        os.environ.update(env)
        django.setup()
        database, server, client = env["DATABASE_URL"], postmaster(url), staff()
        leave_waiting()
        with connect(database) as connection:
            connection.execute(OF_A_CUSTOMER, {"lanes": LANES})
            connection.execute("VACUUM ANALYZE billing_customer")
        fill(database, FEW)
        settings.ROOT_URLCONF = "bench.stock_admin"
        for _, page, _ in PAGES[:1] + PAGES[-1:]:
            client.get(f"/admin/{LIST}{page}", secure=True)  # what a process does once
        few = costs(client, server, "/admin/", 1)
        with connect(database) as connection:
            connection.execute("DELETE FROM stripe_events WHERE lane <> 'cus_waiting'")
            connection.execute("DELETE FROM billing_lane WHERE key <> 'cus_waiting'")
        fill(database, EVENTS)
        ours = costs(client, server, "/admin/", 1)
        stock = costs(client, server, "/stock/", 2)
    return [compared(*measured) for measured in zip(PAGES, few, stock, ours, strict=True)]


def compared(page: tuple[str, str, str], few: Cost, stock: Cost, ours: Cost) -> Row:
    """Return the rows that compare queries and time with a hundred rows."""
    print(f"{page[0]}: {few} with {FEW} events", file=sys.stderr)
    is_reached = ours.queries == few.queries and ours.ms < TARGET_MS
    work = f"admin, 1,000,000 events: {page[0]}"
    return Row(
        work, str(stock), str(ours), f"{ours.ms / stock.ms:.2f} ×", f"< {TARGET_MS} ms", is_reached, ours.queries
    )


if __name__ == "__main__":
    sys.exit(main(rows))
