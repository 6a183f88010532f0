"""A change of plan asks Stripe for this, call by call; a payment that failed may be the end of it."""

from types import SimpleNamespace

import pytest

from billing.lifecycle import add_on_items, cancel, change, customers, previews, refusals, scheduling
from billing.lifecycle.live_subscription import Standing
from billing.models import Customer, Plan, Price
from billing.tests.subscriptions.test_projection import found, item

pytestmark = pytest.mark.django_db


@pytest.fixture
def prices():
    made = []
    for rank, slug in enumerate(("low", "high")):
        plan = Plan.objects.create(slug=slug, name=slug, rank=rank)
        made.append(Price.objects.create(pk=f"price_{slug}", plan=plan, currency="usd", unit_amount=1,
                                         interval="month"))  # fmt: skip
    return made


@pytest.fixture
def answers():
    """Stripe answers writes with this, by path."""
    return {}


@pytest.fixture
def written(monkeypatch, answers):
    """The writes that Stripe was asked for, without their keys where these are drawn."""
    calls = []

    def post(path, idempotency_key, **params):
        calls.append((path, idempotency_key, params))
        return answers.get(path, {"pending_update": None})

    monkeypatch.setattr("billing.stripe_client.post", post)
    return calls


@pytest.fixture
def voided(monkeypatch):
    invoices = []
    monkeypatch.setattr(change, "_void", lambda now, invoice: invoices.append(invoice))
    return invoices


def standing(**changes):
    return Standing(Customer(pk="cus_1"), found(**changes))


def intent(price):
    return SimpleNamespace(pk="i", price=price, proration_date=1500, quantity=3)


def make_now(now, price):
    change.make_now(now, intent(price), previews.change_items(now, price))


ITEMS = [{"id": "si_1", "price": "price_high", "quantity": 3}]


@pytest.mark.parametrize("status", ["active", "trialing"])
def test_a_change_of_now_is_one_call_that_is_charged_but_for_a_trial(prices, written, voided, status):
    make_now(standing(status=status, items=[item(quantity=3)]), prices[1])
    charged = {
        "proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete", "proration_date": 1500,
    }  # fmt: skip
    paying = {"proration_behavior": "none"} if status == "trialing" else charged
    assert written == [("/v1/subscriptions/sub_1", "change:i", {"items": ITEMS, **paying})]


GOES_ON = ("requires_action", "requires_confirmation", "requires_capture", "processing", "succeeded", "of_a_new_kind")


def paid_by(*intents, status="open"):
    payments = [{"payment": {"payment_intent": intent}} for intent in intents]
    return {"id": "in_9", "status": status, "payments": {"data": payments}}


def an_intent(status, message=None):
    return {"status": status, "last_payment_error": message and {"message": message}}


@pytest.mark.parametrize(
    ("invoice", "reason"),
    [
        (paid_by(status="paid"), None),
        *(
            (paid_by(an_intent("canceled"), an_intent(status)), None)
            for status in [
                "requires_action",
                "requires_confirmation",
                "requires_capture",
                "processing",
                "succeeded",
                "of_a_new_kind",
            ]
        ),
        (paid_by(an_intent("requires_payment_method", "No money.")), "No money."),
        (paid_by(an_intent("canceled"), an_intent("requires_payment_method", "Lost card.")), "Lost card."),
        (paid_by(an_intent("requires_payment_method")), "Your payment was declined."),
        (paid_by(), "Your payment was declined."),
    ],
)
def test_a_payment_that_can_still_be_confirmed_is_waited_for_and_a_declined_one_is_the_end(
    written, voided, answers, prices, monkeypatch, invoice, reason
):
    asked = []
    monkeypatch.setattr(change.fetch, "invoice", lambda *which: asked.append(which) or invoice)
    answers["/v1/subscriptions/sub_1"] = {"pending_update": {"expires_at": 1}, "latest_invoice": {"id": "in_9"}}
    if reason is None:
        make_now(standing(), prices[1])
    else:
        with pytest.raises(refusals.PaymentDeclined) as declined:
            make_now(standing(), prices[1])
        assert str(declined.value) == f"{reason} Nothing was changed: use another card and try again."
    assert asked == [("in_9", "cus_1")]
    assert voided == ([] if reason is None else ["in_9"])


@pytest.mark.parametrize(("update", "gone"), [(None, []), ({"expires_at": 1, "subscription_items": []}, ["in_1"])])
def test_only_a_change_that_waits_for_its_payment_has_an_invoice_to_void(voided, update, gone):
    change.drop_pending_update(standing(pending_update=update))
    assert voided == gone


