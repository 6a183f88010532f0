"""Staff alone are told of these events, by one alert without a name, and nothing changes."""

import pytest

from billing import testing
from billing.models import Alert, Hold, StripeEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def told(cause):
    return Alert.objects.filter(cause=cause).first()


def test_an_early_fraud_warning_is_told_once_and_holds_nothing(world):
    ada = world.subscribed()
    charge = world.charge_of(ada)["id"]
    world.control("fraud_warnings", charge=charge)
    world.deliver(world.events() * 2)
    alert = told("fraud_warning")
    assert alert.waiting == 1
    assert charge in alert.text
    assert "ada" not in alert.text
    assert ada.access.has_access
    assert not Hold.objects.exists()
    assert StripeEvent.objects.get(type="radar.early_fraud_warning.created").lane == ada.customer


def test_a_warning_that_asks_for_nothing_more_is_not_told(world):
    ada = world.subscribed()
    warning = world.control("fraud_warnings", charge=world.charge_of(ada)["id"])
    world.deliver([testing.event("radar.early_fraud_warning.created", {**warning, "actionable": False})])
    assert told("fraud_warning") is None


def test_an_invoice_that_cannot_be_finalized_is_told_by_its_code(world):
    ada = world.subscribed()
    invoice = world.stripe("GET", f"invoices/{ada.last_payment.invoice_id}")
    error = {"code": "customer_tax_location_invalid", "type": "invalid_request_error", "message": "of ada@example.com"}
    world.deliver([testing.event("invoice.finalization_failed", {**invoice, "last_finalization_error": error})])
    text = told("invoice_not_finalized").text
    assert invoice["id"] in text
    assert "customer_tax_location_invalid" in text
    assert "ada@" not in text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": "tax", "type": "invalid"}, "tax."),
        ({"code": None, "type": "invalid"}, "invalid."),
        ({}, "Stripe gives no reason."),
        (None, "Stripe gives no reason."),
    ],
)
def test_an_invoice_that_cannot_be_finalized_is_told_with_what_stripe_says_of_it(world, error, reason):
    ada = world.subscribed()
    invoice = world.stripe("GET", f"invoices/{ada.last_payment.invoice_id}")
    world.deliver([testing.event("invoice.finalization_failed", {**invoice, "last_finalization_error": error})])
    alert = told("invoice_not_finalized")
    assert alert.subject == f"Invoice {invoice['id']} could not be finalized"
    assert f"of the customer {ada.customer}: {reason}\n" in alert.text


@pytest.mark.parametrize(("event_type", "kind"), [
    ("radar.early_fraud_warning.created", "fraud_warning"), ("invoice.finalization_failed", "invoice_not_finalized"),
])  # fmt: skip
def test_what_names_anothers_charge_or_invoice_alerts_nobody(world, event_type, kind):
    ada, eve = world.subscribed(), world.subscribed(email="eve@example.com")
    obj = {"id": ada.last_payment.invoice_id, "object": "invoice", "charge": world.charge_of(ada)["id"]}
    world.deliver([testing.event(event_type, {**obj, "actionable": True, "customer": eve.customer})], work=False)
    testing.work()
    assert told(kind) is None
    assert StripeEvent.objects.get(type=event_type).status == "failed"


def quoted(world, customer, price, **effective):
    terms = {"collection_method": "send_invoice", "invoice_settings": {"days_until_due": 30}}
    quote = world.stripe("POST", "quotes", customer=customer, line_items=[price], **terms, **effective)["id"]
    world.stripe("POST", f"quotes/{quote}/finalize")
    return world.stripe("POST", f"quotes/{quote}/accept")


def test_a_quote_that_is_accepted_starts_a_subscription_of_ours_and_staff_are_told_so(world):
    customer = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{customer.subscription}")
    price = world.stripe("GET", "prices", lookup_keys=["team_month"])["data"][0]["id"]
    quote = quoted(world, customer.customer, {"price": price})
    world.deliver(scramble=True)
    alert = told(f"quote_accepted:{quote['id']}")
    assert f"began the subscription {quote['subscription']} to the plan Team" in alert.text
    assert (customer.access.plan.slug, customer.access.reason) == ("team", "active")


def test_a_quote_at_a_price_of_its_own_says_what_is_left_to_do(world):
    customer = world.subscribed()
    price = world.stripe("GET", "prices", lookup_keys=["team_month"])["data"][0]
    data = {"currency": "usd", "product": price["product"], "unit_amount": 5000, "recurring": {"interval": "month"}}
    quote = quoted(world, customer.customer, {"price_data": data})
    world.deliver()
    alert = told(f"quote_accepted:{quote['id']}")
    assert "belongs to no plan" in alert.text
    assert "ada" not in alert.text


def test_a_quote_that_begins_later_says_so_and_a_one_off_says_nothing(world):
    ada = world.subscribed()
    price = world.stripe("GET", "prices", lookup_keys=["team_month"])["data"][0]
    begins = price["created"] + 40 * 86_400
    later = quoted(world, ada.customer, {"price": price["id"]}, subscription_data={"effective_date": begins})
    data = {"currency": "usd", "product": price["product"], "unit_amount": 5000}
    once = quoted(world, ada.customer, {"price_data": data})
    world.deliver()
    assert later["subscription_schedule"] in told(f"quote_accepted:{later['id']}").text
    assert told(f"quote_accepted:{once['id']}") is None
