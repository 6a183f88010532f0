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

CLIENT = Path(__file__).with_name("djstripe_client.py")


@pytest.fixture
def told(sandbox: Sandbox, forwarding: Receiver, control: Control) -> dict[str, Any]:
    """Return what came of a long story, with the events as they were delivered."""
    chance = random.Random(8)
    history = History(chance.choice, sandbox)
    for _ in range(30):
        chance.choice(DOINGS)(history)
    assert control("/settle", {"timeout": 60})["pending"] == 0
    lines = "".join(json.dumps(event) + "\n" for event in forwarding.events())
    command = [sys.executable, str(CLIENT), sandbox.url]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "sent": len(forwarding.events())}


def test_djstripe_syncs_every_model_and_takes_every_event(told: dict[str, Any], sandbox: Sandbox) -> None:
    assert told["errors"] == ""
    assert told["processed"] == told["sent"] > 100
    assert told["rows"]["Subscription"] == len(sandbox.state.table("subscription").rows)
    assert told["rows"]["Invoice"] == len(sandbox.state.table("invoice").rows)
    assert told["rows"]["Refund"] == len(sandbox.state.table("refund").rows)
