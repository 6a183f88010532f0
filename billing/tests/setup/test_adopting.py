"""docs/adopting.md, its commands in their order; and a project that runs dj-stripe, with rows dj-stripe made itself."""

import csv
import hmac
import json
import subprocess
import sys
import textwrap
import time
from hashlib import sha256
from io import StringIO
from uuid import uuid4

import pytest
import stripe
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from djstripe.models import Customer as DjstripeCustomer
from djstripe.models import Subscription as DjstripeSubscription
from djstripe.models import WebhookEndpoint
from djstripe.signals import WEBHOOK_SIGNALS

from billing import access, books, testing
from billing.conf import conf
from billing.events.event_types import EVENT_TYPES
from billing.models import Customer, Invoice, StripeEvent, Subscription, SyncRun
from billing.tests.hosts.recipe import PAGE, additions, commands

from .test_import_customers import old, pays  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db(transaction=True)

ADOPTING = PAGE.with_name("adopting.md")
urlpatterns = [path("", include("config.urls")), path("stripe/", include("djstripe.urls", namespace="djstripe"))]


@pytest.mark.usefixtures("_a_site_that_stripe_reaches")
def test_the_page_leads_from_customers_of_old_to_subscribers(world, old, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    ada, ben = world.sign_up("ada@example.com"), world.sign_up("ben@example.com")
    pays(world, old, "ada@example.com")
    with (tmp_path / "customers.csv").open("w") as file:
        csv.writer(file).writerows([("subscriber", "customer"), (ben.pk, pays(world, old, "other@example.com"))])
    said = []
    for name, *arguments in commands(ADOPTING):
        out = StringIO()
        if name == "compare_integrations":
            continue
        call_command(name, *(text.replace("price_1ExistingGold", old) for text in arguments), stdout=out)
        said.append((name, out.getvalue().strip().splitlines()[-1]))
    assert [name for name, _ in said].count("import_customers") == 5
    assert "1 would be linked" in said[1][1]
    assert [access.of(person).plan.slug for person in (ada, ben)] == ["pro", "pro"]
    assert world.heard == []


def test_one_full_sync_after_an_import_is_enough_for_the_books(world, old):  # noqa: F811
    """The charge is listed before the comparison brings the invoice that it pays."""
    for name in ("ada", "ben"):
        world.sign_up(f"{name}@example.com")
        pays(world, old, f"{name}@example.com")
    call_command("import_customers", "--by", "email", "--price", f"{old}=pro", stdout=StringIO())
    world.advance(hours=0.1)
    call_command("sync_stripe", "--full", stdout=StringIO())
    assert Invoice.objects.count() == 2
    assert books.reckon().differences == []


@pytest.fixture
def both():
    """Return the page's wrapper, by which one address serves our ledger and a view of the project's own."""
    [block] = [block for block in additions(ADOPTING) if block.path == "shop/webhooks.py"]
    names = {}
    exec(block.text, names)
    return names["both"]


def sent_to(view, event, secret=None):
    """Post an event, signed as Stripe signs, to a view."""
    secret = secret or conf.webhook_secrets[0]
    body = json.dumps(event)
    stamp = int(time.time())
    signed = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), sha256).hexdigest()
    header = {"Stripe-Signature": f"t={stamp},v1={signed}"}
    return view(RequestFactory().post("/own/", body, content_type="application/json", headers=header))


def test_one_address_serves_both_and_a_wrong_signature_reaches_neither(world, both):
    heard = []
    view = both(lambda request: heard.append(json.loads(request.body)["id"]) or HttpResponse("Theirs."))
    world.subscribe()
    event = world.events("customer.created")[0]
    assert sent_to(view, event, "whsec_wrong").status_code == 400
    assert (heard, StripeEvent.objects.count()) == ([], 0)
    assert sent_to(view, event).content == b"Theirs."
    assert (heard, [row.pk for row in StripeEvent.objects.all()]) == ([event["id"]], [event["id"]])


def test_if_their_view_fails_stripe_sends_again_and_our_ledger_counts_once(world, both):
    answers = [HttpResponse(status=500), HttpResponse("Theirs.")]
    view = both(lambda request: answers.pop(0))
    world.subscribe()
    event = world.events("customer.created")[0]
    assert [sent_to(view, event).status_code for _ in range(2)] == [500, 200]
    assert StripeEvent.objects.get().deliveries == 2


def test_the_code_of_the_page_runs(capsys):
    for block in additions(ADOPTING):
        if not block.when:  # else it needs another package
            exec(block.text, {})
    assert capsys.readouterr().out.split() == sorted(EVENT_TYPES)


@pytest.fixture
def _a_site_that_stripe_reaches(settings):
    settings.SITE_URL = "https://shop.example.com"


