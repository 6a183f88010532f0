"""The sandbox used by a client that no one here wrote: dj-stripe, in a process without this project."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stripe_sandbox import Sandbox

from .conftest import Control, Receiver
from .history import DOINGS, History
from .sdk_story import tell

CLIENT = Path(__file__).with_name("djstripe_client.py")
# Stripe does not list these for an account, or lists them by what dj-stripe does not name.
NOT_LISTED = {"entitlements.active_entitlement", "event", "line_item", "mandate", "subscription_item"}


def pay_tax(history: History) -> None:
    """Make tax rates and a tax id that last, whatever chance draws."""
    customer = history.post("customers", {"email": "eve@example.com", "address[country]": "DE"})["id"]
    history.post(f"customers/{customer}/tax_ids", type="eu_vat", value="DE123456789")
    draft = history.post("invoices", {"customer": customer, "currency": "eur", "automatic_tax[enabled]": "true"})
    history.post("invoiceitems", customer=customer, invoice=draft["id"], amount=1000, currency="eur")
    history.post(f"invoices/{draft['id']}/finalize")


@pytest.fixture
def told(sandbox: Sandbox, forwarding: Receiver, control: Control) -> dict[str, Any]:
    """Return what came of a long story, with the events as they were delivered."""
    tell(sandbox)
    chance = random.Random(8)
    history = History(chance.choice, sandbox)
    for _ in range(10):
        chance.choice(DOINGS)(history)
    pay_tax(history)
    assert control("/settle", {"timeout": 60})["pending"] == 0
    events = forwarding.events()
    lines = "".join(json.dumps(event) + "\n" for event in events)
    command = [sys.executable, str(CLIENT), sandbox.url]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "sent": len(events)}


def test_djstripe_syncs_every_object_that_it_has_a_model_of_and_takes_every_event(
    told: dict[str, Any], sandbox: Sandbox
) -> None:
    assert told["errors"] == ""
    assert told["processed"] == told["sent"] > 100
    kinds = (told["rows"].keys() & sandbox.state.tables.keys()) - NOT_LISTED
    missing = {kind: set(_listed(sandbox, kind)) - set(told["rows"][kind]) for kind in kinds}
    assert {kind: ids for kind, ids in missing.items() if ids} == {}
    assert len([kind for kind in kinds if told["rows"][kind]]) >= 19
    assert {"tax_rate", "tax_id"} <= {kind for kind in kinds if told["rows"][kind]}


def _listed(sandbox: Sandbox, kind: str) -> list[str]:
    """Cards, bank accounts and tax ids are listed by their customer."""
    rows = sandbox.state.table(kind).rows
    return [row["id"] for row in rows.values() if kind not in ("payment_method", "tax_id") or row["customer"]]
