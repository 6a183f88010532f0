"""A subscriber is shown each fact of their subscription, with and without what it is read from."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from billing import access, usage
from billing.lifecycle.overview import Overview, PendingChange, overview_of
from billing.models import Customer, Grant, Hold, Plan, Price, Subscription

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PRO = Plan(slug="pro", name="Pro", rank=1)
YEARLY = Price(plan=PRO, interval="year")


@pytest.mark.parametrize(
    ("kind", "effective_at", "expires_at"), [("scheduled", NOON, None), ("pending_update", None, NOON)]
)
def test_a_pending_change_takes_effect_or_lapses_at_its_moment(kind, effective_at, expires_at):
    change = PendingChange(kind, YEARLY, NOON, "https://pay")
    assert (change.plan, change.interval) == ("pro", "year")
    assert (change.effective_at, change.expires_at) == (effective_at, expires_at)


def test_a_change_to_a_price_of_no_plan_names_neither_plan_nor_interval():
    change = PendingChange("scheduled", None, NOON, "")
    assert (change.plan, change.interval) == ("", "")


def shown(subscription=None, *, has_access=False, grants=(), reason="x", plan=None, pending=None):
    decided = access.Access(has_access=has_access, reason=reason, subscription=subscription, plan=plan, grants=grants)
    return Overview(decided, plan, [], {}, NOON, pending)


def test_without_a_subscription_nothing_is_said_of_one(settings):
    settings.BILLING_FREE_PLAN = "gratis"
    nothing = shown()
    assert (nothing.plan, nothing.status, nothing.subscription) == ("gratis", "none", None)
    assert (nothing.current_period_end, nothing.cancel_at, nothing.trial_end) == (None, None, None)
    assert (nothing.is_by_grant, nothing.grant_ends_at, nothing.reason) == (False, None, "x")
    assert nothing.to_look_at().pending_change is None


def test_a_subscription_is_shown_as_its_row_says():
    row = Subscription(status="active", current_period_end=NOON, cancel_at=NOON + DAY, trial_end=NOON - DAY)
    active = shown(row, has_access=True, plan=PRO)
    assert (active.plan, active.status, active.has_access) == ("pro", "active", True)
    assert (active.current_period_end, active.cancel_at, active.trial_end) == (NOON, NOON + DAY, NOON - DAY)


@pytest.mark.parametrize(
    ("has_access", "reason", "is_by_grant"), [(True, "grant", True), (True, "active", False), (False, "closing", False)]
)
def test_what_was_given_is_shown_while_it_is_what_gives_access(has_access, reason, is_by_grant):
    given = shown(has_access=has_access, reason=reason, grants=(Grant(plan=PRO, until=NOON),))
    assert (given.is_by_grant, given.grant_ends_at) == (is_by_grant, NOON if is_by_grant else None)


def test_who_may_only_look_is_shown_the_change_and_not_where_to_pay_it():
    overview = shown(pending=PendingChange("pending_update", YEARLY, NOON, "https://pay"))
    seen = overview.to_look_at().pending_change
    assert (seen.confirm_url, seen.plan, seen.at) == ("", "pro", NOON)
    assert overview.pending_change.confirm_url == "https://pay"


# Rows


@pytest.fixture
def people(db, settings):
    settings.BILLING_CLOCK = ""
    plan = Plan.objects.create(slug="shown", name="Shown", rank=100)
    price = Price.objects.create(pk="price_shown", plan=plan, currency="usd", unit_amount=1, interval="month")
    found = []
    for name in ("ada", "ben"):
        user = get_user_model().objects.create_user(f"{name}@example.com")
        customer = Customer.objects.create(pk=f"cus_{name}", subscriber=user)
        Subscription.objects.create(customer=customer, stripe_id=f"sub_{name}", status="active", plan=plan, price=price)
        found.append(user)
    return found


def test_holds_in_force_are_shown_to_their_own_subscriber_the_oldest_first(people):
    ada, ben = people
    for reference, placed_at, released_at in (("2", NOON, None), ("1", NOON - DAY, None), ("0", NOON, NOON)):
        at = {"placed_at": placed_at, "released_at": released_at}
        Hold.objects.create(customer=ada.billing_customers.get(), kind="staff", reference=reference, **at)
    assert [hold.reference for hold in overview_of(ada).holds] == ["1", "2"]
    assert (overview_of(ben).holds, overview_of(ben).has_access, overview_of(ada).has_access) == ([], True, False)


def test_a_change_that_waits_is_shown_with_its_price_to_its_own_subscriber(people):
    ada, ben = people
    Subscription.objects.filter(customer="cus_ada").update(
        pending_kind="scheduled", pending_price="price_shown", pending_at=NOON, pending_url="https://pay"
    )
    change = overview_of(ada).pending_change
    assert (change.kind, change.plan, change.interval, change.at, change.confirm_url) == (
        "scheduled", "shown", "month", NOON, "https://pay",
    )  # fmt: skip
    assert overview_of(ben).pending_change is None


def test_whom_nobody_pays_for_is_shown_the_free_plan_with_nothing_used(people):
    nobody = overview_of(None)
    assert (nobody.reason, nobody.has_access, nobody.holds, nobody.pending_change) == ("no_subscriber", False, [], None)
    assert nobody.resets_at == usage.allowance(None).period_end
    assert not any(quota.used for quota in nobody.usage.values())
