"""dj-stripe's calls are ours; the SDK's module-wide state, and the calls of a host project, are the host's."""

import asyncio

import pytest
import stripe
from django.core.management import call_command
from djstripe import models as djstripe

from billing import stripe_client
from billing.conf import conf
from billing.stripe_client import StripeUnavailable, circuit
from billing.testing import using_sandbox

pytestmark = pytest.mark.django_db

AS_IMPORTED = {
    "api_base": stripe.DEFAULT_API_BASE,
    "api_key": None,
    "api_version": stripe._api_version._ApiVersion.CURRENT,
    "default_http_client": None,
    "enable_telemetry": True,
    "max_network_retries": 2,
}


@pytest.fixture
def a_host_of_its_own(world, monkeypatch):
    """A host's own Stripe code, with a version and a base address of its own; here the sandbox's."""
    monkeypatch.setattr(stripe, "api_key", conf.api_key)
    monkeypatch.setattr(stripe, "api_base", conf.api_base)
    monkeypatch.setattr(stripe, "max_network_retries", 0)
    monkeypatch.setattr(stripe, "default_http_client", None)
    return world


def test_the_module_wide_state_of_the_sdk_is_as_it_was_imported(world):
    world.subscribed()
    assert {name: getattr(stripe, name) for name in AS_IMPORTED} == AS_IMPORTED


def test_dj_stripes_reads_and_writes_leave_by_our_client(world):
    with stripe_client.counted() as calls:
        made = djstripe.Customer._api_create(api_key=conf.api_key, email="ada@example.com")
        listed = list(djstripe.Customer.api_list(api_key=conf.api_key))
        row = djstripe.Customer.sync_from_stripe_data(listed[0], api_key=conf.api_key)
        assert row.api_retrieve().id == made.id
        row._api_update(name="Ada")
        row._api_delete()
    assert calls.made >= 5
    assert stripe.default_http_client is None


def test_dj_stripes_objects_are_the_sdks_and_act_by_our_client(world):
    made = djstripe.Customer._api_create(api_key=conf.api_key, email="ada@example.com")
    assert type(made) is stripe.Customer
    assert isinstance(made, djstripe.Customer.stripe_class)
    with stripe_client.counted() as calls:
        made.refresh()
        made.delete()
    assert calls.made == 2


def test_dj_stripes_command_reads_from_our_stripe(world):
    world.subscribed()
    djstripe.Price.objects.all().delete()
    with stripe_client.counted() as calls:
        call_command("djstripe_sync_models", "Price")
    assert djstripe.Price.objects.exists()
    assert calls.made


def test_a_hosts_calls_are_not_counted_and_do_not_open_our_circuit(a_host_of_its_own):
    a_host_of_its_own.control("faults", api={"fail_next": 10, "status": 503})
    with stripe_client.counted() as calls:
        for _ in range(10):
            with pytest.raises(stripe.APIError):
                stripe.Customer.list()
    assert calls.made == 0
    assert circuit.lets_through()
    assert stripe_client.get("/v1/customers")["data"] == []


def test_a_hosts_asynchronous_calls_are_the_sdks_own(a_host_of_its_own):
    """Without billing they fail in the same way here, where no asynchronous library is installed."""
    stripe.api_base = "http://127.0.0.1:9"  # nobody listens there
    with pytest.raises((ImportError, stripe.StripeError)) as failed:
        asyncio.run(stripe.Customer.list_async())
    assert not isinstance(failed.value, StripeUnavailable)


def test_what_we_raise_is_caught_by_who_catches_the_sdks_errors(world):
    world.control("faults", api={"fail_next": 100, "status": 503})
    for _ in range(8):
        with pytest.raises(stripe.StripeError) as failed:
            stripe_client.get("/v1/customers")
    assert isinstance(failed.value, StripeUnavailable)
    assert "does not answer" in str(failed.value)


def test_the_test_kit_leads_nobody_elses_calls_to_its_sandbox():
    with using_sandbox():
        assert stripe.api_base == stripe.DEFAULT_API_BASE
