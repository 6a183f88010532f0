"""Collection paused, subscriptions paused for want of a card, ends within a period, and the account's dunning."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import DAY, HOUR, fresh, renew, use_card
from .test_changes import half_way
from .test_discounts import member
from .test_schedules import types

__all__ = ["member"]


@pytest.mark.parametrize(
    ("behavior", "status"), [("keep_as_draft", "draft"), ("void", "void"), ("mark_uncollectible", "uncollectible")]
)
def test_paused_collection_leaves_renewals_uncollected(
    client: stripe.StripeClient, control: Control, subscribed: Any, behavior: Any, status: str
) -> None:
    sub = subscribed()
    paused = client.v1.subscriptions.update(sub.id, {"pause_collection": {"behavior": behavior}})
    assert paused.pause_collection.to_dict() == {"behavior": behavior, "resumes_at": None}
    renew(control, sub)
    now = fresh(client, sub)
    assert (now.status, now.latest_invoice.status, now.latest_invoice.amount_paid) == ("active", status, 0)
    client.v1.subscriptions.update(sub.id, {"pause_collection": ""})
    renew(control, now)
    assert fresh(client, sub).latest_invoice.status == "paid"


def test_collection_resumes_by_itself(client: stripe.StripeClient, control: Control, subscribed: Any) -> None:
    sub = subscribed()
    pause: Any = {"behavior": "void", "resumes_at": sub.start_date + 5 * DAY}
    client.v1.subscriptions.update(sub.id, {"pause_collection": pause})
    control("/advance", {"seconds": 5 * DAY + 1})
    assert fresh(client, sub).pause_collection is None
    with pytest.raises(stripe.InvalidRequestError, match="in the future"):
        client.v1.subscriptions.update(sub.id, {"pause_collection": pause})


@pytest.fixture
def trial(client: stripe.StripeClient, control: Control, customer: Any, price: Any) -> Any:
    def ended(choice: str) -> Any:
        settings: Any = {"end_behavior": {"missing_payment_method": choice}}
        params: Any = {"customer": customer.id, "items": [{"price": price.id}], "trial_period_days": 7}
        sub = client.v1.subscriptions.create({**params, "trial_settings": settings})
        control("/advance", {"seconds": 7 * DAY + 2 * HOUR})
        return fresh(client, sub)

    return ended


@pytest.mark.parametrize(
    ("choice", "status"), [("pause", "paused"), ("cancel", "canceled"), ("create_invoice", "past_due")]
)
def test_a_trial_ends_without_a_card(trial: Any, choice: str, status: str) -> None:
    assert trial(choice).status == status


@pytest.mark.parametrize(
    ("params", "amount"),
    [({}, 2000), ({"billing_cycle_anchor": "unchanged", "proration_behavior": "always_invoice"}, 1995)],
)
def test_a_paused_subscription_resumes_when_it_is_paid(
    client: stripe.StripeClient, trial: Any, params: Any, amount: int
) -> None:
    sub = trial("pause")
    still = client.v1.subscriptions.resume(sub.id, params)
    assert (still.status, fresh(client, sub).latest_invoice.status) == ("paused", "open")
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": sub.customer})
    client.v1.invoices.pay(still.latest_invoice, {"payment_method": method.id})
    now = fresh(client, sub)
    assert now.status == "active"
    assert now.latest_invoice.amount_paid in range(amount - 6, amount + 1)
    assert {"customer.subscription.paused", "customer.subscription.resumed"} <= set(types(client))
    with pytest.raises(stripe.InvalidRequestError, match="only resume"):
        client.v1.subscriptions.resume(sub.id)


@pytest.mark.parametrize(("close", "status"), [("mark_uncollectible", "active"), ("void_invoice", "paused")])
def test_closing_the_resumption_invoice_decides_whether_it_resumes(
    client: stripe.StripeClient, trial: Any, close: str, status: str
) -> None:
    still = client.v1.subscriptions.resume(trial("pause").id)
    getattr(client.v1.invoices, close)(still.latest_invoice)
    assert fresh(client, still).status == status


def test_a_resumption_that_is_not_paid_lapses(client: stripe.StripeClient, control: Control, trial: Any) -> None:
    sub = client.v1.subscriptions.resume(trial("pause").id)
    control("/advance", {"seconds": 23 * HOUR})
    assert (fresh(client, sub).status, fresh(client, sub).latest_invoice.status) == ("paused", "void")
    client.v1.payment_methods.attach("pm_card_visa", {"customer": sub.customer})
    assert client.v1.subscriptions.resume(sub.id).latest_invoice != sub.latest_invoice


@pytest.mark.parametrize("close", ["mark_uncollectible", "void_invoice"])
def test_giving_up_the_invoice_that_failed_makes_the_subscription_active(
    client: stripe.StripeClient, control: Control, subscribed: Any, close: str
) -> None:
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    renew(control, sub)
    failed = fresh(client, sub)
    assert failed.status == "past_due"
    getattr(client.v1.invoices, close)(failed.latest_invoice.id)
    assert fresh(client, sub).status == "active"


@pytest.mark.parametrize(("behavior", "amounts"), [("create_prorations", 1), ("none", 0), ("always_invoice", 0)])
def test_taking_back_an_end_restores_the_period_it_had_shortened(
    client: stripe.StripeClient, control: Control, subscribed: Any, behavior: Any, amounts: int
) -> None:
    sub = subscribed()
    end = sub["items"]["data"][0].current_period_end
    client.v1.subscriptions.update(sub.id, {"cancel_at": end + 10 * DAY})
    renew(control, sub)
    share = fresh(client, sub).latest_invoice.amount_paid
    back = client.v1.subscriptions.update(sub.id, {"cancel_at": "", "proration_behavior": behavior})
    assert (back.cancel_at, back["items"]["data"][0].current_period_end > end + 27 * DAY) == (None, True)
    rest = [row.amount for row in client.v1.invoice_items.list({"pending": True}).data]
    assert [share + amount for amount in rest] == [2000] * amounts
    if behavior == "always_invoice":
        assert fresh(client, sub).latest_invoice.amount_paid == 2000 - share
    control("/advance", {"to": end + 10 * DAY + HOUR})
    assert fresh(client, sub).status == "active"


def test_resuming_without_proration_needs_no_payment(client: stripe.StripeClient, trial: Any) -> None:
    free: Any = {"billing_cycle_anchor": "unchanged", "proration_behavior": "none"}
    assert client.v1.subscriptions.resume(trial("pause").id, free).status == "active"


@pytest.mark.parametrize(("behavior", "amounts"), [("create_prorations", [-1000]), ("none", [])])
def test_an_end_within_the_period_credits_the_rest(
    client: stripe.StripeClient, control: Control, subscribed: Any, behavior: Any, amounts: list[int]
) -> None:
    sub = subscribed()
    item = sub["items"]["data"][0]
    middle = (item.current_period_start + item.current_period_end) // 2
    client.v1.subscriptions.update(sub.id, {"cancel_at": middle, "proration_behavior": behavior})
    control("/advance", {"to": middle + HOUR})
    assert (fresh(client, sub).status, fresh(client, sub).ended_at) == ("canceled", middle)
    assert [row.amount for row in client.v1.invoice_items.list({"pending": True}).data] == amounts


def test_an_end_within_a_later_period_shortens_it(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    sub = subscribed()
    end = sub["items"]["data"][0].current_period_end
    client.v1.subscriptions.update(sub.id, {"cancel_at": end + 10 * DAY})
    renew(control, sub)
    now = fresh(client, sub)
    assert now["items"]["data"][0].current_period_end == end + 10 * DAY
    assert now.latest_invoice.amount_paid in range(2000 * 10 // 31, 2000 * 10 // 28 + 1)


@pytest.mark.parametrize(
    ("setting", "status"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")]
)
def test_the_account_says_what_comes_after_the_last_try(
    client: stripe.StripeClient, control: Control, subscribed: Any, setting: str, status: str
) -> None:
    control("/settings", {"after_last_retry": setting, "retry_days": [1]})
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    renew(control, sub)
    control("/advance", {"seconds": DAY})
    assert fresh(client, sub).status == status
    if status != "canceled":
        renew(control, fresh(client, sub))
        latest = fresh(client, sub).latest_invoice
        assert latest.status == ("draft" if status == "unpaid" else "open")


def test_items_are_changed_one_by_one(client: stripe.StripeClient, control: Control, member: Any, price: Any) -> None:
    sub = member()
    half_way(control, sub)
    more: Any = {"product": price.product, "currency": "usd", "unit_amount": 300, "recurring": {"interval": "month"}}
    extra = client.v1.prices.create(more)
    made = client.v1.subscription_items.create(
        {"subscription": sub.id, "price": extra.id, "proration_behavior": "none"}
    )
    assert client.v1.subscription_items.update(made.id, {"quantity": 3}).quantity == 3
    assert client.v1.subscription_items.retrieve(made.id).price.id == extra.id
    assert len(client.v1.subscription_items.list({"subscription": sub.id}).data) == 2
    assert client.v1.subscription_items.delete(made.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription item"):
        client.v1.subscription_items.retrieve(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="at least one active plan"):
        client.v1.subscription_items.delete(sub["items"]["data"][0].id)


def test_stripes_limits_hold(client: stripe.StripeClient, member: Any, price: Any) -> None:
    for params, message in (
        ({"items": [{"price": price.id}] * 2}, "same plan"),
        ({"items": [{"price": price.id, "quantity": -1}]}, "non-negative"),
        ({"trial_period_days": 731}, "730 days"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=message):
            member(**params)


@pytest.mark.parametrize(
    ("choice", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_a_trial_that_is_ended_by_hand_without_a_card_ends_as_by_itself(
    client: stripe.StripeClient, control: Control, customer: Any, price: Any, choice: Any, status: str
) -> None:
    settings: Any = {"end_behavior": {"missing_payment_method": choice}}
    params: Any = {"customer": customer.id, "items": [{"price": price.id}], "trial_period_days": 7}
    sub = client.v1.subscriptions.create({**params, "trial_settings": settings})
    ended = client.v1.subscriptions.update(sub.id, {"trial_end": "now", "proration_behavior": "none"})
    assert ended.status == status
    assert ended.trial_end == client.v1.subscriptions.retrieve(sub.id).trial_end < (sub.trial_end or 0)


def test_a_trial_is_moved_two_years_ahead_at_most(
    client: stripe.StripeClient, control: Control, customer: Any, price: Any
) -> None:
    params: Any = {"customer": customer.id, "items": [{"price": price.id}], "trial_period_days": 7}
    sub = client.v1.subscriptions.create(params)
    with pytest.raises(stripe.InvalidRequestError, match="at most 730 days"):
        client.v1.subscriptions.update(sub.id, {"trial_end": sub.created + 731 * DAY})
    moved = client.v1.subscriptions.update(sub.id, {"trial_end": sub.created + 730 * DAY})
    assert moved.trial_end == sub.created + 730 * DAY
