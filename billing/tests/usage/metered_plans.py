"""Plans whose limits say what a use beyond them costs, and people who use them up."""

from contextlib import contextmanager

import pytest

from billing import usage
from billing.models import Usage, UsageReport

PLANS = [
    {"slug": "free", "name": "Free", "limits": {"generations": 10}},
    {
        "slug": "pro",
        "name": "Pro",
        "limits": {"generations": 100, "exports": 5},
        "overage": {"generations": {"usd": "2.5", "eur": "2.4"}, "exports": {"usd": 30, "eur": 30}},
        "prices": {"month": {"usd": 2_000, "eur": 1_900}, "year": {"usd": 20_000}, "week": {"usd": 600}},
    },
    {
        "slug": "team",
        "name": "Team",
        "limits": {"generations": 1_000},
        "overage": {"generations": {"usd": 1}},
        "prices": {"month": {"usd": 6_000}},
    },
    {"slug": "flat", "name": "Flat", "limits": {"generations": 2_000}, "prices": {"month": {"usd": 9_000}}},
]


@pytest.fixture
def metered_plans(settings):
    settings.BILLING_PLANS = PLANS


@pytest.fixture
def shop(metered_plans, world):
    return world


def use(subscriber, quantity, feature="generations", **more):
    return usage.consume(subscriber.user, feature, quantity, **more)


def counter(subscriber, feature="generations"):
    return Usage.objects.filter(subscriber=subscriber.user, feature=feature).order_by("-period_start").first()


def reports(subscriber):
    rows = UsageReport.objects.filter(customer_id=subscriber.customer).order_by("made_at", "pk")
    return [(row.quantity, row.state) for row in rows]


def summed(world, subscriber, feature="generations"):
    """What Stripe's meter has summed up of a subscriber, over all time."""
    meters = world.api("GET", "billing/meters")["data"]
    meter = next(row for row in meters if row["event_name"] == f"billing_{feature}")
    now = world.control("advance", seconds=0)["now"]
    found = world.api(
        "GET", f"billing/meters/{meter['id']}/event_summaries",
        customer=subscriber.customer, start_time=0, end_time=now - now % 60 + 60,
    )["data"]  # fmt: skip
    return sum(row["aggregated_value"] for row in found)


def invoiced(world, subscriber):
    """The lines of the newest invoice of a subscription: description and amount."""
    found = world.api("GET", "invoices", subscription=subscriber.subscription)["data"][0]
    return [(line["description"], line["amount"]) for line in found["lines"]["data"]]


@contextmanager
def lost_answer(world):
    """Stripe takes what it is sent, and nobody hears its answer."""
    world.control("faults", api={"lose_answer": 100})
    try:
        yield
    finally:
        world.control("faults")
        from billing.testing.memory import forget_stripe

        forget_stripe()
