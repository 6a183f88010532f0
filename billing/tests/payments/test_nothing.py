"""Money that buys nothing is put before staff, and is not asked for."""

import pytest
from django.core.management import call_command

from billing import testing
from billing.lifecycle import overview
from billing.models import Alert, Invoice, Payment, SyncRun
from billing.payments import nothing
from billing.setup.doctor import here
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


def said_to_staff():
    """What the sync's report says of money, with a doctor who says as much."""
    call_command("sync_stripe", verbosity=0)
    notes = [note for note in SyncRun.objects.latest("started_at").notes if "customer's page" in note]
    assert bool(notes) == bool(list(here.money()))
    return notes


def fails_for_good(world, after):
    """A subscriber whose renewal is declined until Stripe gives up."""
    world.control("settings", after_last_retry=after)
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    return ada


def test_the_open_invoice_of_an_ended_subscription_is_void_and_not_offered(world):
    ada = fails_for_good(world, "cancel")
    (owed,) = overview.overview_of(ada.user).owed
    world.advance(days=30)
    world.deliver()
    assert ada.row.status == "canceled"
    assert overview.overview_of(ada.user).owed == []
    assert world.stripe("GET", f"invoices/{owed.invoice}")["status"] == "void"
    world.deliver()
    assert Invoice.objects.get(pk=owed.invoice).status == "void"


def test_an_invoice_paid_after_its_subscription_ended_is_no_thank_you_and_is_put_before_staff(world):
    ada = fails_for_good(world, "cancel")
    invoice = world.open_invoice(ada)
    world.advance(days=30)
    world.control(f"invoices/{invoice}/pay", payment_method="pm_card_visa")
    world.heard.clear()
    world.deliver()
    payment = Payment.objects.get(invoice_id=invoice)
    assert (payment.bought_nothing, payment.amount, ada.access.has_access) == (True, 2000, False)
    assert "payment_succeeded" not in world.said(ada)
    assert "payment_bought_nothing" in world.said(ada)
    assert invoice in Alert.objects.get(pk="payment_bought_nothing").text
    assert [invoice in sentence for sentence in said_to_staff()] == [True]
    nothing.owe_refund(customer_row(ada), payment)
    assert not nothing.waiting().exists()
    assert said_to_staff() == []
    testing.work()
    assert world.stripe("GET", "refunds")["data"][0]["amount"] == 2000


def test_the_old_invoice_of_an_unpaid_subscription_is_not_offered_and_its_payment_buys_nothing(world):
    ada = fails_for_good(world, "unpaid")
    invoice = world.open_invoice(ada)
    world.advance(days=35)
    world.deliver()
    assert (ada.row.status, ada.row.latest_invoice == invoice) == ("unpaid", False)
    assert overview.overview_of(ada.user).owed == []
    assert world.stripe("GET", f"invoices/{invoice}")["status"] == "open", "voiding it might make it active for nothing"
    world.control(f"invoices/{invoice}/pay", payment_method="pm_card_visa")
    world.deliver()
    assert Payment.objects.get(invoice_id=invoice).bought_nothing


def test_what_was_paid_before_the_end_bought_something_whenever_its_events_arrive(world):
    ada = world.subscribe()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert not Payment.objects.get().bought_nothing
    assert not Alert.objects.filter(pk="payment_bought_nothing").exists()


def test_who_pays_while_held_is_named_to_staff(world):
    ada = world.subscribed()
    world.dispute(ada)
    world.deliver()
    assert ada.access.reason == "hold_dispute"
    world.advance(days=32)
    world.deliver()
    assert ada.customer in Alert.objects.get(pk="paid_while_held").text
