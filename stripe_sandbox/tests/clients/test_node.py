"""Stripe's own SDK for Node, pinned in node/package.json, drives the sandbox by calls of every area.

It is of a newer API version than the sandbox, so this is `--any-version` at work too.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stripe_sandbox import Sandbox

from .installing import installed, needs_npm, version

pytestmark = [pytest.mark.slow, needs_npm]
README = Path(__file__).parents[2] / "README.md"
PAGE = Path(__file__).parents[3] / "docs" / "sandbox.md"
AREAS = {
    "accounts", "balance", "balanceTransactions", "billingPortal", "charges", "checkout", "coupons", "creditNotes",
    "customers", "entitlements", "invoicePayments", "plans",
    "disputes", "events", "invoiceItems", "invoices", "paymentIntents", "paymentMethods", "prices", "products",
    "promotionCodes", "refunds", "setupIntents", "subscriptionItems", "subscriptionSchedules", "subscriptions",
    "testHelpers", "webhookEndpoints",
}  # fmt: skip


@pytest.fixture(scope="module")
def project() -> Path:
    return installed("node")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, any_version=True) as running:
        yield running


@pytest.fixture(scope="module")
def calls(project: Path, sandbox: Sandbox) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["node", "calls.mjs", sandbox.url], cwd=project, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_call_is_answered_as_expected(calls: list[dict[str, Any]]) -> None:
    assert [call for call in calls if not call["ok"]] == []


def test_there_are_calls_of_every_area(calls: list[dict[str, Any]]) -> None:
    assert {call["name"].split(".")[0] for call in calls} >= AREAS


@pytest.mark.parametrize("page", [README, PAGE], ids=lambda page: page.name)
def test_the_pages_count_the_calls(calls: list[dict[str, Any]], page: Path) -> None:
    assert f"stripe-node {version('node', 'stripe')} makes {len(calls)} calls" in page.read_text()


def test_webhooks_are_verified_by_the_sdk(calls: list[dict[str, Any]]) -> None:
    answered = {call["name"]: call["ok"] for call in calls}
    assert answered["webhooks arrive"]
    assert answered["every signature is verified"]


def test_the_line_of_the_readme_points_the_sdk_at_the_sandbox(project: Path, sandbox: Sandbox) -> None:
    (line,) = [line for line in README.read_text().splitlines() if line.startswith("const stripe = new Stripe(")]
    code = (
        f"import Stripe from 'stripe'; {line.replace('12111', str(sandbox.port))} "
        "console.log((await stripe.customers.create({ name: 'Ada' })).name)"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", code], cwd=project, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "Ada"), done.stderr
