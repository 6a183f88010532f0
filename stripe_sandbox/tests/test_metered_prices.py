"""Prices by unit, in tiers and in packages, and the invoices they lead to."""

from decimal import Decimal
from typing import Any

import pytest
import stripe

from .metered import MONTH, Shop, lines, shop

__all__ = ["shop"]
FIRST_THOUSAND = [
    {"up_to": 1000, "unit_amount": 0, "flat_amount": 900},
    {"up_to": "inf", "unit_amount_decimal": Decimal("3.6"), "flat_amount_decimal": Decimal(0)},
]
STEPS: list[Any] = [{"up_to": 10_000, "unit_amount": 50}, {"up_to": "inf", "unit_amount": 40}]


def tiered(mode: str, tiers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": tiers}


def billed(shop: Shop, price: Any, used: Any) -> Any:
    sub = shop.subscribed(price)
    shop.use(sub, used)
    shop.pass_period(sub)
    return shop.latest(sub)


def test_graduated_tiers_have_a_line_each_and_one_for_each_flat_fee(shop: Shop) -> None:
    """The words, quantities and the order are those of an invoice that Stripe drew up."""
    shop.client.v1.products.update(shop.product.id, {"unit_label": "credit"})
    invoice = billed(shop, shop.price(**tiered("graduated", FIRST_THOUSAND)), 1031)
    assert lines(invoice) == [
        ("1000 credit × Tokens (Tier 1 at $0.00 / month)", 0),
        ("Tokens (Tier 1 at $9.00 / month)", 900),
        ("31 credit × Tokens (Tier 2 at $0.036 / month)", 112),
        ("Tokens (Tier 2 at $0.00 / month)", 0),
    ]
    assert [line.quantity for line in invoice.lines.data] == [1000, 0, 31, 0]
    assert [str(line.pricing.unit_amount_decimal) for line in invoice.lines.data] == ["0", "None", "3.6", "None"]
    assert (invoice.total, invoice.status, invoice.amount_paid) == (1012, "paid", 1012)


def test_the_flat_fee_of_the_first_tier_is_due_even_without_usage(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(**tiered("graduated", FIRST_THOUSAND)))
    shop.pass_period(sub)
    assert lines(shop.latest(sub)) == [
        ("0 × Tokens (Tier 1 at $0.00 / month)", 0),
        ("Tokens (Tier 1 at $9.00 / month)", 900),
    ]


@pytest.mark.parametrize(
    ("used", "expected"),
    [(10_000, ("10000 × Tokens (Tier 1 at $0.50 / month)", 500_000)),
     (10_001, ("10001 × Tokens (Tier 2 at $0.40 / month)", 400_040))],
)  # fmt: skip
def test_a_volume_tier_prices_all_units(shop: Shop, used: int, expected: tuple[str, int]) -> None:
    assert lines(billed(shop, shop.price(**tiered("volume", STEPS)), used)) == [expected]


@pytest.mark.parametrize(("rounding", "hours"), [("up", 3), ("down", 2)])
def test_packages_are_counted_whole(shop: Shop, rounding: str, hours: int) -> None:
    """150 minutes at 10 USD an hour."""
    price = shop.price(unit_amount=1000, transform_quantity={"divide_by": 60, "round": rounding})
    invoice = billed(shop, price, 150)
    assert lines(invoice) == [("150 × Tokens (at $10.00 per 60 units / month)", hours * 1000)]


def test_amounts_below_a_cent_are_added_up_before_they_are_rounded(shop: Shop) -> None:
    invoice = billed(shop, shop.price(unit_amount_decimal=Decimal("0.04")), 123_456)
    assert lines(invoice) == [("123456 × Tokens (at $0.0004 / month)", 4938)]


def test_usage_may_have_decimals(shop: Shop) -> None:
    invoice = billed(shop, shop.price(unit_amount=200), "12.75")
    line = invoice.lines.data[0]
    assert (line.quantity, str(line.quantity_decimal), line.amount) == (12, "12.75", 2550)


def test_usage_below_zero_counts_as_none(shop: Shop) -> None:
    assert lines(billed(shop, shop.price(unit_amount=200), -4)) == [("0 × Tokens (at $2.00 / month)", 0)]


def test_a_price_shows_its_amounts_as_they_are(shop: Shop) -> None:
    half = shop.price(unit_amount_decimal=Decimal("0.50"))
    assert (half.unit_amount, half.unit_amount_decimal, half.recurring.meter) == (None, Decimal("0.5"), shop.meter.id)
    whole = shop.licensed(unit_amount_decimal=Decimal("12.0"))
    assert (whole.unit_amount, whole.unit_amount_decimal) == (12, Decimal(12))
    steps = shop.price(**tiered("volume", STEPS), expand=["tiers"])
    assert (steps.billing_scheme, steps.tiers_mode, steps.unit_amount) == ("tiered", "volume", None)
    assert [(tier.up_to, tier.unit_amount, tier.flat_amount) for tier in steps.tiers] == [
        (10_000, 50, None),
        (None, 40, None),
    ]
    assert "tiers" not in shop.client.v1.prices.retrieve(steps.id)
    plan = shop.client.v1.plans.retrieve(steps.id, {"expand": ["tiers"]})
    assert (plan.usage_type, plan.amount, [tier.unit_amount for tier in plan.tiers or []]) == (
        "metered",
        None,
        [50, 40],
    )


def test_tiers_price_the_seats_of_a_licence_too_and_a_change_credits_all_of_them(shop: Shop) -> None:
    seats = shop.licensed(
        **tiered("graduated", [{"up_to": 2, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 600}])
    )
    given: Any = {"customer": shop.subscriber().id, "items": [{"price": seats.id, "quantity": 5}]}
    sub = shop.client.v1.subscriptions.create(given)
    assert lines(shop.latest(sub)) == [
        ("2 × Tokens (Tier 1 at $10.00 / month)", 2000),
        ("3 × Tokens (Tier 2 at $6.00 / month)", 1800),
    ]
    item: Any = sub["items"].data[0]
    fewer: Any = {"items": [{"id": item.id, "quantity": 1}], "proration_behavior": "always_invoice"}
    shop.client.v1.subscriptions.update(sub.id, {**fewer, "proration_date": item.current_period_start})
    credit, charge = (line.amount for line in shop.latest(sub).lines.data)
    assert (credit, charge) == (-3800, 1000)
    named = shop.latest(sub).lines.data[0].parent.subscription_item_details.proration_details.credited_items
    assert len(named.invoice_line_items) == 2


def test_tiers_have_amounts_in_other_currencies(shop: Shop) -> None:
    euros: Any = {"eur": {"tiers": [{"up_to": "inf", "unit_amount": 7}]}}
    price = shop.price(**tiered("graduated", [{"up_to": "inf", "unit_amount": 5}]), currency_options=euros)
    sub = shop.subscribed(price, currency="eur")
    shop.use(sub, 100)
    shop.pass_period(sub)
    assert (shop.latest(sub).currency, shop.latest(sub).total) == ("eur", 700)


@pytest.mark.parametrize(
    ("amounts", "param"),
    [
        ({"unit_amount": 5, **tiered("graduated", STEPS)}, "unit_amount"),
        ({"billing_scheme": "tiered", "tiers": STEPS}, "tiers_mode"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume"}, "tiers"),
        ({"unit_amount": 5, "tiers": STEPS}, "billing_scheme"),
        (tiered("volume", [{"up_to": 5, "unit_amount": 1}]), "tiers[0][up_to]"),
        (tiered("volume", [{"up_to": 5, "unit_amount": 1}, {"up_to": 5, "unit_amount": 1}, *STEPS]), "tiers[1][up_to]"),
        (tiered("volume", [{"up_to": "inf"}]), "tiers[0]"),
        ({**tiered("volume", STEPS), "transform_quantity": {"divide_by": 2, "round": "up"}}, "transform_quantity"),
        ({"unit_amount": 5, "transform_quantity": {"divide_by": 0, "round": "up"}}, "transform_quantity[divide_by]"),
        ({"unit_amount": 5, "unit_amount_decimal": Decimal(5)}, "unit_amount"),
        ({"unit_amount_decimal": Decimal("0.1234567890123")}, "unit_amount_decimal"),
        ({}, None),
    ],
)
def test_amounts_that_contradict_each_other_are_refused(shop: Shop, amounts: dict[str, Any], param: str | None) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.price(**amounts)
    assert refused.value.param == param


def test_a_metered_price_needs_an_active_meter_and_no_other_has_one(shop: Shop) -> None:
    without: Any = {"product": shop.product.id, "currency": "usd", "unit_amount": 5}
    for recurring in (
        {**MONTH, "usage_type": "metered"},
        {**MONTH, "meter": shop.meter.id},
        {**MONTH, "usage_type": "metered", "meter": "mtr_none"},
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            shop.client.v1.prices.create({**without, "recurring": recurring})
        assert refused.value.param == "recurring[meter]"
    shop.client.v1.billing.meters.deactivate(shop.meter.id)
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.price(unit_amount=5)


def test_an_item_may_bring_a_price_with_decimals(shop: Shop) -> None:
    data = {"currency": "usd", "product": shop.product.id, "recurring": MONTH, "unit_amount_decimal": Decimal("12.5")}
    items: Any = [{"price_data": data, "quantity": 101}]
    sub = shop.client.v1.subscriptions.create({"customer": shop.subscriber().id, "items": items})
    assert lines(shop.latest(sub)) == [("101 × Tokens (at $0.125 / month)", 1263)]


def test_an_amount_of_the_buyers_choice_is_refused_by_its_name(shop: Shop) -> None:
    chosen: Any = {"currency": "usd", "custom_unit_amount": {"enabled": True}}
    for call in (
        lambda: shop.client.v1.products.create({"name": "Gift", "default_price_data": chosen}),
        lambda: shop.price(unit_amount=5, currency_options={"eur": {"unit_amount": 5, **chosen}}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            call()
        assert refused.value.code in ("sandbox_not_covered", "parameter_unknown")


def test_a_metered_item_has_no_quantity(shop: Shop) -> None:
    price = shop.price(unit_amount=5)
    given: Any = {"customer": shop.subscriber().id, "items": [{"price": price.id, "quantity": 2}]}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.subscriptions.create(given)
    assert refused.value.param == "items[0][quantity]"
    item: Any = shop.subscribed(price)["items"].data[0]
    assert "quantity" not in item
    assert (item.plan.usage_type, item.plan.meter) == ("metered", shop.meter.id)
