"""One `sync_stripe` brings a random history to Stripe's state with every webhook dropped, each mail once; so does
cron."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from billing.models import Lane, Payment, StripeEvent, Subscription, SyncRun
from billing.testing import assert_all_processed
from notifications.models import Mail

pytestmark = [pytest.mark.django_db(transaction=True)]


def sync(*arguments):
    out = StringIO()
    call_command("sync_stripe", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def decline(world, one):
    world.change_card(one, "pm_card_chargeCustomerFail")


def pay_again(world, one):
    world.change_card(one, "pm_card_visa")


def schedule_end(world, one):
    world.stripe("POST", f"subscriptions/{one.subscription}", cancel_at_period_end=True)


def refund_in_part(world, one):
    world.stripe("POST", "refunds", charge=world.charge_of(one)["id"], amount=100)


def dispute(world, one):
    world.control("disputes", charge=world.charge_of(one)["id"])


def cancel(world, one):
    world.stripe("DELETE", f"subscriptions/{one.subscription}")


def leave(world, one):
    world.stripe("DELETE", f"customers/{one.customer}")


WHILE_LIVING = [decline, pay_again, schedule_end, refund_in_part, dispute]
ENDS = [cancel, leave]


def random_history(world, chance):
    """A few subscribers, what happens to each, and days that pass between; nothing of it is delivered."""
    people = [world.subscribe("pro", email=f"{name}@example.com") for name in ("ada", "ben", "max", "zoe")]
    for one in people:
        for act in chance.sample(WHILE_LIVING, k=chance.randint(0, 3)):
            act(world, one)
    world.advance(days=chance.choice([1, 10, 27]))
    for one in chance.sample(people, k=2):
        if world.stripe("GET", f"subscriptions/{one.subscription}")["status"] != "canceled":
            chance.choice(ENDS)(world, one)
    return people


@pytest.mark.parametrize("seed", range(5))
def test_one_sync_makes_up_for_a_history_of_dropped_webhooks(world, seed):
    people = random_history(world, random.Random(seed))
    report = sync()
    assert report["events"]["found"]
    assert_all_processed()
    for one in people:
        theirs = world.stripe("GET", f"subscriptions/{one.subscription}")
        assert (one.row.stripe_id, one.row.status) == (theirs["id"], theirs["status"])
    paid = {row["id"] for row in world.stripe("GET", "invoices", limit=100)["data"] if row["amount_paid"]}
    assert set(Payment.objects.filter(amount__gt=0).values_list("invoice_id", flat=True)) == paid
    received = Mail.objects.filter(kind="payment_received").values_list("key", flat=True)
    assert sorted(received) == sorted(f"payment_received:{invoice}" for invoice in paid)


@pytest.mark.parametrize("seed", range(2))
def test_a_second_sync_changes_nothing(world, seed):
    random_history(world, random.Random(seed))
    sync()
    mails, rows = list(Mail.objects.values_list("key", flat=True)), list(Subscription.objects.values())
    again = sync("--full")
    assert (again["events"]["found"], again["drifted"]) == (0, 0)
    assert (list(Mail.objects.values_list("key", flat=True)), list(Subscription.objects.values())) == (mails, rows)


def from_cron(world, *arguments, **options):
    """As a crontab line starts it: a process of its own, no terminal, an empty environment but for the settings."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        host = database["OPTIONS"].get("host") or database["HOST"]
        url = f"postgres://{database['USER']}@/{database['NAME']}?host={host}"
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "STRIPE_API_BASE": world.url}
    environment |= {"STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY, "STRIPE_WEBHOOK_SECRET": "whsec_x"}
    command = [sys.executable, "manage.py", "sync_stripe", *arguments]
    return subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_from_cron_it_says_one_line_without_colour(world):
    ada = world.subscribe()
    running = from_cron(world)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (0, "")
    assert out.startswith("Synced with Stripe (full): ")
    assert (out.count("\n"), "\033" in out) == (1, False)
    assert ada.row.status == "active"


def test_from_cron_a_stripe_that_is_away_is_one_sentence_and_code_1(world):
    world.control("faults", api={"fail_next": 1000, "status": 503})
    running = from_cron(world)
    out, err = running.communicate(timeout=90)
    assert (running.returncode, out) == (1, "")
    assert "Traceback" not in err
    assert "Stripe" in err
    assert SyncRun.objects.get().status == "failed"


def test_a_second_one_from_cron_exits_3(world):
    Lane.objects.create(pk="sync", woken_at=timezone.now())
    Lane.objects.update(token="0" * 32, leased_until=timezone.now() + timedelta(minutes=1))
    running = from_cron(world)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 3
    assert "Another sync is running" in err


def test_after_kill_9_the_next_goes_on_where_it_was(world):
    for _ in range(6):
        world.control("seed", customers=200, subscriptions=200)
        world.advance(hours=1)
    world.control("faults", api={"latency_ms": 400})
    running = from_cron(world, "--full")
    deadline = time.monotonic() + 40
    while not SyncRun.objects.exclude(progress={}).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    left = SyncRun.objects.get().progress
    assert left
    world.control("faults")
    Lane.objects.filter(pk="sync").update(leased_until=timezone.now() - timedelta(seconds=1))
    report = sync("--full")
    assert "This run continued where an earlier one was broken off." in report["notes"]
    assert SyncRun.objects.order_by("started_at").values_list("status", "error")[0] == ("failed", "Broken off.")
    assert report["compared"] < 2400
    assert not StripeEvent.objects.filter(status="failed").exists()
