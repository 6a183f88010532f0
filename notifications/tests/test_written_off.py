"""Access that comes back because an invoice was voided, written off or credited is told by mail: no receipt says so."""

import pytest
from django.contrib.auth import get_user_model

from billing import access
from billing.events import sweep
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shut_out(billing_stripe):
    """Ada, whose renewal was declined until her grace was over."""
    user = get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")
    ada = billing_stripe.subscribe(user, "pro")
    billing_stripe.change_card(ada, "pm_card_chargeCustomerFail")
    billing_stripe.control("settings", after_last_retry="past_due")
    billing_stripe.deliver()
    billing_stripe.advance(days=45)
    billing_stripe.deliver()
    sweep.sweep()
    assert access.of(user).reason == "grace_over"
    Mail.objects.all().delete()
    return ada


def told(ada):
    assert access.has_access(ada.subscriber)
    mail = Mail.objects.get(kind=Mail.Kind.ACCESS_RESTORED)
    return mail.status, mail.error


@pytest.mark.parametrize("how", ["void", "mark_uncollectible"])
def test_an_invoice_that_is_closed_without_a_payment(billing_stripe, shut_out, how):
    billing_stripe.api("POST", f"invoices/{billing_stripe.open_invoice(shut_out)}/{how}")
    billing_stripe.deliver()
    assert told(shut_out)[0] != Mail.Status.SKIPPED


def test_one_that_a_credit_note_settles(billing_stripe, shut_out):
    open_invoice = billing_stripe.open_invoice(shut_out)
    billing_stripe.api("POST", "credit_notes", invoice=open_invoice, amount=2000)
    billing_stripe.deliver(scramble=True)
    assert told(shut_out)[0] != Mail.Status.SKIPPED


def test_one_that_a_credit_note_settles_in_part_is_told_by_the_receipt_of_the_rest(billing_stripe, shut_out):
    open_invoice = billing_stripe.open_invoice(shut_out)
    billing_stripe.api("POST", "credit_notes", invoice=open_invoice, amount=500)
    billing_stripe.change_card(shut_out, "pm_card_visa")
    billing_stripe.pay(shut_out)
    billing_stripe.deliver()
    assert told(shut_out)[0] == Mail.Status.SKIPPED
    recovered = Mail.objects.get(kind=Mail.Kind.PAYMENT_RECOVERED)
    assert recovered.status != Mail.Status.SKIPPED
    assert recovered.context["amount"] == 1500


def test_one_that_is_paid_elsewhere_is_told_by_the_receipt_alone(billing_stripe, shut_out):
    billing_stripe.api("POST", f"invoices/{billing_stripe.open_invoice(shut_out)}/pay", paid_out_of_band=True)
    billing_stripe.deliver()
    assert told(shut_out)[0] == Mail.Status.SKIPPED
    assert Mail.objects.get(kind=Mail.Kind.PAYMENT_RECOVERED).status != Mail.Status.SKIPPED


def test_one_that_is_paid_is_told_by_the_receipt_alone(billing_stripe, shut_out):
    billing_stripe.change_card(shut_out, "pm_card_visa")
    billing_stripe.pay(shut_out)
    billing_stripe.deliver()
    assert told(shut_out)[0] == Mail.Status.SKIPPED
    assert Mail.objects.filter(kind=Mail.Kind.PAYMENT_RECOVERED).exclude(status=Mail.Status.SKIPPED).exists()


def test_one_that_is_written_off_out_of_order_is_told_too(billing_stripe, shut_out):
    billing_stripe.api("POST", f"invoices/{billing_stripe.open_invoice(shut_out)}/void")
    billing_stripe.deliver(scramble=True)
    assert told(shut_out)[0] != Mail.Status.SKIPPED
