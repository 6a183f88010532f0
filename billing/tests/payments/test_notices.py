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
