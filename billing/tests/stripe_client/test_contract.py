"""The fields of Stripe's objects that we read: all in one table, all in the installed SDK, none missed in silence."""

import copy
import json
import typing
from pathlib import Path

import pytest
from django.core.management import call_command
from stripe import ListObject, StripeObject
from stripe._api_version import _ApiVersion

from billing import testing
from billing.conf import API_VERSION, conf
from billing.events.parsing import REFERENCES
from billing.lifecycle import cancel, change, checkout, deletion, invoices, portal, previews
from billing.lifecycle.coming_back import SESSION_STATUSES
from billing.models import CheckoutAttempt, Dispute, Invoice, Refund, Subscription
from billing.stripe_client import client, fields
from billing.stripe_client.fields import FIELDS
from billing.subscriptions.columns import SCHEDULE_STATUSES
from billing.tests.spy import spied, watch_event_readers
from stripe_sandbox import versions
from stripe_sandbox.http import annotations, shapes

PINNED = json.loads((Path(__file__).parents[3] / "stripe_sandbox" / "tests" / "published_objects.json").read_text())
# Stripe publishes no fixtures of its second version: this is the example of its reference.
PINNED["v2.core.event_destination"] = {
    "id": "ed_test_61RM8ltWcTW4mbsxf16RJyfa2xSQLHJJh1sxm7H0KVT6",
    "object": "v2.core.event_destination",
    "created": "2024-10-22T16:20:09.931Z",
    "description": "A description",
    "enabled_events": ["v1.billing.meter.error_report_triggered"],
    "event_payload": "thin",
    "events_from": ["self"],
    "livemode": False,
    "metadata": {},
    "name": "My Event Destination",
    "snapshot_api_version": None,
    "status": "disabled",
    "status_details": {"disabled": {"reason": "user"}},
    "type": "webhook_endpoint",
    "updated": "2024-10-22T16:25:48.976Z",
    "webhook_endpoint": {"signing_secret": None, "url": "https://example.com/my/webhook/endpoint"},
}
# Asked of objects of any kind: what it is, whether it is gone, whose it is, what an event is about.
OF_ANY_OBJECT = {"object", "deleted", "payment", "data.object", "data.previous_attributes", *REFERENCES}
OF_ANY_OBJECT |= {f"data.previous_attributes.{name}" for name in REFERENCES}
LISTS = {"list", ""}
# Their keys are anybody's.
MAPS = {"currency_options", "metadata"}
PATHS = [(name, path.replace("?", "")) for name, paths in FIELDS.items() for path in paths.split()]


# The SDK's own description


def test_the_installed_sdk_is_built_for_the_pinned_version():
    assert _ApiVersion.CURRENT == conf.api_version == API_VERSION == versions.API_VERSION, "see docs/upgrading.md"


@pytest.mark.parametrize("name", FIELDS)
def test_the_sdk_knows_every_field_that_we_read(name):
    unknown = [path for kind, path in PATHS if kind == name and not _is_known({shapes.class_of(name)}, path.split("."))]
    assert not unknown, "Stripe has dropped or renamed them: see docs/upgrading.md"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("checkout.session", SESSION_STATUSES),
        ("dispute", Dispute.KNOWN),
        ("invoice", Invoice.Status.values),
        ("refund", Refund.KNOWN),
        ("subscription", Subscription.AT_STRIPE),
        ("subscription_schedule", SCHEDULE_STATUSES),
    ],
)
def test_every_status_that_the_sdk_names_is_one_that_we_know(name, known):
    named = set(_literals(shapes.fields_of(shapes.class_of(name))["status"]))
    assert named <= set(known), "say what each means, or leave it to billing/monitoring/unknown_values.py"


def _literals(hint):
    if annotations.is_literal(hint):
        return typing.get_args(hint)
    return [value for choice in typing.get_args(hint) for value in _literals(choice)]


def _is_known(classes, path):
    for step in path:
        hints = [shapes.fields_of(cls)[step] for cls in classes if step in shapes.fields_of(cls)]
        classes = {cls for hint in hints for cls in _inside(hint)}
    return bool(hints)


def _inside(hint):
    """The classes an annotation may stand for: of an optional field, a list or a reference what is in it."""
    if annotations.is_union(hint) or typing.get_origin(hint) in {list, ListObject}:
        return {cls for argument in typing.get_args(hint) for cls in _inside(argument)}
    return {hint} if isinstance(hint, type) and issubclass(hint, StripeObject) else set()


# The code


@pytest.fixture
def reads(monkeypatch):
    """(object, path) of all that is read, of answers and of events' objects."""
    found = set()

    watch_event_readers(monkeypatch, found)
    call = client._call
    monkeypatch.setattr(client, "_call", lambda *args: spied(call(*args), found))
    return found


@pytest.mark.django_db
def test_every_field_that_the_code_reads_is_in_the_table(world, reads):
    ada = world.subscribe()
    checkout.refresh_outcome(CheckoutAttempt.objects.get())
    world.deliver()
    shown = previews.preview(ada.user, "team", "month")
    change.change(ada.user, "team", "month", shown.proration_date)
    change.change(ada.user, "pro", "month")
    change.take_back(ada.user)
    cancel.cancel(ada.user, "period_end")
    cancel.resume(ada.user)
    world.change_card(ada, "pm_card_authenticationRequired")
    assert change.change(ada.user, "team", "year").pending_url
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    world.control("disputes", charge=world.charge_of(ada)["id"])
    world.deliver()
    ben = world.subscribed(email="ben@example.com")
    charge = world.charge_of(ben)["id"]
    for part in ({"amount": 100}, {}):
        world.stripe("POST", "refunds", charge=charge, **part)
        world.deliver()
    eve = world.subscribed(email="eve@example.com")
    world.subscribe_again(eve, eve.row.price_id)
    world.deliver()
    invoices.invoices_of(ben.user)
    call_command("sync_stripe", "--full")
    call_command("setup_stripe", "--yes")
    portal.open_portal(ada.user)
    deletion.begin(eve.user)
    testing.work()
    known = {(name, at) for name, path in PATHS for at in _steps(path)}
    unknown = {(name, path) for name, path in reads - known if name not in LISTS and path not in OF_ANY_OBJECT}
    unknown = {(name, path) for name, path in unknown if path.split(".")[0] not in MAPS}
    assert not unknown, "add them to billing/stripe_client/fields.py"


def _steps(path):
    steps = path.split(".")
    return [".".join(steps[: length + 1]) for length in range(len(steps))]


# Answers, held to the table


@pytest.mark.parametrize("name", FIELDS)
def test_published_objects_of_the_pinned_version_have_all_that_we_read(name):
    assert fields.lacking(PINNED[name]) == ""


@pytest.mark.parametrize("name", FIELDS)
def test_without_any_one_of_them_an_answer_is_refused_by_name(name):
    for path in FIELDS[name].split():
        if "?" not in path:
            damaged = copy.deepcopy(PINNED[name])
            if _without(damaged, path.split(".")):
                assert fields.lacking(damaged) == f"{name}.{path}"


def _without(found, path):
    """Take the field away wherever it is; whether it was anywhere."""
    if isinstance(found, list):
        return sum(_without(each, path) for each in found) > 0
    if not isinstance(found, dict) or path[0] not in found:
        return False
    if len(path) > 1:
        return _without(found[path[0]], path[1:])
    del found[path[0]]
    return True
