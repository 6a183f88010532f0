"""The ledger of monthly revenue: the amount and the kind of each movement, and none where nothing moves."""

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
        before = Subscription(customer_id=customer)
        for row in rows:
            mrr.record_movement(before, row)
            before = row

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
