"""The checker: Stripe's own published objects pass it, and what Stripe removed is caught.

`published_objects.json` holds the fixtures of Stripe's openapi repository (MIT).
"""

import json
from pathlib import Path
from typing import Any

import pytest
import stripe

from stripe_sandbox.http.shapes import problems

PUBLISHED: dict[str, Any] = json.loads((Path(__file__).parent / "published_objects.json").read_text())
STALE = {
    "account_session": "missing key",
    "customer_session": "missing key",
    "deleted_application": "unknown key",
    "deleted_terminal.reader": "unknown key",
    "event": "plan.aggregate_usage: unknown key",
    "invoice": "invoice.subscription: unknown key",
    "issuing.settlement": "the SDK knows no",
    "sigma.sigma_api_query": "the SDK knows no",
    "terminal.refund": "the SDK knows no",
}


@pytest.mark.parametrize("name", sorted(PUBLISHED.keys() - STALE.keys()))
def test_a_published_object_conforms(name: str) -> None:
    assert problems(PUBLISHED[name]) == []


@pytest.mark.parametrize(("name", "reason"), STALE.items())
def test_the_published_objects_that_are_stale_are_known(name: str, reason: str) -> None:
    found = problems(PUBLISHED[name])
    assert found
    assert all(reason in problem for problem in found)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("charge", "invoice"),
        ("payment_intent", "invoice"),
        ("invoice", "payment_intent"),
        ("invoice", "charge"),
        ("invoice", "paid"),
        ("invoice", "tax"),
        ("invoice", "discount"),
        ("subscription", "current_period_start"),
        ("subscription", "current_period_end"),
        ("subscription", "discount"),
        ("line_item", "price"),
        ("line_item", "plan"),
        ("line_item", "proration"),
    ],
)
def test_what_stripe_removed_is_caught(
    client: stripe.StripeClient, sandbox: Any, subscribed: Any, name: str, key: str
) -> None:
    subscribed()
    if name == "line_item":
        row = next(iter(sandbox.state.table("invoice").rows.values()))["lines"]["data"][0]
    else:
        row = next(iter(sandbox.state.table(name).rows.values()))
    assert problems(row) == []
    assert problems({**row, key: None}) == [f"{name}.{key}: unknown key"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"status": "expired"}, "subscription.status: 'expired' fits none of its types or values"),
        ({"created": "today"}, "subscription.created: 'today' is not int"),
        ({"items": []}, "subscription.items: not a list object"),
        ({"billing_mode": {}}, "subscription.billing_mode.type: missing key"),
        ({"livemode": None}, "subscription.livemode: None is not bool"),
    ],
)
def test_a_wrong_type_or_value_is_named(sandbox: Any, subscribed: Any, change: Any, problem: str) -> None:
    subscribed()
    row = next(iter(sandbox.state.table("subscription").rows.values()))
    assert problems({**row, **change}) == [problem]
