"""A coupon is read from Stripe's answer, and takes off what Stripe takes off: never more than there is."""

from decimal import Decimal

import pytest

from billing.catalogue.coupons import Coupon, Part


def test_the_terms_of_a_coupon_are_stripes():
    found = {
        "id": "half", "name": "Half", "percent_off": 12.5, "duration": "repeating", "duration_in_months": 3,
        "applies_to": {"products": ["prod_1"]}, "currency": None, "amount_off": None,
        "currency_options": {"eur": {"amount_off": 5}},
    }  # fmt: skip
    assert Coupon.of(found) == Coupon("half", "Half", Decimal("12.5"), {}, ("prod_1",), "repeating", 3)
    amount = {"id": "five", "amount_off": 500, "currency": "usd"}
    assert Coupon.of(amount) == Coupon("five", "", None, {"usd": 500})
    options = {"eur": {"amount_off": 450}, "usd": {"amount_off": 499}}
    assert Coupon.of({**amount, "currency_options": options}).amounts == {"eur": 450, "usd": 500}
    assert Coupon.of({"id": "bare", "applies_to": None, "currency_options": None}) == Coupon("bare")


def test_a_coupon_of_nothing_yet_is_known_by_its_amount_or_share():
    assert not Coupon("bare").is_known
    assert Coupon(percent_off=Decimal(0)).is_known
    assert Coupon(amounts={"usd": 5}).is_known
    assert Coupon.of({"id": "none", "amount_off": 0, "currency": "usd"}).amounts == {"usd": 0}


@pytest.mark.parametrize(
    ("duration", "is_lasting"), [("once", False), ("repeating", True), ("forever", True), ("", False)]
)
def test_a_coupon_lasts_where_it_counts_for_more_than_one_invoice(duration, is_lasting):
    assert Coupon(duration=duration).is_lasting is is_lasting


def test_a_share_counts_in_any_currency_and_an_amount_in_its_own():
    assert Coupon(percent_off=Decimal(5)).is_in("eur")
    amount = Coupon(amounts={"usd": 5})
    assert (amount.is_in("usd"), amount.is_in("eur")) == (True, False)


def test_without_products_it_is_for_all_of_them():
    assert Coupon().is_for("prod_1")
    assert Coupon(products=("prod_1",)).is_for("prod_1")
    assert not Coupon(products=("prod_1",)).is_for("prod_2")


SHARE = {"percent_off": Decimal(10)}
AMOUNT = {"amounts": {"usd": 500}}


@pytest.mark.parametrize(
    ("terms", "parts", "off"),
    [
        (SHARE, [Part(1000)], 100),
        (SHARE, [Part(1000), Part(2000)], 300),
        # Stripe rounds the half up, part by part.
        (SHARE, [Part(5)], 1),
        (SHARE, [Part(4)], 0),
        (SHARE, [Part(5), Part(5)], 2),
        (SHARE, [Part(-1000), Part(1000)], 100),
        (SHARE, [], 0),
        (AMOUNT, [Part(2000)], 500),
        (AMOUNT, [Part(500)], 500),
        (AMOUNT, [Part(499)], 499),
        (AMOUNT, [Part(300), Part(100)], 400),
        (AMOUNT, [Part(-300), Part(100)], 100),
        ({"amounts": {"eur": 500}}, [Part(2000)], 0),
        # What usage decides is not known ahead, and what it is not for does not matter.
        (SHARE, [Part(None)], None),
        (SHARE, [Part(1000), Part(None)], None),
        ({**SHARE, "products": ("prod_1",)}, [Part(1000, "prod_1"), Part(None, "prod_2")], 100),
        ({**AMOUNT, "products": ("prod_1",)}, [Part(100, "prod_1"), Part(900, "prod_2")], 100),
        ({**AMOUNT, "products": ("prod_1",)}, [Part(900)], 0),
        ({}, [Part(1000)], None),
    ],
)
def test_it_takes_off_what_stripe_takes_off_and_never_more_than_there_is(terms, parts, off):
    assert Coupon(**terms).off(parts, "usd") == off
