"""The control plane: clear errors on bad input, seeding, resetting, the state's file, the command."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import stripe

from stripe_sandbox import Sandbox, command

from .conftest import Control, ask, shape_problems

BAD: list[tuple[str, Any]] = [
    ("/advance", {}),
    ("/advance", {"seconds": -1}),
    ("/advance", {"seconds": "x"}),
    ("/advance", {"seconds": 1, "to": 2}),
    ("/advance", {"seconds": 10**12}),
    ("/reset", {"nonsense": 1}),
    ("/reset", {"now": "soon"}),
    ("/reset", {"account": 2}),
    ("/faults", {"webhooks": {"explode": 1}}),
    ("/faults", {"webhooks": {"drop": 1.5}}),
    ("/faults", {"api": 7}),
    ("/faults", {"other": {}}),
    ("/disputes", {}),
    ("/disputes/du_none", {"status": "won"}),
    ("/refunds/re_none/fail", {}),
    ("/fraud_warnings", {"charge": 5}),
    ("/deliver", {"event": "evt_none"}),
    ("/seed", {"customers": -1}),
    ("/seed", {"customers": 10**9}),
    ("/settle", {"timeout": "long"}),
    ("/settings", {"retry_days": "often"}),
    ("/settings", {"after_last_retry": "explode"}),
    ("/settings", {"unknown": 1}),
    ("/checkout/cs_none/complete", {}),
    ("/checkout/cs_none/complete", {"payment_method": 4}),
    ("/invoices/in_none/pay", {"outcome": "maybe"}),
    ("/nowhere", {}),
]


@pytest.mark.parametrize(("path", "body"), BAD)
def test_bad_input_is_a_clear_error(sandbox: Sandbox, path: str, body: Any) -> None:
    status, answer = ask(f"{sandbox.url}/_sandbox{path}", body)
    assert status in (400, 404)
    assert answer["error"]["message"]


def test_a_body_that_is_not_a_json_object_is_a_clear_error(sandbox: Sandbox) -> None:
    for body in ([1], "x"):
        status, answer = ask(f"{sandbox.url}/_sandbox/advance", body)
        assert (status, "JSON object" in answer["error"]["message"]) == (400, True)


def test_the_front_door_says_that_it_serves(control: Control) -> None:
    front = control("/", method="GET")
    assert (front["status"], abs(front["now"] - time.time()) < 5) == ("ok", True)


def test_it_says_how_far_its_clock_is_ahead_the_same_each_time(control: Control) -> None:
    assert control("/", method="GET")["ahead"] == 0
    control("/advance", {"seconds": 86_400})
    told = {control("/", method="GET")["ahead"] for _ in range(20)}
    assert len(told) == 1
    assert abs(told.pop() - 86_400) < 60


def test_a_reset_empties_everything_and_repeats_its_ids(client: stripe.StripeClient, control: Control) -> None:
    ids = []
    for _ in range(2):
        control("/reset", {"seed": 5, "now": 1_800_000_000})
        made = client.v1.customers.create({"email": "a@example.com"})
        ids.append((made.id, made.created))
    assert ids[0] == ids[1]
    assert ids[0][1] in (1_800_000_000, 1_800_000_001)


def test_a_reset_may_make_it_another_account(client: stripe.StripeClient, control: Control) -> None:
    before = client.v1.accounts.retrieve_current().id
    control("/reset", {"account": "acct_2"})
    assert client.v1.accounts.retrieve_current().id == client.v1.accounts.retrieve("acct_2").id == "acct_2"
    client.v1.customers.list(options={"stripe_account": "acct_2"})
    control("/reset", {})
    assert client.v1.accounts.retrieve_current().id == before


def test_calls_are_counted(client: stripe.StripeClient, control: Control) -> None:
    control("/calls", method="DELETE")
    client.v1.customers.list()
    client.v1.customers.list()
    assert control("/calls", method="GET") == {
        "total": 2,
        "data": [{"method": "GET", "path": "/v1/customers", "count": 2}],
    }


def test_seeded_subscriptions_are_active_paid_and_well_shaped(client: stripe.StripeClient, control: Control) -> None:
    made = control("/seed", {"customers": 30, "subscriptions": 40, "events": 50})
    assert (made["customers"], made["subscriptions"]) == (30, 40)
    assert made["events"] >= 50
    subs = list(client.v1.subscriptions.list({"limit": 100, "expand": ["data.latest_invoice"]}).auto_paging_iter())
    assert {(sub.status, sub.latest_invoice.status) for sub in subs} == {("active", "paid")}
    assert control("/deliveries", method="GET") == {"data": [], "pending": 0}


def test_the_state_outlives_the_process_in_its_file(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Sandbox(port=0, state_file=file) as first:
        one = stripe.StripeClient(first.key, base_addresses={"api": first.url}, max_network_retries=0)
        made = one.v1.customers.create({"email": "a@example.com"})
        ask(f"{first.url}/_sandbox/advance", {"seconds": 86400})
    with Sandbox(port=0, state_file=file) as second:
        two = stripe.StripeClient(second.key, base_addresses={"api": second.url}, max_network_retries=0)
        assert two.v1.customers.retrieve(made.id).email == "a@example.com"
        assert two.v1.customers.create({"email": "b@example.com"}).id != made.id
        assert second.state.now() - time.time() > 86000
        assert shape_problems(second) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"seed": "1"}', '"text"', "\0\1", '{"seed": 1, "made": 2}'])
def test_a_state_file_that_is_none_is_told_in_a_sentence_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    file, said = tmp_path / "state.json", list[str]()
    file.write_text(text)
    code = command.run(0, "127.0.0.1", None, None, str(file), said.append)
    assert (code, file.read_text(), [path.name for path in tmp_path.iterdir()]) == (1, text, ["state.json"])
    assert "does not hold a sandbox's state" in said[0]
    assert "move it away" in said[0]


def test_the_command_prints_where_it_is_and_ends_cleanly() -> None:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "stripe_sandbox", "--port", "0", "--webhook-secret", "whsec_x"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, "PYTHONPATH": root}
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        assert "sk_test_" in process.stdout.readline()
        assert "whsec_x" in process.stdout.readline()
        with urlopen(f"{address}/_sandbox/") as answer:
            assert json.load(answer)["status"] == "ok"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
