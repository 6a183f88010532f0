"""Which discounts count, on what, and what they take off, rule by rule, by Stripe's answer alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from billing.catalogue.coupons import Part
from billing.models import Customer, Discount, Plan, Price, Subscription
from billing.subscriptions import discounts

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOW, tick=False):
        yield


def item(name="si_1", price="price_1", quantity=1, **changes):
    return {"id": name, "price": {"id": price, "product": "prod_1"}, "quantity": quantity, **changes}


def found(*items, **changes):
    usual = {"customer": {"id": "cus_ada"}, "currency": "usd", "items": {"data": list(items) or [item()]}}
    return {**usual, **changes}


def given(told):
    return [(each.found["id"], each.item, each.is_of_customer) for each in discounts.given_to(told)]


def di(name="di_1"):
    return {"id": name, "start": 1}


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (found(), []),
        (found(discounts=[di(), "di_2"]), [("di_1", "", False)]),
        (found(discounts=None, customer={"discount": di("di_c")}), [("di_c", "", True)]),
        (found(discounts=[di()], customer={"discount": di("di_c")}), [("di_1", "", False)]),
        (found(discounts=["di_1"], customer={"discount": di("di_c")}), [("di_c", "", True)]),
        (found(customer={"discount": None}), []),
        (found(customer="cus_ada"), []),
        (found(item(discounts=[di("di_i"), "di_2"])), [("di_i", "si_1", False)]),
        (found(item(discounts=[di("di_i")]), customer={"discount": di("di_c")}),
         [("di_i", "si_1", False), ("di_c", "", True)]),
        (found(item(discounts=None), item("si_2", discounts=[di("di_i")]), discounts=[di()]),
         [("di_i", "si_2", False), ("di_1", "", False)]),
    ],
)  # fmt: skip
def test_the_items_discounts_count_and_the_customers_only_where_there_are_no_own(told, counts):
    assert given(told) == counts


@pytest.fixture
def price():
    plan = Plan.objects.create(slug="cut", name="Cut", rank=1)
    return Price.objects.create(pk="price_1", plan=plan, currency="usd", unit_amount=500, interval="month")


def subscribed(name, price, **columns):
    customer = Customer.objects.create(pk=f"cus_{name}")
    usual = {"stripe_id": f"sub_{name}", "status": "active", "currency": "usd", "price": price, "mrr": 500}
    return Subscription.objects.create(customer=customer, **{**usual, **columns})


def discount(row, name="di_1", **columns):
    usual = {"customer": row.customer, "coupon": "c", "starts_at": NOW, "duration": "forever"}
    return Discount.objects.create(subscription=row, stripe_id=name, **{**usual, **columns})


@pytest.mark.parametrize(
    ("told", "of_customer", "mrr_off", "is_behind"),
    [
        (found(discounts=["di_1"]), False, 0, False),
        (found(discounts=[di()]), False, 5, False),
        (found(item(discounts=["di_1"])), False, 0, False),
        (found(discounts=["di_2"]), False, 0, True),
        (found(discounts=["di_1", "di_2"]), False, 0, True),
        (found(discounts=["di_1"]), True, 0, True),
        (found(), False, 5, True),
        (found(), False, 0, False),
        (found(), True, 5, False),
    ],
)
def test_rows_are_behind_where_stripe_names_other_discounts_than_ours(price, told, of_customer, mrr_off, is_behind):
    row = subscribed("ada", price, mrr_off=mrr_off)
    discount(row, is_of_customer=of_customer)
    discount(subscribed("ben", price), "di_ben")
    assert discounts.is_behind(row, told) is is_behind


@pytest.mark.parametrize(("ends_at", "lasts"), [(None, True), (NOW + SECOND, True), (NOW, False)])
def test_a_discount_lasts_until_its_end(price, ends_at, lasts):
    row = subscribed("ada", price)
    discount(subscribed("ben", price), "di_ben")
    own = discount(row, ends_at=ends_at)
    assert discounts.discounts_of(row) == ([own] if lasts else [])
    assert discounts.discounts_of(None) == discounts.discounts_of(Subscription()) == []
    setattr(row, discounts.HAS_SOME, False)
    assert discounts.discounts_of(row) == [], "it is known that there are none, and nobody asks"


@pytest.mark.parametrize(
    ("told", "amount"),
    [
        (item(quantity=3), 1500),
        (item(price="price_other", quantity=3), None),
        ({**item(quantity=3), "price": {"id": "price_2", "unit_amount": 200, "product": {"id": "prod_1"}}}, 600),
        ({**item(quantity=0), "price": {"id": "price_2", "unit_amount": 200, "product": "prod_1"}}, 0),
        ({**item(quantity=None), "price": {"id": "price_2", "unit_amount": 200, "product": "prod_1"}}, None),
        (
            {**item(), "price": {"id": "p", "unit_amount": 2, "billing_scheme": "tiered", "product": "prod_1"}},
            None,
        ),
        (
            {**item(), "price": {"id": "p", "unit_amount": 2, "billing_scheme": "per_unit", "product": "prod_1"}},
            2,
        ),
    ],
)
def test_an_item_costs_what_its_price_says_ours_or_stripes(price, told, amount):
    assert discounts.parts_of(found(told)) == {"si_1": Part(amount, "prod_1")}


PARTS = {"si_1": Part(1000, "prod_1"), "si_2": Part(400, "prod_2")}


@pytest.mark.parametrize(
    ("columns", "saves", "left"),
    [
        ({"percent_off": Decimal(10)}, 140, (900, 360)),
        ({"percent_off": Decimal(10), "item": "si_2"}, 40, (1000, 360)),
        ({"percent_off": Decimal(10), "products": ["prod_1"]}, 100, (900, 400)),
        ({"amounts": {"usd": 1100}}, 1100, (0, 300)),
        ({"amounts": {"usd": 9000}}, 1400, (0, 0)),
        ({"amounts": {"usd": 300}, "item": "si_1"}, 300, (700, 400)),
    ],
)
def test_what_one_discount_takes_off_is_not_there_for_the_next(columns, saves, left):
    one = Discount(coupon="c", **columns)
    rest = discounts._reckon(one, PARTS, "usd")
    assert (one.saves, tuple(rest[name].amount for name in ("si_1", "si_2"))) == (saves, left)
    assert [part.product for part in rest.values()] == ["prod_1", "prod_2"]


def test_a_discount_in_another_currency_takes_nothing_off():
    one = Discount(coupon="c", amounts={"eur": 300})
    assert discounts._reckon(one, PARTS, "usd") == PARTS
    assert not one.saves


@pytest.mark.parametrize(
    ("columns", "price_columns", "rows", "off"),
    [
        ({}, {}, [("forever", 100)], 100),
        ({}, {}, [("forever", 100), ("forever", 50), ("once", 7), ("forever", None)], 150),
        ({}, {}, [("forever", 600)], 500),
        ({}, {"interval": "year"}, [("forever", 100)], 8),
        ({}, {"interval_count": 3}, [("forever", 100)], 33),
        ({"mrr": 0}, {}, [("forever", 100)], 0),
        ({"price": None}, {}, [("forever", 100)], 0),
        ({}, {}, [], 0),
    ],
)
def test_lasting_discounts_lower_the_mrr_by_the_month_and_not_below_nothing(price, columns, price_columns, rows, off):
    for name, value in price_columns.items():
        setattr(price, name, value)
    row, ben = subscribed("ada", **{"price": price, **columns}), subscribed("ben", price, mrr_off=9)
    discounts._update_mrr_off(row, [Discount(coupon="c", duration=duration, saves=saves) for duration, saves in rows])
    assert (row.mrr_off, Subscription.objects.get(pk=row.pk).mrr_off) == (off, off)
    assert Subscription.objects.get(pk=ben.pk).mrr_off == 9
