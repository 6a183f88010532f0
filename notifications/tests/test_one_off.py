"""What a mail says of a one-off payment is about that payment: its name, and no word about access or the plan."""

from contextlib import suppress

import pytest
from django.contrib.auth import get_user_model

from billing import access
from billing.models import Hold
from billing.stripe_client import StripeRefused
from notifications import rendering
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)

Kind = Mail.Kind
OF_THE_PLAN = ("Pro", "access", "subscription to", "your plan", "on hold")


@pytest.fixture
def ada(billing_stripe):
    user = get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")
    ada = billing_stripe.subscribe(user, "pro")
    billing_stripe.deliver()
    billing_stripe.advance(hours=1)
    Mail.objects.all().delete()
    return ada


def invoiced(stripe, ada):
    """Invoice $500 for onboarding, to be charged at once."""
    stripe.api("POST", "invoiceitems", customer=ada.customer, amount=50000, currency="usd", description="Onboarding")
    made = stripe.api("POST", "invoices", customer=ada.customer, pending_invoice_items_behavior="include")["id"]
    stripe.api("POST", f"invoices/{made}/finalize")
    with suppress(StripeRefused):  # the card may be declined
        stripe.api("POST", f"invoices/{made}/pay")
    stripe.deliver()
    return made


def card_of_the_customer(stripe, ada, card):
    method = stripe.api("POST", f"payment_methods/{card}/attach", customer=ada.customer)["id"]
    stripe.api("POST", f"customers/{ada.customer}", invoice_settings={"default_payment_method": method})


def told(kind):
    """What the mail says now, without what stands below each mail."""
    mail = Mail.objects.get(kind=kind)
    assert mail.status != Mail.Status.SKIPPED, mail.error
    return " ".join(rendering.render(mail).text.partition("\n--\n")[0].split())


def says_nothing_of_the_plan(text):
    return [words for words in OF_THE_PLAN if words in text] == []


@pytest.fixture
def paid(billing_stripe, ada):
    """Ada, who paid her plan's first period and then a one-off invoice."""
    card_of_the_customer(billing_stripe, ada, "pm_card_visa")
    invoiced(billing_stripe, ada)
    return ada


def test_the_receipt_names_what_was_paid_for(billing_stripe, paid):
    text = told(Kind.PAYMENT_RECEIVED)
    assert "For: Onboarding" in text
    assert says_nothing_of_the_plan(text)


def test_a_dispute_of_it_says_nothing_of_access_which_stays(billing_stripe, paid):
    billing_stripe.dispute(paid)
    billing_stripe.deliver()
    text = told(Kind.DISPUTE_OPENED)
    assert "your payment of $500.00 is disputed" in text
    assert "For: Onboarding" in text
    assert says_nothing_of_the_plan(text)
    assert (access.of(paid.subscriber).reason, Hold.objects.count()) == ("active", 0)


@pytest.mark.parametrize("status", ["won", "lost"])
def test_the_end_of_that_dispute_neither_gives_access_back_nor_ends_anything(billing_stripe, paid, status):
    billing_stripe.close_dispute(billing_stripe.dispute(paid), status)
    billing_stripe.deliver()
    text = told(Kind.DISPUTE_CLOSED)
    assert "For: Onboarding" in text
    assert says_nothing_of_the_plan(text)
    assert not Mail.objects.filter(kind=Kind.SUBSCRIPTION_CANCELLED).exists()


def test_a_dispute_of_a_payment_without_an_invoice_names_no_plan(billing_stripe, ada):
    billing_stripe.api(
        "POST", "payment_intents", customer=ada.customer, amount=700, currency="usd", payment_method="pm_card_visa",
        confirm=True,
    )  # fmt: skip
    billing_stripe.dispute(ada)
    billing_stripe.deliver()
    text = told(Kind.DISPUTE_OPENED)
    assert "your payment of $7.00 is disputed" in text
    assert says_nothing_of_the_plan(text)


def test_a_dispute_of_the_plans_payment_says_that_its_access_is_on_hold(billing_stripe, ada):
    billing_stripe.dispute(ada)
    billing_stripe.deliver()
    text = told(Kind.DISPUTE_OPENED)
    assert "Your access to Pro is on hold while the bank reviews this." in text
    assert "Plan: Pro" in text


@pytest.mark.parametrize("amount", [None, 20000], ids=["in full", "in part"])
def test_a_refund_names_what_it_is_for_and_the_subscription_goes_on(billing_stripe, paid, amount):
    billing_stripe.refund(paid, amount)
    billing_stripe.deliver()
    text = told(Kind.REFUND)
    assert "For: Onboarding" in text
    assert says_nothing_of_the_plan(text)
    assert access.of(paid.subscriber).reason == "active"


def test_a_refund_of_it_that_fails_is_named_too(billing_stripe, paid):
    refund = billing_stripe.refund(paid)
    billing_stripe.deliver()
    billing_stripe.control(f"refunds/{refund}/fail")
    billing_stripe.deliver()
    assert "For: Onboarding" in told(Kind.REFUND_FAILED)
    assert says_nothing_of_the_plan(told(Kind.REFUND_FAILED))


def test_its_first_try_that_fails_is_no_last_try_and_no_word_about_the_plan(billing_stripe, ada):
    card_of_the_customer(billing_stripe, ada, "pm_card_chargeCustomerFail")
    invoiced(billing_stripe, ada)
    text = told(Kind.PAYMENT_FAILED)
    assert "We couldn't charge $500.00 for: Onboarding." in text
    assert says_nothing_of_the_plan(text)
    subject = rendering.render(Mail.objects.get(kind=Kind.PAYMENT_FAILED)).subject
    assert subject == "Your payment of $500.00 didn't go through"


def test_paid_after_all_its_receipt_says_nothing_of_the_subscription(billing_stripe, ada):
    card_of_the_customer(billing_stripe, ada, "pm_card_chargeCustomerFail")
    invoice = invoiced(billing_stripe, ada)
    billing_stripe.control(f"invoices/{invoice}/pay", payment_method="pm_card_visa")
    billing_stripe.deliver()
    text = told(Kind.PAYMENT_RECOVERED)
    assert "For: Onboarding" in text
    assert says_nothing_of_the_plan(text)


def test_one_that_the_bank_wants_confirmed_is_named_for_what_it_is(billing_stripe, ada):
    card_of_the_customer(billing_stripe, ada, "pm_card_authenticationRequired")
    invoiced(billing_stripe, ada)
    text = told(Kind.ACTION_REQUIRED)
    assert "confirm the payment of $500.00 for: Onboarding." in text
    assert says_nothing_of_the_plan(text)
