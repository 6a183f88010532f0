"""`sync_stripe`: events that never came, objects that drifted, and what is said about them."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing import lanes
from billing.models import Lane, StripeEvent, Subscription, SyncRun

pytestmark = [pytest.mark.django_db(transaction=True)]


def sync(*arguments):
    """The report, as `--json` prints it."""
    out = StringIO()
    call_command("sync_stripe", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_one_sync_brings_what_no_webhook_told(world):
    ada = world.subscribe()
    report = sync()
    assert (ada.row.status, ada.access.reason) == ("active", "active")
    assert world.said(ada).count("payment_succeeded") == 1
    assert report["events"]["found"] == StripeEvent.objects.filter(source="sync").count() > 3
    assert {drift["cause"].split()[0] for drift in report["drifts"]} == {"missed"}


def test_a_second_sync_changes_nothing(world):
    world.subscribe()
    sync()
    before = list(Subscription.objects.values())
    world.heard.clear()
    report = sync()
    assert (report["events"]["found"], report["drifted"], world.heard) == (0, 0, [])
    assert list(Subscription.objects.values()) == before


def test_events_that_were_delivered_are_skipped_without_a_further_call(world):
    world.subscribed()
    sync()
    world.control("faults")
    report = sync()
    assert report["events"]["found"] == 0
    assert report["calls"] <= 2
    assert not StripeEvent.objects.filter(source="sync").exists()


def test_a_second_sync_at_the_same_time_is_told_so(world):
    Lane.objects.create(pk="sync", woken_at=timezone.now())
    assert lanes.take("sync")
    with pytest.raises(CommandError, match="Another sync is running") as refused:
        sync()
    assert refused.value.returncode == 3


def test_a_dry_run_says_what_is_missing_and_writes_nothing(world):
    ada = world.subscribe()
    report = sync("--dry-run")
    assert report["events"]["found"] > 3
    assert {drift["field"] for drift in report["drifts"]} > {"status", "plan"}
    assert not StripeEvent.objects.exists()
    assert not SyncRun.objects.exists()
    assert not Subscription.objects.filter(customer=ada.customer).exists()
