"""The mail about an end says that nothing more is charged only where that is so when it is sent."""

import pytest
from django.contrib.auth import get_user_model

from billing.lifecycle import cancel
from billing.models import Invoice
from notifications import rendering
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = "You won't be charged for it again."


@pytest.fixture
def ada(billing_stripe):
    user = get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")
    ada = billing_stripe.subscribe(user, "pro")
    billing_stripe.deliver()
    return ada


@pytest.fixture
def by_debit(billing_stripe, ada):
    """Ada, whose renewal her bank is paying."""
    billing_stripe.control("settings", debit_days=4)
    billing_stripe.change_card(ada, "pm_usBankAccount_success")
    billing_stripe.advance(days=31, hours=3)
    billing_stripe.deliver()
    assert Invoice.objects.get(payment="processing").amount_remaining == 2000
    return ada


def told():
    """What the mail about the end says now."""
    return " ".join(rendering.render(Mail.objects.get(kind="subscription_cancelled")).text.split())


def test_an_end_while_a_bank_pays_says_that_this_payment_still_comes(billing_stripe, by_debit):
    cancel.cancel(by_debit.subscriber, "now")
    billing_stripe.deliver()
    assert "Your bank is already paying $20.00 for it, and that payment can't be stopped. Nothing else" in told()
    assert NOTHING not in told()


def test_a_scheduled_end_while_a_bank_pays_says_so_too(billing_stripe, by_debit):
    cancel.cancel(by_debit.subscriber, "period_end")
    billing_stripe.deliver()
    assert "Your bank is already paying $20.00" in told()
    billing_stripe.advance(days=5)
    billing_stripe.deliver()
    assert NOTHING in told(), "as it is when the mail is sent"


def test_the_end_of_a_refused_renewal_says_nothing_more_since_its_invoice_is_voided(billing_stripe, ada):
    billing_stripe.change_card(ada, "pm_card_chargeCustomerFail")
    billing_stripe.advance(days=31, hours=3)
    billing_stripe.deliver()
    cancel.cancel(ada.subscriber, "period_end")
    billing_stripe.deliver()
    assert NOTHING in told()


def test_an_end_beside_an_invoice_to_be_paid_by_its_date_says_so(billing_stripe, ada):
    billing_stripe.api("POST", f"subscriptions/{ada.subscription}", collection_method="send_invoice", days_until_due=14)
    billing_stripe.advance(days=31, hours=3)
    billing_stripe.deliver()
    billing_stripe.api("DELETE", f"subscriptions/{ada.subscription}")
    billing_stripe.deliver()
    assert "An amount of $20.00 for it is still to be paid. Nothing else will be charged for it." in told()
