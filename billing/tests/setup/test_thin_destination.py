"""An event destination of thin events is made at Stripe once, and mended, where use beyond a limit is priced."""

from io import StringIO

import pytest
from django.core.management import call_command

from billing import stripe_client
from billing.models import StripeEvent
from billing.setup.doctor import metering
from billing.tests.usage.metered_plans import metered_plans, shop  # noqa: F401
from billing.usage import meter_errors

pytestmark = pytest.mark.django_db
SITE = "http://127.0.0.2:9"
DOOR = f"{SITE}/api/v1/webhooks/stripe"
PATH = "/v2/core/event_destinations"


@pytest.fixture
def reachable(settings):
    """A site that Stripe could reach, as far as its address tells; nothing listens there."""
    settings.SITE_URL = SITE


def set_up_stripe(*options):
    out = StringIO()
    call_command("setup_stripe", *options, stdout=out)
    return out.getvalue()


def destinations():
    return stripe_client.get(PATH, limit=100, include=["webhook_endpoint.url"])["data"]


def post(path, **params):
    return stripe_client.post(f"{PATH}{path}", idempotency_key=f"test{path}{sorted(params)}", **params)


def said():
    [finding] = metering.meter_errors()
    return finding


def test_the_destination_is_made_once_and_its_secret_told_once(shop, reachable):  # noqa: F811
    assert said().level == "warning"
    first = set_up_stripe("--yes")
    assert "Secret of the event destination, shown only once: whsec_" in first
    [made] = destinations()
    assert (made["event_payload"], set(made["enabled_events"])) == ("thin", meter_errors.TYPES)
    assert made["webhook_endpoint"]["url"] == DOOR
    assert "event destination" not in set_up_stripe("--yes")
    assert destinations() == [made]
    assert (said().level, made["id"] in said().text) == ("ok", True)


def test_one_that_was_disabled_narrowed_or_deleted_is_mended_and_sends_what_it_sent_too(shop, reachable):  # noqa: F811
    set_up_stripe("--yes")
    [made] = destinations()
    other = "v1.billing.meter.no_meter_found"
    post(f"/{made['id']}", enabled_events=[other])
    post(f"/{made['id']}/disable")
    assert f"{made['id']} (disabled)" in said().text
    assert f"enable the event destination {made['id']}" in set_up_stripe("--yes")
    [mended] = destinations()
    assert (mended["status"], set(mended["enabled_events"])) == ("enabled", meter_errors.TYPES)
    delete(made["id"])
    assert "whsec_" in set_up_stripe("--yes")
    [again] = destinations()
    assert again["id"] != made["id"]


def delete(destination):
    stripe_client.delete(f"{PATH}/{destination}", idempotency_key=f"test:{destination}")


def test_a_dry_run_names_it_and_makes_nothing(shop, reachable):  # noqa: F811
    assert f"make an event destination at {DOOR} for meter errors" in set_up_stripe("--dry-run")
    assert destinations() == []


@pytest.mark.parametrize("is_whole", [True, False])
def test_one_that_somebody_else_made_is_left_alone_and_is_enough_if_it_sends_all(shop, reachable, is_whole):  # noqa: F811
    types = sorted(meter_errors.TYPES) if is_whole else [meter_errors.NO_METER]
    theirs = post("", name="Theirs", type="webhook_endpoint", event_payload="thin", enabled_events=types,
                  webhook_endpoint={"url": DOOR})  # fmt: skip
    text = set_up_stripe("--yes")
    assert ("make an event destination" in text) is not is_whole
    assert next(row for row in destinations() if row["id"] == theirs["id"])["enabled_events"] == types
    assert said().level == "ok"


def test_a_site_on_loopback_and_one_without_priced_use_need_none(world, settings):
    set_up_stripe("--yes")
    settings.SITE_URL = SITE
    set_up_stripe("--yes")
    assert destinations() == []
    assert list(metering.meter_errors()) == []
    assert not StripeEvent.objects.exists()
