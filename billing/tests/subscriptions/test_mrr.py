"""The ledger of monthly revenue: the amount and the kind of each movement, and none where nothing moves."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.models import Customer, MrrMovement, Plan, Price, Subscription
from billing.subscriptions import mrr

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _wall_clock(settings):
    settings.BILLING_CLOCK = ""


@pytest.fixture
def price():
    plan = Plan.objects.create(slug="counted", name="Counted", rank=1)
    return Price.objects.create(
        pk="price_1", plan=plan, currency="usd", unit_amount=1000, interval="month", currency_options={"eur": 900}
    )


@pytest.fixture
def move(price):
    """A customer's subscription goes through states (status, quantity, currency); nothing of it is saved."""

    def go(customer, *states):
        Customer.objects.get_or_create(pk=customer)
        rows = [
            Subscription(customer_id=customer, status=status, price=price, quantity=quantity, currency=currency)
            for status, quantity, currency in states
        ]
        for row in rows:
            row.mrr = mrr.of_row(row)
            mrr.record_movement(customer, [row])

    return go


def ledger(customer="cus_ada"):
    rows = MrrMovement.objects.filter(customer=customer).order_by("pk")
    return list(rows.values_list("kind", "amount", "currency"))


@pytest.mark.parametrize(
    ("states", "movements"),
    [
        ([("trialing", 1, "usd")], []),
        ([("active", 1, "usd")], [("new", 1000, "usd")]),
        ([("active", 1, "usd"), ("past_due", 1, "usd")], [("new", 1000, "usd")]),
        ([("active", 2, "usd"), ("active", 3, "usd")], [("new", 2000, "usd"), ("expansion", 1000, "usd")]),
        ([("active", 2, "usd"), ("active", 1, "usd")], [("new", 2000, "usd"), ("contraction", -1000, "usd")]),
        ([("active", 2, "usd"), ("canceled", 2, "usd")], [("new", 2000, "usd"), ("churn", -2000, "usd")]),
        (
            [("active", 1, "usd"), ("canceled", 1, "usd"), ("active", 2, "usd")],
            [("new", 1000, "usd"), ("churn", -1000, "usd"), ("reactivation", 2000, "usd")],
        ),
        (
            [("active", 1, "usd"), ("active", 1, "eur")],
            [("new", 1000, "usd"), ("churn", -1000, "usd"), ("reactivation", 900, "eur")],
        ),
    ],
)
def test_each_step_is_recorded_by_its_kind_and_by_how_much_it_moves(move, states, movements):
    move("cus_ben", ("active", 5, "usd"))
    move("cus_ada", *states)
    assert ledger() == movements
    assert ledger("cus_ben") == [("new", 5000, "usd")]


@pytest.mark.parametrize(
    ("had", "brings", "is_known", "kind"),
    [
        (None, 1, False, "new"),
        (None, 1, True, "reactivation"),
        (0, 1, True, "reactivation"),
        (2, 0, True, "churn"),
        (2, 1, True, "contraction"),
        (2, 3, True, "expansion"),
    ],
)
def test_the_kind_of_a_movement_tells_what_there_was_from_what_there_is(had, brings, is_known, kind):
    assert mrr._kind(had, brings, is_known=is_known) == kind


@pytest.mark.parametrize("status", Subscription.Status.values)
def test_only_what_is_paid_for_or_overdue_counts(price, status):
    row = Subscription(status=status, price=price, quantity=3, currency="usd")
    assert mrr.monthly_amount(row) == (3000 if status in {"active", "past_due"} else 0)
    assert mrr.monthly_amount(Subscription(status=status, quantity=3, currency="usd")) == 0


@pytest.mark.parametrize(
    ("interval", "count", "amount"),
    [("month", 1, 1200), ("month", 3, 400), ("year", 1, 100), ("year", 2, 50), ("week", 1, 5200), ("day", 2, 18_250)],
)
def test_what_is_paid_by_other_intervals_counts_by_the_month(price, interval, count, amount):
    price.unit_amount, price.interval, price.interval_count = 1200, interval, count
    assert mrr.monthly_amount(Subscription(status="active", price=price, quantity=1, currency="usd")) == amount


@pytest.mark.parametrize(("currency", "amount"), [("usd", 1000), ("eur", 900), ("gbp", 0)])
def test_the_amount_is_in_the_subscriptions_currency(price, currency, amount):
    assert mrr.monthly_amount(Subscription(status="active", price=price, quantity=1, currency=currency)) == amount


@pytest.mark.parametrize(
    ("terms", "amount"),
    [
        ({"tiers_mode": "graduated", "tiers": {"usd": [{"up_to": 2, "unit": "1000", "flat": "0"},
                                                       {"up_to": None, "unit": "800", "flat": "0"}]}}, 2800),
        ({"package": {"divide_by": 2, "round": "up"}, "decimals": {"usd": "1000"}}, 2000),
        ({"is_metered": True, "decimals": {"usd": "1000"}}, 0),
        ({}, 0),
    ],
)  # fmt: skip
def test_tiers_and_packages_count_what_they_cost_and_usage_counts_nothing(price, terms, amount):
    price.unit_amount, price.terms = None, terms
    assert mrr.monthly_amount(Subscription(status="active", price=price, quantity=3, currency="usd")) == amount


NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_what_was_imported_counts_from_when_it_began_to_be_paid_once_and_for_those_named(price, time_machine):
    time_machine.move_to(NOON, tick=False)
    usual = {"status": "active", "price": price, "quantity": 1, "currency": "usd"}
    columns = {
        "cus_new": {}, "cus_began": {"started_at": NOON - 9 * DAY},
        "cus_tried": {"started_at": NOON - 9 * DAY, "trial_end": NOON - 2 * DAY}, "cus_trial": {"status": "trialing"},
        "cus_free": {"currency": "gbp"}, "cus_known": {}, "cus_other": {},
    }  # fmt: skip
    for customer, more in columns.items():
        Customer.objects.create(pk=customer)
        row = Subscription(customer_id=customer, stripe_id=f"sub_{customer}", **{**usual, **more})
        row.mrr = mrr.of_row(row)
        row.save()
    MrrMovement.objects.create(customer_id="cus_known", kind="new", amount=5, currency="usd", moved_at=NOON)
    for _ in range(2):
        mrr.record_first_movements([customer for customer in columns if customer != "cus_other"])
    found = MrrMovement.objects.exclude(customer="cus_known").values_list("customer", "kind", "amount", "moved_at")
    assert set(found) == {
        ("cus_new", "new", 1000, NOON), ("cus_began", "new", 1000, NOON - 9 * DAY),
        ("cus_tried", "new", 1000, NOON - 2 * DAY),
    }  # fmt: skip
    assert MrrMovement.objects.filter(customer="cus_known").count() == 1
