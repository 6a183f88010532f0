"""No copy of Stripe's objects keeps the person whose account was deleted, and every copy keeps ids and money."""

import json

import pytest
from django.apps import apps
from django.utils import timezone
from djstripe.models import Invoice

from billing import testing
from billing.events import sweep
from billing.lifecycle import deletion
from billing.lifecycle.deletion import copies
from billing.models import AccountDeletion, StripeEvent
from billing.tests.lifecycle.test_deletion import leave

pytestmark = pytest.mark.django_db(transaction=True)


# Copies of what Stripe told us


NORA = {"name": "Nora Quist", "phone": "+4512345678", "address": {"line1": "Vestergade 1", "country": "DK"}}


def kept_of(word):
    """The tables where something about the person is still to be read."""
    found = set()
    for model in [StripeEvent, *apps.get_app_config("djstripe").get_models()]:
        fields = [field.attname for field in model._meta.concrete_fields]
        if word in json.dumps(list(model.objects.values_list(*fields)), default=str):
            found.add(model.__name__)
    return found


@pytest.fixture
def nora(world):
    """A subscriber of whom Stripe told us name, phone and address, in events and objects."""
    nora = world.subscribed(email="nora@example.com")
    world.stripe("POST", f"customers/{nora.customer}", **NORA)
    method = world.stripe("GET", f"subscriptions/{nora.subscription}")["default_payment_method"]
    world.stripe("POST", f"payment_methods/{method}", billing_details=NORA)
    world.advance(days=32)
    world.deliver()
    return nora


@pytest.mark.postgres
@pytest.mark.parametrize("is_deleted", [True, False])
def test_no_copy_keeps_the_person_and_every_copy_keeps_ids_and_money(world, nora, settings, is_deleted):
    settings.BILLING_DELETE_CUSTOMER = is_deleted
    assert kept_of("nora@example.com") >= {"StripeEvent", "Event", "Customer", "Invoice"}
    assert kept_of("Vestergade") >= {"StripeEvent", "Event", "Customer"}
    paid = StripeEvent.objects.filter(type="invoice.paid").earliest("created")
    assert leave(nora).is_done
    world.deliver()
    sweep.sweep()
    testing.work()
    for word in ("nora@example.com", "Nora Quist", "Vestergade", "12345678"):
        assert kept_of(word) == set()
    invoice = StripeEvent.objects.get(pk=paid.pk).payload["data"]["object"]
    assert (invoice["id"], invoice["amount_paid"], invoice["customer"]) == (paid.object_id, 2000, nora.customer)
    assert invoice["customer_email"] is None
    assert Invoice.objects.get(id=paid.object_id).stripe_data["amount_paid"] == 2000


def test_an_event_that_nobody_listens_to_and_that_comes_when_all_is_done_is_redacted_by_the_sweep(world, nora):
    leave(nora)
    world.deliver()
    charge = {"id": "ch_late", "object": "charge", "customer": nora.customer}
    late = testing.event("charge.pending", {**charge, "billing_details": {"email": "nora@example.com"}})
    assert testing.deliver(late).json() == {"status": "ignored"}
    assert kept_of("nora@example.com") == {"StripeEvent"}
    sweep.sweep()
    testing.work()
    assert kept_of("nora@example.com") == set()
    assert StripeEvent.objects.get(pk=late["id"]).payload["data"]["object"]["id"] == "ch_late"
    assert not AccountDeletion.objects.owed(timezone.now()).exists()


def test_a_crash_among_the_events_is_gone_on_from(world, nora, monkeypatch):
    monkeypatch.setattr(copies, "PORTION", 3)
    redact, portions = copies._redact_portion, []

    def die_in_the_third(customer):
        portions.append(customer)
        if len(portions) == 3:
            raise SystemExit
        return redact(customer)

    monkeypatch.setattr(copies, "_redact_portion", die_in_the_third)
    deletion.begin(nora.user)
    with pytest.raises(SystemExit):
        testing.work()
    assert StripeEvent.objects.filter(payload__redacted=True).count() == 6
    assert StripeEvent.objects.unredacted().exists()
    monkeypatch.setattr(copies, "_redact_portion", redact)
    sweep.sweep()
    testing.work()
    assert not StripeEvent.objects.unredacted().filter(lane=nora.customer).exists()


def test_the_events_of_others_stay_as_they_came(world, nora):
    world.subscribed(email="ben@example.com")
    leave(nora)
    assert "StripeEvent" in kept_of("ben@example.com")
    assert set(StripeEvent.objects.filter(payload__redacted=True).values_list("lane", flat=True)) == {nora.customer}