SCHEDULE = {
    "id": "sub_sched_1",
    "current_phase": {"start_date": 1000, "end_date": 2000},
    "phases": [
        {"start_date": 500, "discounts": [{"coupon": "old"}]},
        {"start_date": 1000, "discounts": []},
    ],
}


@pytest.mark.parametrize("has_schedule", [False, True])
def test_a_change_of_the_periods_end_is_a_schedule_and_then_its_two_phases(prices, written, answers, has_schedule):
    addon = {"id": "si_2", "price": {"id": "price_addon"}, "quantity": 2, "current_period_end": 2500}
    schedule = SCHEDULE if has_schedule else None
    now = standing(items=[item("price_high", 3), addon], schedule=schedule, discounts=["di_kept"])
    answers["/v1/subscription_schedules"] = SCHEDULE
    scheduling.schedule_items(now, "i", add_on_items.after(now, prices[0], {})(3))
    if not has_schedule:
        made = written.pop(0)
        assert made == ("/v1/subscription_schedules", "schedule:i", {"from_subscription": "sub_1"})
    [(path, key, params)] = written
    assert (path, key) == ("/v1/subscription_schedules/sub_sched_1", "phases:i")
    kept, others = {"currency": "usd", "discounts": [{"discount": "di_kept"}]}, {"price": "price_addon", "quantity": 2}
    assert params == {
        "end_behavior": "release",
        "proration_behavior": "none",
        "phases": [
            {**kept, "items": [{"price": "price_high", "quantity": 3}, others], "start_date": 1000, "end_date": 2000},
            {
                **kept,
                "items": [{"price": "price_low", "quantity": 3}, others],
                "proration_behavior": "none",
                "duration": {"interval": "day", "interval_count": 1},
            },
        ],
    }


def test_a_preview_asks_for_the_invoice_of_this_very_change(prices, written):
    now = standing(items=[item(quantity=3)])
    previews.invoice_for(now, previews.change_items(now, prices[1]), 1500)
    [(path, key, params)] = written
    assert (path, key.startswith("preview:cus_1:")) == ("/v1/invoices/create_preview", True)
    details = {"items": ITEMS, "proration_behavior": "always_invoice", "proration_date": 1500}
    assert params == {"customer": "cus_1", "subscription": "sub_1", "subscription_details": details}


# Cancelling and resuming


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({}, {"cancel_at_period_end": True}),
        ({"cancel_at": 2001}, {"cancel_at": 2000}),
        ({"cancel_at": 2000}, None),
        ({"cancel_at": 1999}, None),
        ({"cancel_at_period_end": True}, None),
    ],
)
def test_an_end_with_the_period_is_asked_for_unless_it_ends_by_then(written, changes, asked):
    cancel._cancel_at_period_end(standing(**changes), {})
    assert [(path, params) for path, _, params in written] == ([("/v1/subscriptions/sub_1", asked)] if asked else [])


def test_what_has_ended_is_not_ended_again(written):
    cancel._cancelling_at_period_end({}, may_end_now=False)(standing(status="canceled"))
    assert written == []


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"cancel_at_period_end": True}, {"cancel_at_period_end": False}),
        ({"cancel_at_period_end": True, "cancel_at": 2000}, {"cancel_at_period_end": False}),
        ({"cancel_at": 2000}, {"cancel_at": ""}),
    ],
)
def test_resuming_clears_what_is_set(written, changes, asked):
    schedule = {"id": "sub_sched_1", "status": "not_started"}
    cancel._resume(standing(schedule=schedule, **changes))
    release, (path, _, params) = written
    assert release[0] == "/v1/subscription_schedules/sub_sched_1/release"
    assert (path, params) == ("/v1/subscriptions/sub_1", asked)


# The customer at Stripe


def test_a_customer_left_at_stripe_is_theirs_by_our_metadata_and_not_deleted_here(monkeypatch):
    asked = []
    listed = [
        {"id": "cus_other", "metadata": {"billing_subscriber": "8"}},
        {"id": "cus_none", "metadata": None},
        {"id": "cus_gone", "metadata": {"billing_subscriber": "7"}},
        {"id": "cus_found", "metadata": {"billing_subscriber": "7"}},
    ]

    def get(path, **params):
        asked.append((path, params))
        return {"data": listed}

    monkeypatch.setattr(customers.stripe_client, "get", get)
    Customer.objects.create(pk="cus_gone", deleted_at="2026-05-01T00:00Z")
    ada = SimpleNamespace(pk=7, email="ada@example.com")
    assert customers._customer_left_at_stripe(ada)["id"] == "cus_found"
    assert asked == [("/v1/customers", {"email": "ada@example.com", "limit": 100})]
    listed.pop()
    assert customers._customer_left_at_stripe(ada) is None
