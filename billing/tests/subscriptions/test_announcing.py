"""A step from one state of ours to the next is announced by its signals, and other steps by none."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from billing import signals
from billing.models import AnnouncedAccess, Customer, Lane, Plan, Price, StripeWrite, Subscription
from billing.subscriptions import announcing

pytestmark = pytest.mark.django_db

MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
LIVES = ["active", "trialing", "past_due", "unpaid", "paused"]


@pytest.fixture
def ada(world):
    """A customer, beside one of whom nothing is ever said."""
    Customer.objects.create(pk="cus_ben")
    return Customer.objects.create(pk="cus_ada")


@pytest.fixture
def prices(db):
    plan = Plan.objects.create(slug="told", name="Told", rank=1)
    return [Price.objects.create(pk=f"price_{n}", plan=plan, currency="usd", unit_amount=n, interval="month")
            for n in (1, 2)]  # fmt: skip


def row(customer, status="active", stripe_id="sub_1", **columns):
    """A row of ours whose start, if it has started, was announced."""
    usual = {"has_announced_start": status in announcing.STARTED}
    return Subscription(customer=customer, status=status, stripe_id=stripe_id, **{**usual, **columns})


def at_stripe(stripe_id="sub_1", status="canceled", reason="cancellation_requested"):
    return {"id": stripe_id, "status": status, "ended_at": 900, "cancellation_details": reason and {"reason": reason}}


@pytest.fixture
def said(world):
    """Return what was said of a step: each signal's name with what it says besides."""

    def tell(before, after, found=()):
        heard = []
        send = announcing._send

        def noted(signal, subscription, **details):
            send(signal, subscription, **details)
            heard.append((world.heard[-1][0], subscription.stripe_id, details))

        announcing._send = noted
        try:
            world.heard.clear()
            announcing.announce_transitions(before, after, list(found))
        finally:
            announcing._send = send
        assert {customer for _, customer in world.heard} <= {"cus_ada"}
        assert len(heard) == len(world.heard)
        return heard

    return tell


@pytest.mark.parametrize("status", LIVES)
def test_what_begins_to_live_is_started_and_what_goes_on_is_not_said(said, ada, status):
    started = [("subscription_started", "sub_1", {})]
    assert said(Subscription(customer=ada), row(ada, status)) == started
    assert said(row(ada, "incomplete"), row(ada, status)) == started
    assert said(row(ada, "active"), row(ada, status)) == []


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "canceled"])
def test_what_never_lived_is_neither_started_nor_ended(said, ada, status):
    assert said(Subscription(customer=ada), row(ada, status)) == []
    assert said(row(ada, "incomplete"), row(ada, status)) == []


@pytest.mark.parametrize("status", LIVES)
def test_an_end_says_stripes_reason_of_that_subscription_alone(said, ada, status):
    found = [at_stripe("sub_2", reason="payment_failed"), at_stripe()]
    ended = [("subscription_ended", "sub_1", {"reason": "cancellation_requested"})]
    assert said(row(ada, status), row(ada, "canceled"), found) == ended
    for nothing in ([], [at_stripe(reason=None)], [at_stripe(reason="")], found[:1]):
        assert said(row(ada, status), row(ada, "canceled"), nothing) == [
            ("subscription_ended", "sub_1", {"reason": ""})
        ]
    assert said(row(ada, "canceled"), row(ada, "canceled"), found) == []


@pytest.mark.parametrize("columns", [{"counts": False}, {"whose": "unknown"}, {"whose": "foreign", "counts": False}])
def test_of_what_does_not_count_or_is_no_plan_of_ours_nothing_is_said(said, ada, columns):
    columns = {**columns, "has_announced_start": False}
    assert said(Subscription(customer=ada), row(ada, **columns)) == []
    assert said(row(ada, **columns), row(ada, quantity=2, cancel_at=MAY, **columns)) == []
    assert said(row(ada, **columns), row(ada, "canceled", **columns)) == []


def test_what_comes_to_count_was_started_once(said, ada):
    waiting = row(ada, counts=False, has_announced_start=False)
    assert said(waiting, row(ada)) == [("subscription_started", "sub_1", {})]
    assert said(row(ada, counts=False), row(ada)) == []


def test_a_price_that_a_plan_only_comes_to_know_is_no_change(said, ada, prices):
    unknown = row(ada, plan=prices[0].plan, whose="unknown")
    assert said(unknown, row(ada, plan=prices[0].plan, price=prices[0])) == []
    assert said(row(ada, plan=prices[0].plan, price=prices[0]), unknown) == []