@pytest.fixture
def adopted(world, old, settings):  # noqa: F811
    """A subscriber whom dj-stripe has known, their customer, and the endpoint dj-stripe was called at."""
    settings.ROOT_URLCONF = __name__
    ada = world.sign_up("ada@example.com")
    customer = pays(world, old, "known-to-djstripe-alone@example.com")
    theirs = DjstripeCustomer.sync_from_stripe_data(_of_the_sdk(world, f"customers/{customer}"))
    DjstripeCustomer.objects.filter(pk=theirs.pk).update(subscriber=ada)
    [found] = world.stripe("GET", "subscriptions", customer=customer)["data"]
    DjstripeSubscription.sync_from_stripe_data(_of_the_sdk(world, f"subscriptions/{found['id']}"))
    uuid = uuid4()
    made = world.stripe(
        "POST",
        "webhook_endpoints",
        url=f"https://shop.example.com/stripe/webhook/{uuid}/",
        enabled_events=["*"],
        metadata={"djstripe_uuid": str(uuid)},
    )
    endpoint = WebhookEndpoint.sync_from_stripe_data(stripe.convert_to_stripe_object(made, conf.api_key, None))
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(secret="whsec_old")
    world.delivered.update(event["id"] for event in world.events())
    call_command("import_customers", "--by", "djstripe", "--price", f"{old}=pro", stdout=StringIO())
    return world, ada, customer, found["id"], f"/stripe/webhook/{uuid}/"


def _of_the_sdk(world, where):
    return stripe.convert_to_stripe_object(world.stripe("GET", where), conf.api_key, None)


@pytest.fixture
def own_receiver():
    """A `djstripe_receiver` the project has had for years."""
    heard = []

    def on_subscription_deleted(sender, event, **kwargs):
        heard.append(event.id)

    signal = WEBHOOK_SIGNALS["customer.subscription.deleted"]
    signal.connect(on_subscription_deleted)
    yield heard
    signal.disconnect(on_subscription_deleted)


def to_the_old_endpoint(address, event):
    body = json.dumps(event).encode()
    headers = {"Stripe-Signature": testing.sign(body, "whsec_old")}
    return Client().post(address, data=body, content_type="application/json", headers=headers)


def cancelled(adopted):
    world, _, _, subscription, _ = adopted
    world.stripe("DELETE", f"subscriptions/{subscription}")
    [event] = [event for event in world.events() if event["type"] == "customer.subscription.deleted"]
    return event


def test_djstripes_links_and_rows_are_taken_over_and_stay_its_own(adopted):
    world, ada, customer, subscription, _ = adopted
    assert (access.of(ada).reason, access.of(ada).plan.slug, world.heard) == ("active", "pro", [])
    world.stripe("POST", f"subscriptions/{subscription}", cancel_at_period_end=True)
    world.deliver()
    assert (Subscription.objects.get().cancel_at is None, world.heard) == (
        False,
        [("cancellation_scheduled", customer)],
    )
    assert DjstripeCustomer.objects.get(id=customer).subscriber == ada
    assert DjstripeSubscription.objects.get(id=subscription).stripe_data["cancel_at_period_end"] is True


def test_djstripes_endpoint_runs_the_projects_receivers_and_changes_nothing_of_ours(adopted, own_receiver):
    event = cancelled(adopted)
    world, ada, _, _, address = adopted
    assert to_the_old_endpoint(address, event).status_code == 200
    assert (own_receiver, access.of(ada).reason, world.heard) == ([event["id"]], "active", [])
    world.deliver()
    assert access.of(ada).has_access is False
    assert [name for name, _ in world.heard] == ["subscription_ended", "access_revoked"]
    assert set(own_receiver) == {event["id"]}


def test_what_comes_through_our_door_first_is_done_once(adopted, own_receiver):
    event = cancelled(adopted)
    world, _, _, _, address = adopted
    world.deliver()
    assert to_the_old_endpoint(address, event).status_code == 200
    assert (own_receiver, len(world.heard)) == ([event["id"]], 2)


def test_without_our_endpoint_the_sync_finds_what_djstripes_was_told(adopted):
    event = cancelled(adopted)
    _, ada, _, _, address = adopted
    to_the_old_endpoint(address, event)
    call_command("sync_stripe", stdout=StringIO())
    assert access.of(ada).has_access is False


def test_other_subscribers_than_djstripes_are_refused_by_name(world, settings):
    settings.BILLING_SUBSCRIBER_MODEL = "auth.Group"
    with pytest.raises(Exception, match=r"dj-stripe's subscribers are accounts.User, ours auth.Group"):
        call_command("import_customers", "--by", "djstripe")
    assert not Customer.objects.exists()
    assert not SyncRun.objects.exists()


OLDER_TABLES = """
import django; django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from djstripe.models import Product
from billing.setup import database
database.create_tables()
call_command("migrate", "djstripe", "0002_2_10", verbosity=0)
made = Product.objects.create(id="prod_of_old", stripe_data={})
assert database.create_tables() is False, "on the way of an existing database"
assert ("djstripe", "0003_2_11") in MigrationRecorder(connection).applied_migrations()
assert "djstripe_accountv2" in connection.introspection.table_names()
assert Product.objects.get().pk == made.pk
call_command("migrate", "--check", verbosity=0)
"""


def test_a_database_with_djstripes_tables_of_an_older_release_is_migrated_on(tmp_path):
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path / 'old.sqlite3'}", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(OLDER_TABLES)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
