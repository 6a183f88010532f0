"""A guest who paid for a pack is told once how to get it, in their language, and nothing of accounts."""

import uuid

import pytest

from billing.lifecycle import guests
from billing.models import Purchase
from billing.setup import publishing_packs
from notifications import outbox, rendering
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)
GINA = "gina@example.com"


@pytest.fixture
def shop(billing_stripe, settings):
    settings.BILLING_GUESTS_BUY_PACKS = True
    settings.BILLING_EMAIL_IS_CONFIRMED = "billing.confirmed.elsewhere"
    publishing_packs.publish()
    return billing_stripe


def paid(shop, locale=""):
    purchase = guests.start(GINA, "credits_1000", str(uuid.uuid4()), locale=locale)
    shop.control(f"checkout/{purchase.session_id}/complete")
    shop.deliver()
    return Purchase.objects.get(pk=purchase.pk)


def waiting():
    return Mail.objects.get(kind=Mail.Kind.PACK_WAITING)


def said(mail):
    return " ".join(rendering.render(mail).text.split())


def test_a_guest_is_told_once_what_was_paid_and_how_it_is_theirs(shop):
    purchase = paid(shop)
    guests.purchases.refresh(purchase)
    mail = waiting()
    assert (mail.recipient, mail.status) == (GINA, Mail.Status.QUEUED)
    assert "We have received $15.00." in said(mail)
    assert f"sign up or log in with the address {GINA}" in said(mail)
    assert "/billing/pay/" in said(mail)
    assert GINA not in str(mail.context)
    assert "because of your purchase" in said(mail)
    assert "subscription" not in said(mail)
    assert not Mail.objects.filter(kind=Mail.Kind.PACK_DELIVERED).exists()


@pytest.mark.parametrize(("locale", "words"), [("de", "wartet"), ("fr", "vous attend"), ("ja", "waits for you")])
def test_it_is_written_in_the_language_of_their_checkout(shop, locale, words):
    paid(shop, locale)
    assert words in rendering.render(waiting()).subject


def test_once_it_is_somebodys_the_mail_that_waited_is_not_sent(shop, django_user_model):
    purchase = paid(shop)
    guests.give_to(purchase, django_user_model.objects.create_user(GINA, "correct-horse-battery"))
    assert outbox.deliver(str(waiting().pk)) == Mail.Status.SKIPPED


def test_once_all_the_money_went_back_it_is_not_sent(shop):
    purchase = paid(shop)
    charge = shop.api("GET", f"payment_intents/{purchase.payment_intent}")["latest_charge"]
    shop.api("POST", "refunds", charge=charge)
    shop.deliver()
    assert outbox.deliver(str(waiting().pk)) == Mail.Status.SKIPPED
