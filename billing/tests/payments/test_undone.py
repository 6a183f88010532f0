"""A refund that fails says which subscription had been ended for it: that of its own invoice, if that was done."""

import pytest
from django.utils import timezone

from billing import signals
from billing.models import Alert, Customer, Invoice, InvoicePayment, Refund, StripeWrite, Subscription
from billing.payments import undone

pytestmark = pytest.mark.django_db

Action = StripeWrite.Action


@pytest.fixture
def ada():
    return Customer.objects.create(pk="cus_ada")


def failed(customer, **columns):
    return Refund.objects.create(
        pk="re_1", customer=customer, invoice_id="in_1", amount=5, currency="usd", status="failed",
        created_at=timezone.now(), **columns,
    )  # fmt: skip


def paid_for(customer, name, subscription):
    return Invoice.objects.create(
        pk=name, customer=customer, subscription_id=subscription, status="paid", purpose="plan", currency="usd",
        total=5, amount_due=5, amount_paid=5, amount_remaining=0, created_at=timezone.now(),
    )  # fmt: skip


def cancelled(customer, subscription="sub_1", reference="in_1", done=True, action=Action.CANCEL_SUBSCRIPTION):
    return StripeWrite.objects.create(
        lane=customer.pk, action=action, object_id=subscription, reference=reference, requested_at=timezone.now(),
        done_at=timezone.now() if done else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("write", "of", "ended"),
    [
        ({}, "sub_1", "sub_1"),
        (None, "sub_1", ""),
        ({"done": False}, "sub_1", ""),
        ({"reference": "dp_1"}, "sub_1", ""),
        ({"reference": "in_2"}, "sub_1", ""),
        ({"reference": "in_0"}, "sub_1", "sub_1"),
        ({"subscription": "sub_2"}, "sub_1", ""),
        ({"action": Action.REFUND}, "sub_1", ""),
        ({}, "", ""),
        ({}, None, ""),
    ],
)
def test_what_was_cancelled_for_an_invoice_of_that_subscription_is_told(ada, write, of, ended):
    for name, subscription in (("in_0", "sub_1"), ("in_1", "sub_1"), ("in_2", "sub_2")):
        paid_for(ada, name, subscription)
    if write is not None:
        cancelled(ada, **write)
    link = None if of is None else InvoicePayment(invoice_id="in_1", subscription_id=of)
    assert undone._ended_for(failed(ada), link) == ended


@pytest.mark.parametrize(
    ("reason", "told"), [("lost_or_stolen_card", "(lost_or_stolen_card)"), ("", "(no reason given)")]
)
@pytest.mark.parametrize("is_ended", [True, False])
def test_staff_and_host_are_told_what_is_left_to_do_and_it_is_kept(
    ada, reason, told, is_ended, django_capture_on_commit_callbacks
):
    ben = Customer.objects.create(pk="cus_ben")
    bystander = Refund.objects.create(
        pk="re_ben", customer=ben, amount=5, currency="usd", status="succeeded", created_at=timezone.now()
    )
    paid_for(ada, "in_1", "sub_1")
    if is_ended:
        cancelled(ada)
    heard = []

    def receiver(subscription, refund, **kwargs):
        heard.append((subscription, refund.pk, refund.ended_subscription))

    signals.refund_failed.connect(receiver)
    row = Subscription(customer=ada, stripe_id="sub_1")
    refund = failed(ada, failure_reason=reason)
    with django_capture_on_commit_callbacks(execute=True):
        undone.announce_failure(row, refund, InvoicePayment(invoice_id="in_1", subscription_id="sub_1"))
    signals.refund_failed.disconnect(receiver)
    ended = "sub_1" if is_ended else ""
    refund.refresh_from_db()
    bystander.refresh_from_db()
    assert (heard, refund.ended_subscription, bystander.ended_subscription) == ([(row, "re_1", ended)], ended, "")
    alert = Alert.objects.get()
    assert (alert.cause, "re_1" in alert.subject, told in alert.text) == ("refund_failed", True, True)
    assert ("subscription sub_1 was cancelled" in alert.text, "return the money another way" in alert.text.lower()) == (
        is_ended, True)  # fmt: skip
