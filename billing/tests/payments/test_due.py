"""The worker looks at invoices that come due, and at those that are overdue, until it has said so of each."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing import cause, lanes
from billing.models import Customer, Invoice
from billing.payments import due
from billing.stripe_client import StripeUnavailable

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    settings.BILLING_INVOICE_REMINDER_DAYS = 3
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def seen(monkeypatch):
    """The invoices that were looked at, and why; `seen.fails` is raised at that of ada."""
    looks = Looks()

    def record(customer, invoice):
        assert invoice == f"in_{customer.pk}"
        looks.append((invoice, cause.current()))
        if looks.fails and customer.pk == "ada":
            raise looks.fails

    monkeypatch.setattr(due, "record_invoice", record)
    return looks


class Looks(list):
    fails: Exception | None = None


def invoice(name="ada", *, deleted_at=None, **columns):
    customer = Customer.objects.create(pk=name, deleted_at=deleted_at)
    usual = {"status": "open", "collection_method": Invoice.SENT, "due_at": NOW + DAY, "created_at": NOW - DAY,
             "total": 100, "amount_due": 100, "amount_remaining": 100, "currency": "usd"}  # fmt: skip
    return Invoice.objects.create(pk=f"in_{name}", customer=customer, **{**usual, **columns})


@pytest.mark.parametrize(
    ("columns", "is_seen"),
    [
        ({}, True),
        ({"due_at": NOW + 3 * DAY}, True),
        ({"due_at": NOW + 3 * DAY + SECOND}, False),
        ({"announced_due_soon_at": NOW}, False),
        ({"announced_overdue_at": NOW}, False),
        ({"due_at": NOW, "announced_due_soon_at": NOW}, True),
        ({"due_at": NOW + SECOND, "announced_due_soon_at": NOW}, False),
        ({"due_at": NOW - DAY}, True),
        ({"due_at": NOW - DAY, "announced_overdue_at": NOW}, False),
        ({"due_at": None}, False),
        ({"status": "paid"}, False),
        ({"status": "draft"}, False),
        ({"collection_method": "charge_automatically"}, False),
        ({"deleted_at": NOW}, False),
    ],
)
def test_what_is_due_soon_or_overdue_is_looked_at_until_it_was_said(seen, columns, is_seen):
    invoice(**columns)
    assert due.hourly() == f"{int(is_seen)} invoices looked at"
    assert seen == ([("in_ada", "calendar")] if is_seen else [])


@pytest.mark.parametrize("fails", [StripeUnavailable("away"), lanes.LaneBusy("ada"), ValueError("odd")])
def test_what_fails_is_left_to_the_next_run_and_holds_up_nobody(seen, fails):
    invoice(), invoice("ben")
    seen.fails = fails
    assert due.hourly() == "1 invoices looked at"
    assert sorted(name for name, _ in seen) == ["in_ada", "in_ben"]
    seen.fails = None
    assert due.hourly() == "2 invoices looked at"
