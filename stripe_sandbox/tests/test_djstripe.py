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


@pytest.fixture
def told(sandbox: Sandbox, forwarding: Receiver, control: Control) -> dict[str, Any]:
    """Return what came of a long story, with the events as they were delivered."""
    tell(sandbox)
    chance = random.Random(8)
    history = History(chance.choice, sandbox)
    for _ in range(10):
        chance.choice(DOINGS)(history)
    assert control("/settle", {"timeout": 60})["pending"] == 0
    lines = "".join(json.dumps(event) + "\n" for event in forwarding.events())
    command = [sys.executable, str(CLIENT), sandbox.url]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "sent": len(forwarding.events())}


def test_djstripe_syncs_every_object_that_it_has_a_model_of_and_takes_every_event(
    told: dict[str, Any], sandbox: Sandbox
) -> None:
    assert told["errors"] == ""
    assert told["processed"] == told["sent"] > 100
    kinds = (told["rows"].keys() & sandbox.state.tables.keys()) - NOT_LISTED
    missing = {kind: set(_listed(sandbox, kind)) - set(told["rows"][kind]) for kind in kinds}
    assert {kind: ids for kind, ids in missing.items() if ids} == {}
    assert len([kind for kind in kinds if told["rows"][kind]]) >= 19


def _listed(sandbox: Sandbox, kind: str) -> list[str]:
    """Cards and accounts are listed by their customer."""
    rows = sandbox.state.table(kind).rows
    return [row["id"] for row in rows.values() if kind != "payment_method" or row["customer"]]
