"""Payments may be paused where the project lets people do so; each thing that speaks against it does so alone."""

from datetime import UTC, datetime

import pytest

from billing.lifecycle import pausing
from billing.models import Price, Subscription

NOON = datetime(2027, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("columns", "days", "may"),
    [
        ({}, 30, True),
        ({}, 0, False),
        ({"whose": Subscription.Whose.FOREIGN}, 30, False),
        *(({"status": status}, 30, False) for status in ("trialing", "past_due", "unpaid", "paused", "canceled")),
        ({"price": Price(unit_amount=0, currency="usd"), "currency": "usd"}, 30, False),
        ({"cancel_at": NOON}, 30, False),
        ({"pending_kind": "scheduled"}, 30, False),
    ],
)
def test_only_what_is_charged_and_neither_ends_nor_changes_may_be_paused(settings, columns, days, may):
    settings.BILLING_PAUSE_DAYS = days
    usual = {"status": "active", "whose": Subscription.Whose.OURS, "price": Price(unit_amount=5, currency="usd"),
             "currency": "usd"}  # fmt: skip
    assert pausing._may_pause(Subscription(**{**usual, **columns})) is may
