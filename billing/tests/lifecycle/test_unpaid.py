"""A subscription owes each open invoice by its kind, and a cancellation ends it at once where something is owed."""

from datetime import UTC, datetime

import pytest

from billing.lifecycle import unpaid
from billing.lifecycle.live_subscription import Standing
from billing.lifecycle.unpaid import Kind
from billing.models import Customer, PlanChange
from billing.tests.subscriptions.test_projection import found

pytestmark = pytest.mark.django_db


def standing(awaited=None, **changes):
    now = Standing(Customer(pk="cus_1"), found(**changes))
    now.__dict__["awaited"] = awaited
    return now


def invoice(name="in_1", status="open", amount=500, **changes):
    usual = {"id": name, "status": status, "amount_remaining": amount, "currency": "usd", "due_date": None}
    return {**usual, "collection_method": "charge_automatically", **changes}


@pytest.fixture
def at_stripe(monkeypatch):
    """Says what is open, what is a draft, and the statuses of an invoice's payments; returns what was asked."""
    asked, told = [], {"open": [], "draft": [], "intents": []}

    def one(invoice_id, customer):
        asked.append((invoice_id, customer))
        return {"payments": {"data": [{"payment": {"payment_intent": {"status": each}}} for each in told["intents"]]}}

    monkeypatch.setattr(unpaid.fetch, "open_invoices", lambda subscription: told["open"])
    monkeypatch.setattr(unpaid.fetch, "draft_invoices", lambda subscription: told["draft"])
    monkeypatch.setattr(unpaid.fetch, "invoice", one)
    told["asked"] = asked
    return told


@pytest.mark.parametrize(
    ("told", "intents", "kind"),
    [
        (invoice(), [], Kind.CHARGED),
        (invoice(), ["requires_payment_method"], Kind.CHARGED),
        (invoice(), ["requires_payment_method", "processing"], Kind.UNDER_WAY),
        (invoice(amount=1), [], Kind.CHARGED),
        (invoice(amount=0), ["processing"], Kind.IDLE),
        (invoice(amount=-1), ["processing"], Kind.IDLE),
        (invoice(collection_method="send_invoice"), ["processing"], Kind.SENT),
        (invoice(status="draft", auto_advance=True), ["processing"], Kind.CHARGED),
        (invoice(status="draft", auto_advance=False), ["processing"], Kind.IDLE),
        (invoice(status="draft"), [], Kind.IDLE),
        (invoice(status="draft", auto_advance=True, collection_method="send_invoice"), [], Kind.CHARGED),
    ],
)
def test_each_unpaid_invoice_is_of_the_kind_that_stripe_makes_of_it(at_stripe, told, intents, kind):
    at_stripe["open"], at_stripe["intents"] = [told], intents
    (owed,) = unpaid.owed_of(standing())
    assert (owed.invoice, owed.kind, owed.amount, owed.currency) == ("in_1", kind, told["amount_remaining"], "usd")
    assert owed.is_draft is (told["status"] == "draft")
    assert all(each == ("in_1", "cus_1") for each in at_stripe["asked"])


def test_an_invoice_that_is_sent_is_due_on_its_day(at_stripe):
    at_stripe["open"] = [invoice(due_date=100), invoice("in_2")]
    first, second = unpaid.owed_of(standing(latest_invoice=None))
    assert (first.due_at, second.due_at) == (datetime.fromtimestamp(100, UTC), None)


SENT = {"collection_method": "send_invoice"}
UPDATE = {"pending_update": {"subscription_items": [], "expires_at": 9}}


@pytest.mark.parametrize(
    ("awaits", "changes", "owed"),
    [
        (False, {}, ["in_1", "in_2"]),
        (False, UPDATE, ["in_2"]),
        (False, SENT, ["in_1", "in_2"]),
        (True, SENT, ["in_2"]),
        (True, {}, ["in_1", "in_2"]),
        (True, {**SENT, "latest_invoice": "in_9"}, ["in_1", "in_2"]),
    ],
)
def test_what_a_pending_change_waits_for_is_not_owed(at_stripe, awaits, changes, owed):
    at_stripe["open"], at_stripe["draft"] = [invoice()], [invoice("in_2", "draft")]
    now = standing(PlanChange() if awaits else None, **changes)
    assert [each.invoice for each in unpaid.owed_of(now)] == owed
    assert [each["id"] for each in unpaid.invoices_of(now)] == ["in_1", "in_2"]


def owes(kind):
    return unpaid.Owed("in_1", kind, 5, "usd", None)


@pytest.mark.parametrize(
    ("status", "kinds", "at_once"),
    [
        ("active", [], False),
        ("active", [Kind.SENT, Kind.IDLE, Kind.UNDER_WAY], False),
        ("active", [Kind.IDLE, Kind.CHARGED], True),
        ("trialing", [], False),
        ("past_due", [], True),
        ("past_due", [Kind.SENT], True),
        ("past_due", [Kind.SENT, Kind.UNDER_WAY], False),
        ("past_due", [Kind.UNDER_WAY, Kind.CHARGED], True),
        ("unpaid", [], True),
        ("paused", [], True),
        ("incomplete", [], True),
        ("unpaid", [Kind.UNDER_WAY], True),
    ],
)
def test_it_ends_at_once_where_stripe_would_charge_or_nothing_is_left_to_wait_for(status, kinds, at_once):
    assert unpaid.ends_at_once(standing(status=status), [owes(kind) for kind in kinds]) is at_once
