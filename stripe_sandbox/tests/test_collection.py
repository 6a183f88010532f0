"""Subscriptions whose invoices are sent: the due date, what comes when it passes, and how they are paid."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import DAY, HOUR, fresh, renew
from .test_discounts import member
from .test_schedules import types

__all__ = ["member"]
SENT: Any = {"collection_method": "send_invoice", "days_until_due": 14}


def test_it_is_active_at_once_and_its_invoice_is_sent_an_hour_later(
    client: stripe.StripeClient, control: Control, member: Any
) -> None:
    sub = member(**SENT)
    first = fresh(client, sub).latest_invoice
    assert (sub.status, sub.days_until_due, first.status) == ("active", 14, "draft")
    assert first.due_date == first.created + 14 * DAY
    control("/advance", {"seconds": HOUR + 1})
    sent = fresh(client, sub).latest_invoice
    assert (sent.status, sent.attempted, sent.next_payment_attempt) == ("open", False, None)
    assert "invoice.sent" in types(client)
    assert "charge.succeeded" not in types(client)


@pytest.mark.parametrize(("setting", "status"), [("unpaid", "unpaid"), ("cancel", "canceled")])
def test_past_its_due_date_it_is_past_due_and_given_up_later(
    client: stripe.StripeClient, control: Control, member: Any, setting: str, status: str
) -> None:
    control("/settings", {"after_last_retry": setting, "overdue_days": 5})
    sub = member(**SENT)
    control("/advance", {"seconds": 14 * DAY + HOUR})
    assert fresh(client, sub).status == "past_due"
    assert types(client).count("invoice.overdue") == 1
    control("/advance", {"seconds": 5 * DAY})
    assert fresh(client, sub).status == status


def test_paying_it_late_makes_the_subscription_active_again(
    client: stripe.StripeClient, control: Control, member: Any
) -> None:
    sub = member(**SENT)
    control("/advance", {"seconds": 14 * DAY + HOUR})
    client.v1.invoices.pay(sub.latest_invoice, {"paid_out_of_band": True})
    assert fresh(client, sub).status == "active"
    control("/advance", {"seconds": 40 * DAY})
    assert fresh(client, sub).status == "past_due"


def test_a_card_that_is_declined_leaves_the_due_date_in_force(
    client: stripe.StripeClient, control: Control, member: Any
) -> None:
    sub = member(**SENT)
    control("/advance", {"seconds": HOUR + 1})
    bad = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": sub.customer})
    with pytest.raises(stripe.CardError):
        client.v1.invoices.pay(sub.latest_invoice, {"payment_method": bad.id})
    assert fresh(client, sub).status == "active"


def test_a_subscription_changes_how_it_is_paid(client: stripe.StripeClient, control: Control, member: Any) -> None:
    sub = member()
    with pytest.raises(stripe.InvalidRequestError, match="days_until_due"):
        client.v1.subscriptions.update(sub.id, {"collection_method": "send_invoice"})
    client.v1.subscriptions.update(sub.id, {"collection_method": "send_invoice", "days_until_due": 3})
    renew(control, sub)
    later = fresh(client, sub).latest_invoice
    assert (later.status, later.due_date - later.created) == ("open", 3 * DAY)
    back = client.v1.subscriptions.update(sub.id, {"collection_method": "charge_automatically"})
    assert back.days_until_due is None
    with pytest.raises(stripe.InvalidRequestError, match="goes with"):
        client.v1.subscriptions.update(sub.id, {"days_until_due": 3})
