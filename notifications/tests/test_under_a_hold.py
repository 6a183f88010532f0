"""No mail says that all is in order under a hold, be it placed before the mail was written or after."""

import pytest
from django.contrib.auth import get_user_model

from billing.models import Customer, Hold
from billing.subscriptions import holds, next_charges
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


# A hold of staff, or of a fraud warning, is told


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Hold.Kind.STAFF, "Our team has placed the hold."),
        (Hold.Kind.FRAUD, "The card's bank warned us about a payment."),
    ],
)
def test_it_is_told_with_the_day_of_the_renewal_and_how_to_stop_it(billing_stripe, ada, kind, words):
    billing_stripe.deliver()
    hold(ada, kind)
    said = text(the(Kind.ACCESS_ON_HOLD))
    assert "Your access to Pro has been on hold since" in said
    assert words in said
    assert "goes on and renews on" in said
    assert "cancel it on your account page" in said
    assert outbox.deliver(the(Kind.ACCESS_ON_HOLD).pk) == "sent"


def test_it_is_told_before_the_amount_of_the_renewal_is_known(billing_stripe, ada):
    billing_stripe.deliver()
    next_charges.ask_again_of(Customer.objects.get(pk=ada.customer))
    hold(ada)
    assert "goes on and renews on" in text(the(Kind.ACCESS_ON_HOLD))


def test_a_subscription_that_ends_is_not_said_to_renew(billing_stripe, ada):
    billing_stripe.api("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    billing_stripe.deliver()
    hold(ada)
    assert "renews" not in text(the(Kind.ACCESS_ON_HOLD))


def test_a_hold_that_is_released_before_its_mail_goes_out_is_not_told(billing_stripe, ada):
    billing_stripe.deliver()
    hold(ada)
    release(ada)
    mail = the(Kind.ACCESS_ON_HOLD)
    assert (outbox.deliver(mail.pk), the(Kind.ACCESS_ON_HOLD).error) == ("skipped", reasons.NOT_HELD)


def test_a_hold_placed_once_more_is_told_once_more_and_a_second_reason_is_not(billing_stripe, ada):
    billing_stripe.deliver()
    hold(ada)
    hold(ada, Hold.Kind.FRAUD)
    assert Mail.objects.filter(kind=Kind.ACCESS_ON_HOLD).count() == 1
    release(ada)
    release(ada, Hold.Kind.FRAUD)
    billing_stripe.advance(hours=1)
    hold(ada, Hold.Kind.FRAUD)
    assert Mail.objects.filter(kind=Kind.ACCESS_ON_HOLD).count() == 2


def test_a_dispute_is_told_by_its_own_mail_alone(billing_stripe, ada):
    billing_stripe.deliver()
    billing_stripe.dispute(ada)
    billing_stripe.deliver()
    assert not Mail.objects.filter(kind=Kind.ACCESS_ON_HOLD).exists()
    assert the(Kind.DISPUTE_OPENED).status == "queued"
