"""A sandbox that keeps its state in a file goes on as if it had never stopped, however it was stopped."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import stripe
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stripe_sandbox import Sandbox, saving

from .conftest import ask
from .history import DOINGS, History

ROOT = Path(__file__).parents[2]
NOW = 1_790_000_000
DAY = 86_400
KEPT_WITHIN = 2


class Restarting(History):
    """Its sandbox is stopped and started anew before each thing that happens."""

    file: Path

    def restart(self) -> None:
        self.sandbox.save()
        again = Sandbox(seed=7, now=NOW, state_file=self.file)
        again.state = again.dispatcher.state = saving.load(self.file)
        self.sandbox, self.state = again, again.state


def document(sandbox: Sandbox) -> dict[str, Any]:
    """Return what is saved, its objects by kind: which kind comes first does not matter."""
    saved: dict[str, Any] = json.loads(saving.document(sandbox.state))
    return {**saved, "objects": sorted(saved["objects"], key=itemgetter("object"))}


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data(), doings=st.lists(st.sampled_from(DOINGS), min_size=3, max_size=12))
def test_whatever_happens_goes_on_after_a_restart_as_without_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, doings: list[Callable[[History], None]]
) -> None:
    drawn: list[int] = []
    replayed: list[int] = []

    def draw(choices: Sequence[Any]) -> Any:
        drawn.append(data.draw(st.integers(0, len(choices) - 1)))
        return choices[drawn[-1]]

    def repeat(choices: Sequence[Any]) -> Any:
        return choices[replayed.pop(0)]

    with time_machine.travel(NOW, tick=False):
        staying = History(draw, Sandbox(seed=7, now=NOW))
        replayed, drawn[:] = drawn[:], []
        file = tmp_path_factory.mktemp("kept") / "state.json"
        going = Restarting(repeat, Sandbox(seed=7, now=NOW, state_file=file))
        going.file = file
        for do in doings:
            do(staying)
            replayed, drawn[:] = drawn[:], []
            going.restart()
            do(going)
            assert document(going.sandbox) == document(staying.sandbox)


@contextmanager
def process(file: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A sandbox in a process of its own, and its address; it is killed at the end."""
    command = [sys.executable, "-m", "stripe_sandbox", "--port", "0", "--state", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stdout is not None
        try:
            yield running, running.stdout.readline().split()[-1]
        finally:
            running.kill()


def client_of(address: str) -> Any:
    return stripe.StripeClient("sk_test_x", base_addresses={"api": address}, max_network_retries=0).v1


def test_one_that_is_killed_between_writes_keeps_all_but_the_last_moment(tmp_path: Path) -> None:
    file, made = tmp_path / "state.json", list[tuple[float, str]]()
    for pause in (0.9, 0.05, 0.4):
        with process(file) as (_, address):
            v1 = client_of(address)
            there = {row.id for row in v1.customers.list({"limit": 100}).auto_paging_iter()}
            made = [(at, identifier) for at, identifier in made if identifier in there]
            assert there == {identifier for _, identifier in made}
            until = time.monotonic() + KEPT_WITHIN
            while time.monotonic() < until:
                made.append((time.monotonic(), v1.customers.create({"name": "Ada"}).id))
                time.sleep(0.05)
            time.sleep(pause)
            killed = time.monotonic()
        kept = {row["id"] for row in json.loads(file.read_text())["objects"] if row["object"] == "customer"}
        assert {identifier for at, identifier in made if at < killed - KEPT_WITHIN / 2} <= kept
    assert len({identifier for _, identifier in made}) == len(made)


def test_an_id_that_was_lost_with_the_last_moment_is_not_given_to_another(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Sandbox(port=0, seed=7, state_file=file) as first:
        first.save()
        early = file.read_bytes()
        lost = client_of(first.url).customers.create({"name": "Ada"}).id
    file.write_bytes(early)
    with Sandbox(port=0, state_file=file) as second:
        made = [client_of(second.url).customers.create({"name": "Eve"}).id for _ in range(5)]
    assert lost not in made


def test_what_fell_due_while_it_was_down_has_happened_when_it_is_back(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with process(file) as (_, address):
        v1 = client_of(address)
        price = {
            "currency": "usd",
            "unit_amount": 900,
            "product_data": {"name": "Pro"},
            "recurring": {"interval": "day"},
        }
        customer = v1.customers.create(
            {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
        )
        made = {"customer": customer.id, "items": [{"price": v1.prices.create(price).id}]}
        sub = v1.subscriptions.create(made)
        end = sub["items"].data[0].current_period_end
        ask(f"{address}/_sandbox/advance", {"to": end - 3})
        time.sleep(KEPT_WITHIN / 2)
    time.sleep(3)
    with process(file) as (_, address):
        time.sleep(0.6)
        again = client_of(address).subscriptions.retrieve(sub.id)
        assert again["items"].data[0].current_period_start == end
        now = ask(f"{address}/_sandbox/", method="GET")[1]["now"]
        assert end <= now < end + 30


def test_a_test_clock_goes_on_after_a_restart_from_where_it_stood(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Sandbox(port=0, state_file=file, now=NOW) as first:
        v1 = client_of(first.url)
        clock = v1.test_helpers.test_clocks.create({"frozen_time": NOW})
        customer = v1.customers.create(
            {"test_clock": clock.id, "payment_method": "pm_card_visa",
             "invoice_settings": {"default_payment_method": "pm_card_visa"}}
        )  # fmt: skip
        price = {
            "currency": "usd",
            "unit_amount": 900,
            "product_data": {"name": "Pro"},
            "recurring": {"interval": "month"},
        }
        sub = v1.subscriptions.create({"customer": customer.id, "items": [{"price": v1.prices.create(price).id}]})
    with Sandbox(port=0, state_file=file) as second:
        v1 = client_of(second.url)
        assert v1.test_helpers.test_clocks.retrieve(clock.id).frozen_time == NOW
        v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": NOW + 32 * DAY})
        ask(f"{second.url}/_sandbox/advance", {"seconds": 60})
        assert [row.status for row in v1.invoices.list({"subscription": sub.id}).data] == ["paid", "paid"]


def test_a_key_that_was_used_before_a_restart_gives_the_same_answer_after_it(tmp_path: Path) -> None:
    file, options = tmp_path / "state.json", {"idempotency_key": "same"}
    with Sandbox(port=0, state_file=file) as first:
        made = client_of(first.url).customers.create({"name": "Ada"}, options).id
    with Sandbox(port=0, state_file=file) as second:
        v1 = client_of(second.url)
        assert v1.customers.create({"name": "Ada"}, options).id == made
        assert len(v1.customers.list().data) == 1


def test_a_state_that_nobody_changes_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Sandbox(port=0, state_file=file) as sandbox:
        client_of(sandbox.url).customers.create({"name": "Ada"})
        time.sleep(1)
        written = file.stat().st_mtime_ns
        client_of(sandbox.url).customers.list()
        time.sleep(2.5)
        assert file.stat().st_mtime_ns == written
        ask(f"{sandbox.url}/_sandbox/advance", {"seconds": 60})
        time.sleep(1)
        assert file.stat().st_mtime_ns > written


def test_a_file_that_cannot_be_written_stops_nothing_and_is_written_when_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    with Sandbox(port=0, state_file=folder / "state.json") as sandbox:
        folder.rename(tmp_path / "away")
        v1 = client_of(sandbox.url)
        v1.customers.create({"name": "Ada"})
        time.sleep(1)
        assert "could not be written" in caplog.text
        (tmp_path / "away").rename(folder)
        time.sleep(1)
        assert "Ada" in (folder / "state.json").read_text()
