"""Invoices with terms: sent, due soon, overdue, and paid."""

from datetime import timedelta

import pytest

from billing.lifecycle import overview
from billing.models import Invoice
from billing.pages import wording
from billing.payments import due
from billing.testing import Subscribed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bea(world):
    """A subscriber whose staff-made subscription is paid by invoice, within ten days."""
    ben = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{ben.subscription}")
    price = world.stripe("GET", "prices", lookup_keys=["pro_month"])["data"][0]["id"]
    made = world.stripe(
        "POST", "subscriptions", customer=ben.customer, items=[{"price": price}], collection_method="send_invoice",
        days_until_due=10,
    )  # fmt: skip
    world.advance(hours=2)
    world.deliver()
    return Subscribed(ben.subscriber, ben.customer, made["id"])


def banner(who):
    return wording.banners(overview.overview_of(who.subscriber))[0]


def said(world, who, name):
    return [each for each, customer in world.heard if customer == who.customer].count(name)


def test_an_invoice_that_is_sent_is_shown_with_its_link_and_date_and_gives_access_meanwhile(world, bea):
    row = Invoice.objects.get(subscription_id=bea.subscription)
    assert (row.is_sent, row.status, row.payment) == (True, "open", "none")
    assert row.due_at - row.created_at == timedelta(days=10)
    assert bea.access.reason == "active"
    shown = banner(bea)
    assert shown.headline.startswith("You have an invoice of $20.00 to pay by ")
    assert (shown.link, shown.link_text) == (overview.overview_of(bea.subscriber).owed[0].page, "Pay the invoice")
    assert (said(world, bea, "invoice_sent"), said(world, bea, "payment_failed")) == (1, 0)


def test_it_is_announced_when_due_soon_and_overdue_and_each_once(world, bea):
    world.advance(days=8)
    for _ in range(2):
        due.hourly()
    assert said(world, bea, "invoice_due_soon") == 1
    world.advance(days=3)
    world.deliver()
    due.hourly()
    assert said(world, bea, "invoice_overdue") == 1
    row = Invoice.objects.get(subscription_id=bea.subscription)
    assert (bea.access.reason, bea.access.grace_ends_at) == ("grace", row.due_at + timedelta(days=3))
    assert "was due on" in banner(bea).headline
    assert "did not go through" not in banner(bea).headline
    world.pay(bea)
    world.deliver()
    assert (bea.access.reason, overview.overview_of(bea.subscriber).owed) == ("active", [])


def test_what_is_paid_in_time_is_never_called_due(world, bea):
    world.pay(bea)
    world.deliver()
    world.advance(days=11)
    assert due.hourly() == "0 invoices looked at"
    assert (said(world, bea, "invoice_due_soon"), said(world, bea, "invoice_overdue")) == (0, 0)