def test_another_price_or_number_is_a_change_that_names_the_plan_before(said, ada, prices):
    low, high = prices
    changed = [("subscription_changed", "sub_1", {"previous_plan": low.plan})]
    before = {"price": low, "plan": low.plan, "quantity": 1}
    assert said(row(ada, **before), row(ada, **{**before, "price": high})) == changed
    assert said(row(ada, **before), row(ada, **{**before, "quantity": 2})) == changed
    assert said(row(ada, **before), row(ada, **before)) == []
    assert said(row(ada, **before), row(ada, "canceled", **{**before, "quantity": 2}))[0][0] == "subscription_ended"


def test_an_end_or_a_plan_that_is_ahead_is_said_once_and_its_withdrawal_is_not(said, ada, prices):
    scheduled = {"pending_kind": "scheduled", "pending_price": prices[1], "pending_at": MAY}
    for column, later, name, details in (
        ({"cancel_at": MAY}, {"cancel_at": JUNE}, "cancellation_scheduled", {"cancel_at": MAY}),
        (scheduled, {**scheduled, "pending_at": JUNE}, "change_scheduled", {"price": prices[1], "at": MAY}),
    ):
        assert said(row(ada), row(ada, **column)) == [(name, "sub_1", details)]
        assert said(row(ada, **column), row(ada, **column)) == []
        assert said(row(ada, **column), row(ada)) == []
        assert [heard[0] for heard in said(row(ada, **column), row(ada, **later))] == [name]
        new = said(Subscription(customer=ada), row(ada, **column))
        assert [heard[0] for heard in new] == ["subscription_started", name], "a new one's is news"
    other = {**scheduled, "pending_price": prices[0]}
    assert [heard[0] for heard in said(row(ada, **scheduled), row(ada, **other))] == ["change_scheduled"]
    waits = {**scheduled, "pending_kind": "update"}
    assert said(row(ada), row(ada, **waits)) == [], "what waits for a payment has no day"
    assert said(row(ada, "canceled"), row(ada, "canceled", **scheduled, cancel_at=MAY)) == []


def test_what_was_scheduled_while_another_counted_is_said_once_this_one_counts(said, ada, prices):
    change = {"pending_kind": "scheduled", "pending_price": prices[1], "pending_at": MAY}
    for column, name in (({"cancel_at": MAY}, "cancellation_scheduled"), (change, "change_scheduled")):
        beside, alone = row(ada, counts=False, **column), row(ada, counts=True, **column)
        assert said(row(ada), beside) == [], "the other one goes on"
        assert [heard[0] for heard in said(beside, alone)] == [name]
        assert said(alone, alone) == []


def test_the_end_that_stands_is_mailed_when_what_staff_sold_beside_it_is_given_back(world):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    team = world.subscribe_again(ada, Price.objects.get(lookup_key="team_month").pk, trial_end="now")
    world.deliver()
    assert "cancellation_scheduled" not in world.said(ada), "access goes on by the other one"
    world.stripe("DELETE", f"subscriptions/{team}")
    world.deliver()
    assert world.said(ada).count("cancellation_scheduled") == 1
    assert ada.access.subscription.stripe_id == ada.subscription


def test_a_start_has_the_seats_looked_at_and_wakes_nobody(said, ada, settings):
    """The drain that found the start is under way: another of the same lane would find nothing."""
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"
    said(Subscription(customer=ada), row(ada))
    owed = StripeWrite.objects.get()
    assert (owed.action, owed.lane, owed.reference) == ("set_seats", "cus_ada", "sub_1")
    assert not Lane.objects.filter(pk__in=["cus_ada", "cus_ben"]).exists()
    said(row(ada), row(ada, "past_due"))
    assert StripeWrite.objects.count() == 1


def test_the_end_of_a_trial_is_said_once_and_only_while_it_is_ahead(world, ada):
    from billing.testing import now

    ahead, over = now() + timedelta(seconds=30), now() - timedelta(seconds=30)
    one = row(ada, "trialing")
    one.save()
    Subscription.objects.create(customer_id="cus_ben", trial_end=ahead)
    world.heard.clear()
    for trial_end, names in ((None, []), (over, []), (ahead, ["trial_ending"]), (ahead, [])):
        one.trial_end = trial_end
        announcing.announce_trial_end(one)
        assert [name for name, customer in world.heard if customer == "cus_ada"] == names
        world.heard.clear()
    assert Subscription.objects.get(customer=ada).announced_trial_end == ahead
    assert Subscription.objects.get(customer="cus_ben").announced_trial_end is None


