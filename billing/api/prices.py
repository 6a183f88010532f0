"""The API shows a price of the catalogue in each currency that it is sold in."""

from typing import Any

from rest_framework import serializers

from billing.catalogue import amounts, labels
from billing.models import AddOnPrice, Price
from billing.money import format_amount

from .fixed import Choice


class TierSerializer(serializers.Serializer[Any]):
    up_to = serializers.IntegerField(allow_null=True, help_text="Last quantity of the tier; null means any")
    unit_amount_decimal = serializers.CharField(help_text="Minor units for each unit of the tier")
    flat_amount_decimal = serializers.CharField(help_text="Minor units for the tier as a whole")


class PriceSerializer(serializers.Serializer[Any]):
    """This is the shape of a price in one currency. `amount` × quantity is charged where `amount` is not null."""

    interval = serializers.CharField()
    interval_count = serializers.IntegerField()
    currency = serializers.CharField()
    amount = serializers.IntegerField(allow_null=True, help_text="Minor units a unit; null where that is not all")
    formatted = serializers.CharField(help_text='"$20.00"; "from $10.00" for tiers; empty if Stripe did not say')
    tax_behavior = Choice(["exclusive", "inclusive", "unspecified"])
    model = Choice(["flat", "package", "graduated", "volume"])
    is_free = serializers.BooleanField(help_text="Nothing is ever charged, and no card is asked for")
    is_metered = serializers.BooleanField(help_text="Billed afterwards by usage, without a quantity")
    unit_amount_decimal = serializers.CharField(allow_null=True, help_text="Minor units a unit or package, exact")
    package_of = serializers.IntegerField(help_text="Units that one amount buys")
    tiers = TierSerializer(many=True, allow_null=True)


def price_answers(price: Price, language: str) -> dict[str, dict[str, Any]]:
    """Return currency → the fields of `PriceSerializer`."""
    return {currency: _answer(price, currency, language) for currency in amounts.currencies(price)}


def _answer(price: Price, currency: str, language: str) -> dict[str, Any]:
    each = amounts.unit(price, currency)
    return {
        "interval": price.interval,
        "interval_count": price.interval_count,
        "currency": currency,
        "amount": int(each or 0) if amounts.is_plain(price, currency) else None,
        "formatted": labels.figure(price, currency, language),
        "tax_behavior": amounts.tax_behavior(price, currency),
        "model": labels.model_of(price),
        "is_free": amounts.is_free(price, currency),
        "is_metered": amounts.is_metered(price),
        "unit_amount_decimal": None if each is None else f"{each:f}",
        "package_of": amounts.package_of(price),
        "tiers": [_tier(tier) for tier in amounts.tiers(price, currency)] or None,
    }


def _tier(tier: amounts.Tier) -> dict[str, Any]:
    return {"up_to": tier.up_to, "unit_amount_decimal": f"{tier.unit:f}", "flat_amount_decimal": f"{tier.flat:f}"}


def add_on_price_answers(price: AddOnPrice, language: str) -> dict[str, dict[str, Any]]:
    """Return currency → what one of an add-on costs."""
    return {currency: money(amount, currency, language) for currency, amount in price.amounts.items()}


def money(amount: int, currency: str, language: str) -> dict[str, Any]:
    return {"amount": amount, "formatted": format_amount(amount, currency, language)}
