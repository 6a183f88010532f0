"""`sync_stripe`: events that never came, objects that drifted, and what is said about them."""

import json
import math
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing import lanes
from billing.events import CATALOGUE, EVENT_TYPES
from billing.models import Alert, Customer, Lane, StripeEvent, Subscription, SyncRun
from billing.sync import books, missed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


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
    of_events = math.ceil(len(EVENT_TYPES.difference(CATALOGUE)) / missed.TYPES_A_CALL)
    assert report["events"]["found"] == 0
    assert report["calls"] <= of_events + 1 + len(books.LISTS)
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


def test_a_row_edited_by_hand_is_named_and_healed(world):
    ada = world.subscribed()
    sync()
    Subscription.objects.filter(customer=ada.customer).update(status="canceled", quantity=7)
    report = sync("--full")
    found = {drift["field"]: (drift["ours"], drift["theirs"], drift["cause"]) for drift in report["drifts"]}
    assert found == {"status": ("canceled", "active", "unknown"), "quantity": (7, 1, "unknown")}
    assert (report["drifted"], report["healed"]) == (2, 2)
    assert ada.row.status == "active"
    assert sync("--full")["drifted"] == 0


def test_one_customer_is_asked_about_alone(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    Subscription.objects.update(quantity=7)
    report = sync("--customer", ada.customer)
    assert [drift["customer"] for drift in report["drifts"]] == [ada.customer]
    assert (ada.row.quantity, ben.row.quantity) == (1, 7)


def test_a_customer_deleted_at_stripe_is_found_without_its_event(world):
    ada = world.subscribed()
    sync()
    world.stripe("DELETE", f"customers/{ada.customer}")
    StripeEvent.objects.bulk_create(
        StripeEvent(id=event["id"], type=event["type"], created=event["created"], status="processed",
                    received_at=timezone.now(), livemode=False, lane=ada.customer, payload=event)
        for event in world.events()
    )  # fmt: skip
    report = sync("--full")
    assert [(drift["field"], drift["theirs"]) for drift in report["drifts"]] == [("deleted_at", "deleted at Stripe")]
    assert (ada.access.reason, world.said(ada).count("customer_deleted")) == ("customer_deleted", 1)


def test_subscriptions_we_never_knew_are_taken_over_unannounced(world):
    ada = world.subscribed()
    world.heard.clear()
    Subscription.objects.all().delete()
    Customer.objects.all().delete()
    StripeEvent.objects.all().delete()
    report = sync()
    assert (report["mode"], report["imported"], report["drifted"], world.heard) == ("full", 1, 0, [])
    assert (ada.row.status, ada.row.customer.email, ada.access.reason) == ("active", "ada@example.com", "active")
    assert sync("--full")["drifted"] == 0
    assert not Alert.objects.filter(cause="imported").exists(), "the metadata at Stripe say whose it is"


def test_a_dry_run_counts_a_difference_once_and_names_the_missed_event(world):
    """Both what is due and the full comparison meet it, since nothing is corrected."""
    ada = world.subscribe()
    dry = sync("--full", "--dry-run")
    fields = [(drift["customer"], drift["field"]) for drift in dry["drifts"]]
    assert len(fields) == len(set(fields)) == dry["drifted"] > 0
    assert {drift["cause"] for drift in dry["drifts"] if drift["customer"] == ada.customer} == {"a missed event"}
    assert (dry["healed"], ada.access.has_access) == (0, False)


def test_staff_are_told_of_customers_who_belong_to_nobody_since_a_failover_lost_them(world):
    """Who signed up and paid in the lost time is unknown here; a bystander is who they were."""
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    Subscription.objects.filter(customer=ada.customer).delete()
    Customer.objects.filter(pk=ada.customer).delete()
    StripeEvent.objects.filter(lane=ada.customer).delete()
    get_user_model().objects.get(pk=ada.user.pk).delete()
    assert sync("--full")["imported"] == 1
    assert Customer.objects.get(subscriber=None).email == "ada@example.com"
    [alert] = Alert.objects.filter(cause="imported")
    assert alert.subject == "1 customer of nobody was imported"
    assert "manage.py import_customers --by email" in alert.text
    assert "ada@" not in alert.text
    assert ben.access.reason == "active"
    sync("--full")
    assert Alert.objects.get(cause="imported").waiting == alert.waiting, "it is said once"


def test_the_admin_shows_runs_and_their_differences(world, admin_client):
    ada = world.subscribe()
    sync()
    run = SyncRun.objects.get()
    assert b"full" in admin_client.get("/admin/billing/syncrun/").content
    page = admin_client.get(f"/admin/billing/syncrun/{run.pk}/change/").content.decode()
    assert ada.customer in page
    assert "missed event evt_" in page
