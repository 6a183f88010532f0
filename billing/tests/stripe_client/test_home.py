"""A database that was set up with a live key, and copied to another site, calls no live account and mails nobody."""

import os
import subprocess
import sys

import pytest
from django.test import override_settings

from billing import access, stripe_client
from billing.events import worker
from billing.models import Alert, Customer, Home, StripeEvent
from billing.monitoring import watch
from billing.setup import doctor
from billing.stripe_client import StripeUnavailable, home
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)

LIVE = {"STRIPE_LIVE_MODE": True, "SITE_URL": "https://billing.example.com"}
COPY = {"STRIPE_LIVE_MODE": True, "SITE_URL": "https://staging.example.com"}


def set_up(database, site, *options):
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{database}",
        "STRIPE_LIVE_MODE": "true",
        "STRIPE_SECRET_KEY": f"sk_live_{'A' * 24}",
        "SITE_URL": site,
    }
    command = [sys.executable, "manage.py", "setup", "--skip-checks", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def sold(world):
    """A subscriber bought; afterwards the key became a live one, and `setup` ran with it."""
    ada = world.subscribed()
    with override_settings(**LIVE):
        home.settle(has_moved=False)
    return ada


@pytest.fixture
def copied(sold):
    home.reset()
    with override_settings(**COPY):
        yield sold
    home.reset()


def test_a_site_with_a_live_key_writes_down_whose_database_it_is(sold):
    assert Home.objects.get().host == "billing.example.com"


def test_at_home_stripe_is_asked_as_ever(sold):
    with override_settings(**LIVE):
        assert home.why_away() == ""
        assert stripe_client.fetch.customer(customer_row(sold).pk)["object"] == "customer"


@pytest.mark.parametrize(
    "here",
    [
        {"STRIPE_LIVE_MODE": False, "SITE_URL": "https://billing.example.com"},
        {"STRIPE_LIVE_MODE": True, "SITE_URL": "http://127.0.0.1:8000"},
    ],
    ids=["test key", "loopback"],
)
def test_a_site_that_sells_to_nobody_is_no_home(db, here):
    with override_settings(**here):
        home.settle(has_moved=False)
    assert not Home.objects.exists()


def test_a_copy_with_a_test_key_is_left_to_the_check_of_accounts(sold):
    with override_settings(**COPY | {"STRIPE_LIVE_MODE": False}):
        assert home.why_away() == ""


@pytest.mark.parametrize("site", ["https://staging.example.com", "http://localhost:8000", "https://shop.example.org/x"])
def test_a_copy_elsewhere_asks_stripe_nothing(sold, site):
    home.reset()
    with override_settings(**COPY | {"SITE_URL": site}):
        with pytest.raises(StripeUnavailable, match=r"belongs to billing\.example\.com"):
            stripe_client.fetch.customer(customer_row(sold).pk)
        with pytest.raises(StripeUnavailable, match="setup --moved"):
            stripe_client.post("/v1/customers", idempotency_key="one", email="eve@example.com")


def test_the_same_host_by_another_scheme_or_port_is_the_same_home(sold):
    home.reset()
    with override_settings(**LIVE | {"SITE_URL": "http://BILLING.example.com:8443"}):
        assert home.why_away() == ""


def test_an_event_waits_at_a_copy_and_access_stays_as_it_was(world, copied):
    customer = customer_row(copied).pk
    with override_settings(STRIPE_LIVE_MODE=False):
        world.api("DELETE", f"subscriptions/{copied.subscription}")
        world.deliver(world.events("customer.subscription.deleted"), work=False)
    Customer.objects.update(livemode=True)
    for _ in range(20):
        worker.drain(customer)
    [event] = StripeEvent.objects.filter(type="customer.subscription.deleted")
    assert (event.status, event.attempts) == (StripeEvent.Status.RECEIVED, 0)
    assert access.has_access(copied.user)


def test_the_doctor_readiness_and_an_alert_say_so(client, copied):
    [finding] = [found for found in doctor.examine() if found.name == "home"]
    assert "belongs to billing.example.com" in finding.text
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "belongs to billing.example.com" in answer.json()["reason"]
    watch.each_minute()
    assert Alert.objects.filter(cause="copied_database").exists()


def test_a_site_that_keeps_its_address_reports_nothing(client, sold):
    with override_settings(**LIVE):
        assert not [found for found in doctor.examine() if found.name == "home"]
        watch.each_minute()
    assert not Alert.objects.filter(cause="copied_database").exists()


def test_a_copy_that_settles_changes_no_home(copied):
    home.settle(has_moved=False)
    assert Home.objects.get().host == "billing.example.com"
    assert home.why_away()


def test_a_site_that_has_moved_is_at_home_and_its_customers_are_untouched(copied):
    before = list(Customer.objects.order_by("pk").values())
    home.settle(has_moved=True)
    assert home.why_away() == ""
    assert Home.objects.get().host == "staging.example.com"
    assert list(Customer.objects.order_by("pk").values()) == before


def test_setup_says_at_a_copy_what_to_do_and_does_it(tmp_path):
    database = tmp_path / "live.sqlite3"
    first = set_up(database, "https://billing.example.com")
    assert first.returncode == 0, first.stderr
    copy = set_up(database, "https://staging.example.com")
    assert copy.returncode == 1
    assert "This database belongs to billing.example.com" in copy.stderr
    assert "Traceback" not in copy.stderr
    moved = set_up(database, "https://staging.example.com", "--moved")
    assert moved.returncode == 0, moved.stderr
