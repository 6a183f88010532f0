"""No mail says that all is in order under a hold, be it placed before the mail was written or after."""

import pytest
from django.contrib.auth import get_user_model

from billing.models import Customer, Hold
from billing.subscriptions import holds
from notifications import outbox, reasons, rendering
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Mail.Kind


@pytest.fixture
def ada(billing_stripe):
    """Somebody who has just paid; nothing of it is delivered yet."""
    user = get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")
    return billing_stripe.subscribe(user, "pro")


def hold(ada, kind="staff", **columns):
    holds.place(Customer.objects.get(pk=ada.customer), kind, "1", **columns)


def release(ada, kind="staff"):
    holds.release(Customer.objects.get(pk=ada.customer), kind, "1")


def the(kind):
    return Mail.objects.get(kind=kind)


def text(mail):
    return " ".join(rendering.render(mail).text.split())


@pytest.mark.parametrize("kind", [Hold.Kind.STAFF, Hold.Kind.FRAUD])
def test_who_is_held_before_the_start_is_not_welcomed(billing_stripe, ada, kind):
    hold(ada, kind)
    billing_stripe.deliver()
    assert (the(Kind.WELCOME).status, the(Kind.WELCOME).error) == ("skipped", reasons.NO_ACCESS)


def test_a_hold_placed_after_the_welcome_was_written_is_asked_about_as_it_is_sent(billing_stripe, ada):
    billing_stripe.deliver()
    welcome = the(Kind.WELCOME)
    assert welcome.status == "queued"
    hold(ada)
    assert (outbox.deliver(welcome.pk), the(Kind.WELCOME).error) == ("skipped", reasons.NO_ACCESS)


def test_a_hold_of_another_subscription_does_not_keep_the_welcome_back(billing_stripe, ada):
    hold(ada, subscription_id="sub_other")
    billing_stripe.deliver()
    assert outbox.deliver(the(Kind.WELCOME).pk) == "sent"


def recovered(billing_stripe, ada):
    billing_stripe.deliver()
    billing_stripe.change_card(ada, "pm_card_chargeCustomerFail")
    billing_stripe.advance(days=32)
    billing_stripe.deliver()
    billing_stripe.pay(ada)
    billing_stripe.deliver()
    return the(Kind.PAYMENT_RECOVERED)


def test_a_payment_that_recovers_promises_no_access_under_a_hold(billing_stripe, ada):
    mail = recovered(billing_stripe, ada)
    assert "continues as before, with full access" in text(mail)
    hold(ada)
    assert "full access" not in text(mail)
    assert "Your access is on hold meanwhile" in text(mail)


def test_a_receipt_written_before_the_hold_says_it_as_it_is_sent(billing_stripe, ada):
    billing_stripe.deliver()
    receipt = the(Kind.PAYMENT_RECEIVED)
    assert "on hold" not in text(receipt)
    hold(ada)
    assert "Your access is on hold meanwhile" in text(receipt)


def test_access_is_not_told_to_be_back_while_a_second_hold_is_on(billing_stripe, ada):
    billing_stripe.deliver()
    Mail.objects.all().delete()
    hold(ada)
    hold(ada, Hold.Kind.FRAUD)
    release(ada)
    assert not Mail.objects.filter(kind=Kind.ACCESS_RESTORED).exists()
    release(ada, Hold.Kind.FRAUD)
    mail = the(Kind.ACCESS_RESTORED)
    hold(ada, Hold.Kind.REFUND)
    assert (outbox.deliver(mail.pk), the(Kind.ACCESS_RESTORED).error) == ("skipped", reasons.NO_ACCESS)
