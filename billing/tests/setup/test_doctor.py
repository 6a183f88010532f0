"""`billing_doctor`: each thing that can be wrong is named, with what to do."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.models import Price, ScheduledTask, StripeEvent, SyncRun
from billing.queues import QUEUES
from billing.setup.doctor import here

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def a_site_that_stripe_could_reach(settings):
    """As far as its address tells; nothing listens there."""
    settings.SITE_URL = "http://127.0.0.2:9"


def examined():
    """Findings by name, and whether the command failed."""
    out, has_failed = StringIO(), False
    try:
        call_command("billing_doctor", "--json", stdout=out)
    except CommandError:
        has_failed = True
    found = {}
    for finding in json.loads(out.getvalue())["findings"]:
        found.setdefault(finding["name"], []).append(finding)
    return found, has_failed


def levels(found, name):
    return {finding["level"] for finding in found[name]}


def test_a_site_that_is_set_up_has_all_but_its_worker_running(world, settings):
    settings.ADMINS = [("Grace", "grace@example.com")]
    call_command("setup_stripe", "--yes", stdout=StringIO())
    world.subscribed()
    call_command("sync_stripe", stdout=StringIO())
    found, has_failed = examined()
    wrong = {name for name in found if levels(found, name) != {"ok"}}
    assert wrong == {"queue"}
    assert has_failed


@pytest.mark.parametrize("name", [*QUEUES, "nonsense"])
def test_a_queue_whose_worker_was_not_seen_lately_is_named_with_what_to_start(settings, name):
    settings.BILLING_QUEUE = name
    [never] = here.queue()
    ScheduledTask.objects.create(task="billing.events.sweep.sweep", ran_at=timezone.now() - timedelta(minutes=4))
    [late] = here.queue()
    for finding in (never, late):
        assert (finding.level, f"The queue is {name}." in finding.text) == ("error", True)
        assert "Start" in finding.todo or "Set BILLING_QUEUE" in finding.todo
    assert (" yet." in never.text, " since " in late.text) == (True, True)
    ScheduledTask.objects.update(ran_at=timezone.now())
    StripeEvent.objects.create(
        id="evt_1", created=1, received_at=timezone.now() - timedelta(seconds=42), livemode=False, payload={}
    )
    [seen] = here.queue()
    assert (seen.level, "42 s." in seen.text) == ("ok", True)


def test_every_finding_that_is_not_ok_says_what_to_do(world):
    found, _ = examined()
    for findings in found.values():
        assert all(finding["todo"] for finding in findings if finding["level"] != "ok")
    assert levels(found, "portal") == {"error"}


def test_a_disabled_endpoint_and_one_that_sends_too_little_are_errors(world):
    call_command("setup_stripe", "--yes", stdout=StringIO())
    [endpoint] = world.stripe("GET", "webhook_endpoints")["data"]
    world.stripe("POST", f"webhook_endpoints/{endpoint['id']}", enabled_events=["invoice.paid"])
    assert levels(examined()[0], "webhook endpoint") == {"error"}
    world.stripe("POST", f"webhook_endpoints/{endpoint['id']}", disabled=True)
    assert "disabled" in examined()[0]["webhook endpoint"][0]["text"]


def test_dead_events_and_a_failed_sync_are_errors(world):
    world.subscribed()
    StripeEvent.objects.filter(pk=StripeEvent.objects.first().pk).update(status="dead")
    SyncRun.objects.create(mode="full", status="failed", started_at=timezone.now(), clock_at=timezone.now(), error="x")
    found, _ = examined()
    assert "error" in levels(found, "backlog")
    assert levels(found, "sync") == {"error"}


def test_amounts_that_are_not_stripes_are_an_error(world):
    Price.objects.filter(lookup_key="pro_month").update(unit_amount=1)
    assert "error" in levels(examined()[0], "prices")


def test_a_wrong_key_a_cache_for_each_process_and_a_dead_mail_server_are_errors(world, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.STRIPE_SECRET_KEY = "sk_live_" + "0" * 24
    found, _ = examined()
    assert [levels(found, name) for name in ("cache", "mail")] == [{"error"}] * 2
    assert "error" in levels(found, "key")


def test_stripe_out_of_reach_is_an_error_and_the_site_is_examined_all_the_same(world):
    world.control("faults", api={"fail_next": 1000, "status": 503})
    found, has_failed = examined()
    assert has_failed
    assert levels(found, "key") == {"error"}
    assert levels(found, "mail") == {"ok"}


def test_an_old_webhook_is_a_warning(world):
    world.subscribed()
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(days=30))
    assert levels(examined()[0], "events") == {"warning"}


def test_plans_that_are_not_as_the_settings_say_and_a_free_one_that_is_missing_are_errors(world, settings):
    settings.BILLING_PLANS = [{"slug": "solo", "name": "Solo"}]
    settings.BILLING_FREE_PLAN = "nothing"
    found, has_failed = examined()
    assert has_failed
    told = [finding["text"] for finding in found["plans"]]
    assert told == [
        "solo, free, pro, team: the plans in the database are not those that are defined.",
        "There is no plan 'nothing', so subscribers who pay nothing can use nothing.",
    ]
