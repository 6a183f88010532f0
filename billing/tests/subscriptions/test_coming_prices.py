"""A price that comes by itself is remembered for its renewal, and what is charged then is reckoned or asked."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing.models import Customer, NextCharge, Plan, Price, Subscription
from billing.subscriptions import coming_prices

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
END = NOW + timedelta(days=20)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def prices():
    plan = Plan.objects.create(slug="coming", name="Coming", rank=1)
    return [
        Price.objects.create(pk=f"price_{name}", plan=plan, currency="usd", unit_amount=amount, interval="month")
        for name, amount in (("old", 500), ("new", 900))
    ]


def subscribed(name, **columns):
    usual = {"status": "active", "currency": "usd", "quantity": 3, "current_period_end": END}
    customer = Customer.objects.create(pk=f"cus_{name}")
    return Subscription.objects.create(customer=customer, stripe_id=f"sub_{name}", **{**usual, **columns})


def charge(subscription, **columns):
    usual = {"amount": 1500, "currency": "usd", "at": END, "version": 4, "attempts": 2}
    return NextCharge.objects.create(subscription=subscription, **{**usual, **columns})


@pytest.fixture
def ben(prices):
    row = charge(subscribed("ben"))
    return lambda: NextCharge.objects.filter(pk=row.pk).values().get(), row


@pytest.mark.parametrize(
    ("amount", "at", "becomes", "ask_at", "attempts"),
    [
        (1500, END, 2700, None, 0),
        (1500, END + DAY - SECOND, 2700, None, 0),
        (1500, END + DAY, 1500, None, 2),
        (1500, END - DAY, 1500, None, 2),
        (1400, END, None, NOW, 0),
        (None, END, None, None, 2),
    ],
)
def test_a_plain_amount_becomes_the_new_one_and_for_any_other_stripe_is_asked(
    prices, ben, amount, at, becomes, ask_at, attempts
):
    before = ben[0]()
    ada = subscribed("ada")
    charge(ada, amount=amount)
    coming_prices.expect(ada, *prices, at)
    row = NextCharge.objects.get(subscription=ada)
    assert (row.amount, row.ask_at, row.version, row.attempts) == (becomes, ask_at, 5, attempts)
    assert (row.replaced_price, row.coming_price, row.replaced_at) == ("price_old", prices[1], at)
    assert ben[0]() == before


def test_what_has_no_charge_yet_gets_a_row_that_knows_no_amount(prices, ben):
    ada = subscribed("ada")
    coming_prices.expect(ada, *prices, END)
    row = NextCharge.objects.get(subscription=ada)
    assert (row.amount, row.ask_at, row.coming_price) == (None, None, prices[1])


def test_what_will_not_come_is_forgotten_for_that_subscription_and_that_price_alone(prices, ben):
    ada = subscribed("ada")
    charge(ada)
    for subscription in (ada, ben[1].subscription):
        coming_prices.expect(subscription, *prices, END)
    before = ben[0]()
    coming_prices.forget(ada, prices[1], prices[1])
    coming_prices.forget(ada, *prices[::-1])
    assert NextCharge.objects.get(subscription=ada).coming_price == prices[1]
    coming_prices.forget(ada, *prices)
    row = NextCharge.objects.get(subscription=ada)
    assert (row.replaced_price, row.coming_price, row.replaced_at, row.amount) == ("", None, None, 1500)
    assert ben[0]() == before


@pytest.mark.parametrize(
    ("price", "end", "comes"),
    [
        ("price_old", END, True),
        ({"id": "price_old"}, END + DAY - SECOND, True),
        ("price_old", END + DAY, False),
        ("price_other", END, False),
    ],
)
def test_a_price_comes_into_the_item_that_it_replaces_at_its_renewal(prices, price, end, comes):
    row = NextCharge(replaced_price="price_old", coming_price=prices[1], replaced_at=END)
    item = {"price": price, "current_period_end": int(end.timestamp())}
    assert coming_prices.coming_in(row, item) == (prices[1] if comes else None)
    assert coming_prices.coming_in(NextCharge(), item) is None


def test_stripe_previews_the_next_invoice_by_the_coming_price(prices, ben):
    ada = subscribed("ada")
    row = charge(ada, replaced_price="price_old", coming_price=prices[1], replaced_at=END)
    assert coming_prices.preview_params(row) == {}, "it has no such item"
    ada.items.create(stripe_id="si_1", stripe_price="price_old", quantity=3)
    ada.items.create(stripe_id="si_2", stripe_price="price_old", quantity=None)
    ada.items.create(stripe_id="si_3", stripe_price="price_other", quantity=5)
    ben[1].subscription.items.create(stripe_id="si_4", stripe_price="price_old", quantity=7)
    params = coming_prices.preview_params(row)["subscription_details"]
    assert sorted(map(str, params.pop("items"))) == sorted(
        str({"id": name, "price": "price_new", "quantity": quantity}) for name, quantity in (("si_1", 3), ("si_2", 1))
    )
    assert params == {"proration_behavior": "none"}
    row.replaced_at = END + DAY
    assert coming_prices.preview_params(row) == coming_prices.preview_params(ben[1]) == {}


@pytest.mark.parametrize(
    ("one", "other", "are_near"),
    [
        (END, END, True),
        (END, END + DAY - SECOND, True),
        (END + DAY - SECOND, END, True),
        (END, END + DAY, False),
        (END + DAY, END, False),
        (None, END, False),
        (END, None, False),
    ],
)
def test_two_moments_are_one_renewal_within_a_day(one, other, are_near):
    assert coming_prices.is_near(one, other) is are_near


def test_a_charge_depends_on_what_comes(prices):
    assert coming_prices.basis_of(NextCharge(replaced_price="price_old")) == {}
    row = NextCharge(replaced_price="price_old", coming_price=prices[1], replaced_at=END)
    assert coming_prices.basis_of(row) == {"coming": ["price_old", "price_new", END]}