def test_of_who_never_had_a_subscription_no_access_is_said(world, ada):
    world.heard.clear()
    announcing.announce_access("cus_ada")
    announcing.announce_access("cus_nobody")
    assert world.heard == []


@pytest.fixture
def live(ada):
    """Two with access that nobody was told of."""
    plan = Plan.objects.create(slug="live", name="Live", rank=1)
    return [Subscription.objects.create(customer_id=pk, stripe_id=f"sub_{pk}", status="active", plan=plan)
            for pk in ("cus_ada", "cus_ben")]  # fmt: skip


@pytest.fixture
def told(world):
    """The signals about access, each with its customer and what it says besides."""
    heard = []

    def listener(name):
        return lambda subscription, reason, revoked_because=None, **_: heard.append(
            (name, subscription.customer_id, reason, revoked_because)
        )

    for name in ("access_granted", "access_revoked"):
        getattr(signals, name).connect(listener(name), dispatch_uid="told", weak=False)
    yield heard
    for name in ("access_granted", "access_revoked"):
        getattr(signals, name).disconnect(dispatch_uid="told")


def test_access_is_said_when_it_comes_and_when_it_goes_and_why_it_had_gone(live, told):
    mine = Subscription.objects.filter(customer="cus_ada")
    for _ in range(2):
        announcing.announce_access("cus_ada")
    mine.update(status="unpaid")
    for _ in range(2):
        announcing.announce_access("cus_ada")
    mine.update(status="active")
    announcing.announce_access("cus_ada")
    assert told == [
        ("access_granted", "cus_ada", "active", ""), ("access_revoked", "cus_ada", "unpaid", None),
        ("access_granted", "cus_ada", "active", "unpaid"),
    ]  # fmt: skip
    assert list(AnnouncedAccess.objects.values_list("customer", "line", "is_granted", "revoked_because")) == [
        ("cus_ada", "main", True, "unpaid")
    ]


def test_what_was_announced_of_a_customer_is_not_announced_again_of_its_subscriber(live, told):
    announcing.announce_access("cus_ada")
    told.clear()
    user = get_user_model().objects.create_user("ada@example.com")
    Customer.objects.filter(pk="cus_ada").update(subscriber=user)
    announcing.announce_access("cus_ada")
    assert told == []
    Subscription.objects.filter(customer="cus_ada").update(status="unpaid")
    announcing.announce_access("cus_ada")
    assert told == [("access_revoked", "cus_ada", "unpaid", None)]
    row = AnnouncedAccess.objects.get()
    assert (row.subscriber, row.customer) == (user, None)


@pytest.mark.parametrize(
    ("columns", "is_past"),
    [
        ({}, True),
        ({"past_due_since": JUNE}, False),
        ({"past_due_since": None}, False),
        ({"counts": False}, False),
        ({"line": "other"}, False),
    ],
)
def test_whose_grace_is_over_and_who_was_not_told_yet_is_found(live, settings, time_machine, columns, is_past):
    settings.BILLING_CLOCK = ""
    settings.BILLING_ACCESS_RULE = "billing.tests.access.test_rules.refuses_everybody"
    time_machine.move_to(JUNE + timedelta(days=1), tick=False)
    overdue = {"status": "past_due", "past_due_since": MAY}
    for customer in ("cus_ada", "cus_ben"):
        AnnouncedAccess.objects.create(customer_id=customer, is_granted=True)
    Subscription.objects.filter(customer="cus_ada").update(**{**overdue, **columns})
    Subscription.objects.filter(customer="cus_ben").update(**{**overdue, "past_due_since": JUNE})
    assert announcing.customers_past_grace() == (["cus_ada"] if is_past else [])


@pytest.mark.parametrize(
    ("latest", "because", "is_free"),
    [
        ({"status": "paid", "amount_paid": 0}, "grace_over", True),
        ({"status": "paid", "amount_paid": 0}, "hold_staff", False),
        ({"status": "paid", "amount_paid": 2000}, "grace_over", False),
        ({"status": "void", "amount_paid": 0}, "hold_staff", True),
        ("in_1", "grace_over", False),
    ],
)
def test_access_is_back_without_a_payment_only_after_one_was_missing(latest, because, is_free):
    found = [
        {"id": "sub_2", "latest_invoice": {"status": "void", "amount_paid": 0}},
        {"id": "sub_1", "latest_invoice": latest},
    ]
    assert announcing._was_written_off(Subscription(stripe_id="sub_1"), found, because) is is_free
