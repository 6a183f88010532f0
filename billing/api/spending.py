"""The API tells what was used beyond the limits and what it costs, and sets the cap on it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import cause, usage
from billing.access import payer
from billing.models import SpendCap
from billing.money import format_amount

from .base import BillingView, validated, visitor
from .documented import MINE, READ_MINE, error
from .fixed import Choice, Moment


class FeatureSpendingSerializer(serializers.Serializer[Any]):
    feature = serializers.CharField()
    quantity = serializers.IntegerField(help_text="Uses beyond the limit this month")
    unit_amount_decimal = serializers.CharField(source="unit", help_text="Minor units for one use")
    amount = serializers.IntegerField(help_text="Minor units")


class CapSerializer(serializers.Serializer[Any]):
    amount = serializers.IntegerField(help_text="Minor units a month")
    policy = Choice(SpendCap.Policy.values)


class SpendingSerializer(serializers.Serializer[Any]):
    amount = serializers.IntegerField(help_text="Minor units so far, before tax and discounts")
    currency = serializers.CharField()
    formatted = serializers.SerializerMethodField()
    features = FeatureSpendingSerializer(many=True)
    cap = CapSerializer(allow_null=True, help_text="null: nothing limits it")
    is_own = serializers.BooleanField(help_text="Whether the subscriber has set the cap")
    resets_at = Moment()

    def get_formatted(self, spending: usage.Spending) -> str:
        return format_amount(spending.amount, spending.currency, self.context.get("language", ""))


class CapRequest(serializers.Serializer[Any]):
    amount = serializers.IntegerField(min_value=0, max_value=usage.capping.MOST, help_text="Minor units a month")
    policy = Choice(SpendCap.Policy.values, default=SpendCap.Policy.STOP.value)


NOT_PAID = error("no_pay_by_use", note=": the plan prices nothing beyond its limits, or is not active")


class Spending(BillingView):
    """GET tells the running month's spending; PUT {amount, policy} sets the cap, DELETE returns to the default."""

    @extend_schema(operation_id="spending", responses={200: SpendingSerializer, **READ_MINE, 409: NOT_PAID})
    def get(self, request: Request) -> Response:
        return _answer(request, payer.required_payer(request))

    @extend_schema(
        operation_id="spending_set_cap",
        request=CapRequest,
        responses={200: SpendingSerializer, 400: error("invalid_request", "cap_refused"), **MINE, 409: NOT_PAID},
    )
    def put(self, request: Request) -> Response:
        subscriber, asked = payer.managed_payer(request), validated(CapRequest, request)
        now = _spending(subscriber)
        with cause.recorded_as("subscriber"):
            usage.capping.set_cap(subscriber, asked["amount"], now.currency, asked["policy"])
        return _answer(request, subscriber)

    @extend_schema(
        operation_id="spending_remove_cap", request=None, responses={200: SpendingSerializer, **MINE, 409: NOT_PAID}
    )
    def delete(self, request: Request) -> Response:
        subscriber = payer.managed_payer(request)
        usage.capping.remove_cap(subscriber)
        return _answer(request, subscriber)


def _spending(subscriber: Any) -> usage.Spending:
    found = usage.spending_of(subscriber)
    if found is None:
        raise usage.NotPaidByUse
    return found


def _answer(request: Request, subscriber: Any) -> Response:
    return Response(SpendingSerializer(_spending(subscriber), context=visitor(request)).data)
