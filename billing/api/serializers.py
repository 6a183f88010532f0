"""The shapes of the API, in and out."""

from typing import Any

from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing import catalogue
from billing.models import Hold, Plan, Price
from billing.money import DEFAULT_LOCALE, format_amount

MAX_QUANTITY = 1_000_000


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Stable, for programs")
    detail = serializers.CharField(help_text="A sentence, for people")


class CheckoutRequest(serializers.Serializer[Any]):
    plan = serializers.SlugField(max_length=50)
    interval = serializers.ChoiceField(choices=Price.Interval.choices)
    currency = serializers.RegexField("^[A-Za-z]{3}$", required=False, default="")

    def validate_currency(self, value: str) -> str:
        return value.lower()


class CheckoutAnswer(serializers.Serializer[Any]):
    session_id = serializers.CharField()
    url = serializers.URLField(help_text="Send the buyer here")


class UsageRequest(serializers.Serializer[Any]):
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY, default=1)


class QuotaSerializer(serializers.Serializer[Any]):
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="null: no limit")
    remaining = serializers.IntegerField(allow_null=True)


class HoldSerializer(serializers.ModelSerializer[Hold]):
    class Meta:
        model = Hold
        fields = ["kind", "placed_at"]


class SubscriptionState(serializers.Serializer[Any]):
    """What a subscriber has now; times in ISO 8601, UTC."""

    plan = serializers.SlugField(help_text="The plan in effect: the free one without access")
    status = serializers.CharField(help_text="Stripe's, or `none`")
    has_access = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why there is access or none, a stable code")
    current_period_end = serializers.DateTimeField(allow_null=True)
    cancel_at = serializers.DateTimeField(allow_null=True)
    trial_end = serializers.DateTimeField(allow_null=True)
    grace_ends_at = serializers.DateTimeField(allow_null=True)
    holds = HoldSerializer(many=True)
    usage = serializers.DictField(child=QuotaSerializer(), help_text="By feature")
    pending_change = serializers.DictField(allow_null=True)


class AmountSerializer(serializers.Serializer[Any]):
    amount = serializers.IntegerField(help_text="Minor units, as Stripe counts them")
    formatted = serializers.CharField()


class PlanSerializer(serializers.ModelSerializer[Plan]):
    limits = serializers.SerializerMethodField()
    prices = serializers.SerializerMethodField()

    class Meta:
        model = Plan
        fields = ["slug", "name", "description", "rank", "trial_days", "limits", "prices"]

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField(allow_null=True)))
    def get_limits(self, plan: Plan) -> dict[str, int | None]:
        return {row.feature: row.quantity for row in plan.limits.all()}

    @extend_schema_field(serializers.DictField(child=serializers.DictField(child=AmountSerializer())))
    def get_prices(self, plan: Plan) -> dict[str, dict[str, dict[str, Any]]]:
        """Interval → currency → amount."""
        on_offer = {interval: catalogue.offered(plan, interval) for interval in Price.Interval.values}
        return {interval: _amounts(price) for interval, price in on_offer.items() if price}


def _amounts(price: Price) -> dict[str, dict[str, Any]]:
    locale = get_language() or DEFAULT_LOCALE
    return {
        currency: {"amount": amount, "formatted": format_amount(amount, currency, locale)}
        for currency, amount in catalogue.amounts(price).items()
    }
