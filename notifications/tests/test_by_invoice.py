"""Mails to a subscriber who pays by invoice speak of invoices, and of no card."""

import pytest
from django.contrib.auth import get_user_model

from billing.lifecycle import agreements
from billing.models import Customer
from billing.payments import due
from billing.subscriptions import reminders
from notifications import rendering
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(billing_stripe):
    user = get_user_model().objects.create_user("acme@example.com", "correct-horse-battery")
    sent = agreements.start(user, key="order:1", plan="team", interval="year", days_until_due=30)
    billing_stripe.deliver()
    return sent


def told(kind, language="en"):
    mail = Mail.objects.get(kind=kind)
    mail.language = language
    return " ".join(rendering.render(mail).text.split())


def test_each_of_the_three_mails_about_the_invoice_is_reserved_once(billing_stripe, acme):
    for days in (28, 4):
        due.hourly()
        billing_stripe.advance(days=days)
        billing_stripe.deliver()
        due.hourly()
    kinds = list(Mail.objects.filter(kind__startswith="invoice_").order_by("created_at").values_list("kind", flat=True))
    assert kinds == ["invoice_sent", "invoice_due_soon", "invoice_overdue"]


def test_a_switch_turns_each_of_them_off(billing_stripe, acme, settings):
    settings.NOTIFICATIONS_OFF = ["invoice_due_soon"]
    billing_stripe.advance(days=28)
    due.hourly()
    assert Mail.objects.get(kind="invoice_due_soon").status == "skipped"


def test_the_renewal_says_that_an_invoice_comes_and_names_no_card_that_is_not_charged(billing_stripe, acme):
    billing_stripe.api("POST", f"invoices/{acme.invoice_id}/pay", paid_out_of_band=True)
    method = billing_stripe.api("POST", "payment_methods/pm_card_visa/attach", customer=acme.customer_id)["id"]
    billing_stripe.api("POST", f"subscriptions/{acme.subscription_id}", default_payment_method=method)
    billing_stripe.deliver()
    billing_stripe.advance(days=345)
    billing_stripe.deliver()
    reminders.hourly()
    assert "We'll send you an invoice that day." in told("renewal_coming")
    assert "4242" not in told("renewal_coming")
    assert "Wir senden Ihnen an diesem Tag eine Rechnung." in told("renewal_coming", "de")
    assert "Nous vous enverrons une facture ce jour-là." in told("renewal_coming", "fr")
    assert Customer.objects.get().subscription.card_last4 == "4242"
