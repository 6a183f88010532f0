"""Payments that take days: on their way, refused late, and tried anew."""

from datetime import timedelta

import pytest

from billing.lifecycle import checkout, overview
from billing.models import Invoice, PaymentFailure, Subscription
from billing.pages import wording

pytestmark = pytest.mark.django_db(transaction=True)

PAYS, REFUSES = "pm_usBankAccount_success", "pm_usBankAccount_insufficientFunds"


def intent_of(world, who):
    found = world.stripe("GET", "payment_intents", customer=who.customer)["data"]
    return next(intent["id"] for intent in found if intent["status"] == "processing")


def headlines(who):
    return [banner.headline for banner in wording.banners(overview.overview_of(who.user))]


def bought_by_debit(world, card):
    world.control("settings", debit_days=4)
    ada = world.subscribe(card=card)
    world.deliver()
    return ada


def test_a_first_debit_is_on_its_way_and_not_a_failure(world):
    ada = bought_by_debit(world, PAYS)
    row = Invoice.objects.get()
    assert (ada.row.status, row.payment, ada.access.has_access) == ("incomplete", "processing", False)
    assert headlines(ada) == ["Your payment of $20.00 is on its way"]
    assert "payment_processing" in world.said(ada)
    assert "payment_failed" not in world.said(ada)
    with pytest.raises(checkout.AlreadySubscribed, match="on its way"):
        checkout.start(ada.user, "pro", "month")
    world.advance(days=5)
    world.deliver()
    assert (ada.access.reason, Invoice.objects.get().payment) == ("active", "paid")


def test_a_first_debit_refused_days_later_is_told_and_can_be_tried_anew_and_only_once_paid(world):
    ada = bought_by_debit(world, REFUSES)
    world.advance(days=4, hours=1)
    world.deliver()
    assert Invoice.objects.get().payment == "failed"
    assert "payment_failed" in world.said(ada)
    assert headlines(ada) == ["Your last payment did not go through"]
    first = Invoice.objects.get().pk
    again = world.subscribe(user=ada.user)
    world.deliver()
    world.deliver()
    assert (again.access.reason, again.row.stripe_id) == ("active", again.subscription)
    assert world.stripe("GET", f"invoices/{first}")["status"] == "void"
    assert [owed.invoice for owed in overview.overview_of(ada.user).owed] == []


def test_grace_of_a_debit_counts_from_its_refusal_and_is_longer(world):
    world.control("settings", debit_days=6)
    ada = world.subscribed()
    world.change_card(ada, REFUSES)
    world.advance(days=31, hours=2)
    world.deliver()
    assert (ada.access.reason, Invoice.objects.get(pk=ada.row.latest_invoice).payment) == ("active", "processing")
    assert headlines(ada) == ["Your payment of $20.00 is on its way"]
    world.advance(days=6)
    world.deliver()
    failure = PaymentFailure.objects.get()
    assert (ada.row.status, ada.access.reason, failure.is_late) == ("past_due", "grace", True)
    assert ada.row.past_due_since == failure.failed_at
    assert ada.access.grace_ends_at == failure.failed_at + timedelta(days=14)


def test_the_payment_method_is_shown_as_what_it_is(world, client):
    ada = world.subscribed()
    world.change_card(ada, PAYS)
    world.deliver()
    assert ada.row.paid_with == "Bank account ending 6789"
    client.force_login(ada.user)
    assert "Bank account ending 6789" in client.get("/billing/").content.decode()


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (("sepa_debit", "", "3000"), "SEPA debit ending 3000"),
        (("card", "american_express", "0005"), "American Express ending 0005"),
        (("", "visa", "4242"), "Visa ending 4242"),
        (("bacs_debit", "", "2345"), "Bacs debit ending 2345"),
        (("link", "", ""), "Link"),
        (("", "", ""), ""),
    ],
)
def test_each_method_has_its_words(method, words):
    kind, brand, last4 = method
    assert Subscription(payment_method_type=kind, card_brand=brand, card_last4=last4).paid_with == words


@pytest.mark.parametrize(
    ("before", "fails", "days"), [("pm_card_visa", REFUSES, 14), (PAYS, "pm_card_chargeCustomerFail", 3)]
)
def test_grace_is_that_of_what_failed_though_the_change_to_it_was_not_heard_of(world, before, fails, days):
    world.control("settings", debit_days=1)
    ada = world.subscribe(card=before)
    world.advance(days=2)
    world.deliver()
    assert ada.access.reason == "active"
    world.change_card(ada, fails)
    world.advance(days=31)
    world.deliver()
    failure = PaymentFailure.objects.get()
    assert ada.access.grace_ends_at == failure.failed_at + timedelta(days=days)
