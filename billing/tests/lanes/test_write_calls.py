"""Each owed write asks Stripe for what was decided, if Stripe's object still is as it was then; else for nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from billing.lanes import writes
from billing.models import Customer, Plan, PlanChange, Price, StripeWrite
from billing.stripe_client import readers

pytestmark = pytest.mark.django_db

Action = StripeWrite.Action
WHEN = datetime(2027, 3, 10, 12, tzinfo=UTC)
UNTIL = int(WHEN.timestamp())


@pytest.fixture
def ada():
    return Customer.objects.create(pk="cus_ada")


@pytest.fixture
def asked(monkeypatch):
    """Says what Stripe has by path, makes the one write that is owed, and returns what was asked for, without keys."""
    calls, keys = [], []

    def note(verb):
        def call(path, *, idempotency_key, **params):
            calls.append((verb, path, params))
            keys.append(idempotency_key)
            return {}

        return call

    def make(has):
        monkeypatch.setattr(writes.stripe_client, "get", lambda path, **_: has[path.split("/")[-1]])
        calls.clear(), keys.clear()
        write = StripeWrite.objects.get()
        writes.make(write)
        assert all(key.startswith(f"{write.pk}:{write.attempts}") for key in keys)
        assert len(set(keys)) == len(keys), "no two calls share a key"
        write.refresh_from_db()
        return list(calls), "done" if write.done_at else "withdrawn" if write.withdrawn_at else "owed"

    for verb in ("post", "delete"):
        monkeypatch.setattr(writes.stripe_client, verb, note(verb))
    return make


@pytest.mark.parametrize(
    ("until", "status", "trial_end", "params", "fate"),
    [
        (WHEN, "trialing", UNTIL + 1, {"trial_end": UNTIL, "proration_behavior": "none"}, "done"),
        (None, "trialing", UNTIL, {"trial_end": "now", "proration_behavior": "none"}, "done"),
        (WHEN, "trialing", UNTIL, None, "done"),
        (WHEN, "active", UNTIL + 1, None, "withdrawn"),
    ],
)
def test_only_a_trial_that_runs_is_moved_and_only_if_it_ends_otherwise(
    ada, asked, until, status, trial_end, params, fate
):
    writes.owe_trial_end(ada, "sub_1", until)
    calls = [("post", "/v1/subscriptions/sub_1", params)] if params else []
    assert asked({"sub_1": {"status": status, "trial_end": trial_end}}) == (calls, fate)


def test_of_two_ends_of_a_trial_the_last_is_owed_and_what_was_made_or_is_anothers_stays(ada):
    ben = Customer.objects.create(pk="cus_ben")
    writes.owe_trial_end(ada, "sub_1", WHEN)
    StripeWrite.objects.update(done_at=WHEN)
    writes.owe_trial_end(ben, "sub_ben", WHEN)
    writes.owe(ada, "sub_1", "dp_1")
    writes.owe_trial_end(ada, "sub_1", WHEN)
    writes.owe_trial_end(ada, "sub_1", None)
    left = StripeWrite.objects.filter(withdrawn_at=None, done_at=None).order_by("action", "object_id")
    assert [(row.action, row.object_id, row.reference.split(":")[0]) for row in left] == [
        ("cancel_subscription", "sub_1", "dp_1"),
        ("move_trial", "sub_1", "now"),
        ("move_trial", "sub_ben", str(UNTIL)),
    ]
    assert StripeWrite.objects.filter(withdrawn_at=None, done_at=WHEN).count() == 1


def session(**changes: Any) -> dict[str, Any]:
    usual = {"setup_intent": {"payment_method": "pm_1"}, "customer": "cus_ada", "metadata": {writes.CARD_FOR: "sub_1"}}
    return {**usual, **changes}


@pytest.mark.parametrize(
    ("told", "status", "fate"),
    [
        (session(), "active", "done"),
        (session(customer={"id": "cus_ada"}, setup_intent={"payment_method": {"id": "pm_1"}}), "unpaid", "done"),
        (session(), "canceled", "withdrawn"),
        (session(customer="cus_ben"), "active", "withdrawn"),
        (session(metadata={writes.CARD_FOR: "sub_2"}), "active", "withdrawn"),
        (session(metadata={}), "active", "withdrawn"),
        (session(setup_intent=None), "active", "withdrawn"),
        (session(setup_intent={"payment_method": None}), "active", "withdrawn"),
    ],
)
def test_a_card_is_used_for_the_subscription_and_customer_that_saved_it(ada, asked, told, status, fate):
    writes.owe(ada, "sub_1", "cs_1", Action.USE_CARD)
    method = {"default_payment_method": "pm_1"}
    calls = [
        ("post", "/v1/customers/cus_ada", {"invoice_settings": method}),
        ("post", "/v1/subscriptions/sub_1", method),
    ]
    assert asked({"cs_1": told, "sub_1": {"status": status}}) == (calls if fate == "done" else [], fate)


@pytest.fixture
def change(ada):
    plan = Plan.objects.create(slug="undone", name="Undone", rank=1)
    low, high = (
        Price.objects.create(pk=f"price_{name}", plan=plan, currency="usd", unit_amount=1, interval="month")
        for name in ("low", "high")
    )
    usual = {"customer": ada, "price": high, "previous_price": low, "status": "awaited", "proration_date": 1}
    usual["previous_items"] = [{"id": "si_1", "price": "price_low", "quantity": 2}]
    bystander = PlanChange.objects.create(subscription_id="sub_2", **usual)
    yield PlanChange.objects.create(subscription_id="sub_1", **usual)
    assert PlanChange.objects.get(pk=bystander.pk).status == "awaited"


@pytest.mark.parametrize(
    ("columns", "price", "ended_at", "is_put_back"),
    [
        ({}, "price_high", None, True),
        ({}, "price_low", None, False),
        ({}, "price_high", 1, False),
        ({"previous_items": []}, "price_high", None, False),
    ],
)
@pytest.mark.parametrize("invoice", ["", "in_1"])
def test_a_change_is_undone_where_it_still_stands_and_its_invoice_is_voided(
    ada, asked, change, columns, price, ended_at, is_put_back, invoice
):
    PlanChange.objects.filter(pk=change.pk).update(invoice_id=invoice, **columns)
    writes.owe(ada, "sub_1", str(change.pk), Action.UNDO_CHANGE)
    items = [{"id": "si_0", "price": {"id": "price_x"}}, {"id": "si_1", "price": {"id": price}, "quantity": 2}]
    params = {"items": [{"id": "si_1", "price": "price_low", "quantity": 2}], "proration_behavior": "none"}
    calls = [
        *([("post", "/v1/invoices/in_1/void", {})] if invoice else []),
        *([("post", "/v1/subscriptions/sub_1", params)] if is_put_back else []),
    ]
    has = {"sub_1": {"items": {"data": items}, "ended_at": ended_at}, "in_1": {"status": "open"}}
    assert asked(has) == (calls, "done")
    assert PlanChange.objects.get(pk=change.pk).status == "refused"


@pytest.mark.parametrize("status", ["draft", "open"])
def test_only_a_draft_is_finalized(ada, asked, status):
    writes.owe(ada, "in_1", "address", Action.FINALIZE_INVOICE)
    calls = [("post", "/v1/invoices/in_1/finalize", {"auto_advance": True})] if status == "draft" else []
    assert asked({"in_1": {"status": status}}) == (calls, "done")


NO_PLACE = {"disabled_reason": readers.UNTAXED}


@pytest.mark.parametrize(
    ("ended_at", "tax", "is_restored"),
    [(None, NO_PLACE, True), (1, NO_PLACE, False), (None, {"disabled_reason": None}, False), (None, None, False)],
)
def test_tax_is_switched_on_again_only_where_stripe_switched_it_off(ada, asked, ended_at, tax, is_restored):
    writes.owe(ada, "sub_1", "address", Action.RESTORE_TAX)
    calls = [("post", "/v1/subscriptions/sub_1", {"automatic_tax": {"enabled": True}})] if is_restored else []
    assert asked({"sub_1": {"ended_at": ended_at, "automatic_tax": tax}}) == (calls, "done")


@pytest.mark.parametrize(
    ("status", "calls", "fate"),
    [
        ("open", [("post", "/v1/invoices/in_1/void", {})], "done"),
        ("draft", [("post", "/v1/invoices/in_1", {"auto_advance": False})], "done"),
        *((status, [], "done") for status in sorted(writes.CLOSED)),
        ("asleep", [], "owed"),
    ],
)
def test_an_invoice_is_closed_as_its_status_allows(ada, asked, status, calls, fate):
    writes.owe(ada, "in_1", "sub_1", Action.CLOSE_INVOICE)
    assert asked({"in_1": {"status": status}}) == (calls, fate)


@pytest.mark.parametrize(("reference", "reason"), [("in_1", "requested_by_customer"), ("sub_1", "duplicate")])
def test_a_refund_says_why(ada, asked, reference, reason):
    writes.owe(ada, "pi_1", reference, Action.REFUND)
    assert asked({}) == ([("post", "/v1/refunds", {"payment_intent": "pi_1", "reason": reason})], "done")


def test_a_tax_id_is_removed_from_its_own_customer(ada, asked):
    writes.owe(ada, "txi_1", "staff", Action.REMOVE_TAX_ID)
    assert asked({}) == ([("delete", "/v1/customers/cus_ada/tax_ids/txi_1", {})], "done")
