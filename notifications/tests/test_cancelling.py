"""The mail of a cancellation promises what will happen, in the line that is cancelled."""

from datetime import timedelta

import pytest

from billing import signals
from billing.models import Invoice, Subscription
from notifications.models import Mail
from notifications.tests.conftest import DECEMBER, JANUARY

pytestmark = pytest.mark.django_db


def told(subscription):
    subscription.cancel_at = JANUARY
    subscription.save()
    signals.cancellation_scheduled.send(sender=Subscription, subscription=subscription, cancel_at=JANUARY)
    return Mail.objects.get(context__subscription=subscription.stripe_id).context


def test_it_names_the_end_of_access_in_its_line(subscription, time_machine):
    time_machine.move_to(DECEMBER)
    other = Subscription.objects.create(
        customer=subscription.customer, stripe_id="sub_2", line="storage", status="active", plan=subscription.plan,
        current_period_end=JANUARY,
    )  # fmt: skip
    Subscription.objects.filter(pk=subscription.pk).update(cancel_at=DECEMBER + timedelta(days=3))
    assert told(other)["ends_at"] == JANUARY.isoformat()


@pytest.mark.parametrize(
    ("columns", "is_charged"),
    [
        ({}, True),
        ({"collection_method": "send_invoice"}, False),
        ({"payment": "processing"}, False),
        ({"subscription_id": "sub_other"}, False),
    ],
)
def test_it_promises_no_end_of_charges_while_an_older_invoice_is_open(subscription, time_machine, columns, is_charged):
    time_machine.move_to(DECEMBER)
    usual = {
        "pk": "in_old", "customer": subscription.customer, "subscription_id": "sub_1", "purpose": "plan",
        "status": "open", "currency": "usd", "total": 700, "amount_due": 700, "amount_remaining": 700,
        "created_at": DECEMBER, "collection_method": "charge_automatically",
    }  # fmt: skip
    Invoice.objects.create(**{**usual, **columns})
    assert told(subscription)["still_charged"] is is_charged
