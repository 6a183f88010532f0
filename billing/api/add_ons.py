"""The API changes here how many of an add-on a subscriber has, and previews what that costs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import payer
from billing.lifecycle import Effect, add_ons, overview

from .asked import LineField
from .base import BillingView, validated, visitor
from .documented import ASKS_STRIPE, CHANGES_STRIPE, MINE, NOT_NOW, error
from .fixed import Choice, Moment, OwnWords
from .serializers import LineSerializer, Money, OverflowSerializer, SubscriptionState
from .throttle import StripeThrottle

NOT_SO_MANY = error("invalid_request", "add_on_not_offered")


class AddOnChangeRequest(serializers.Serializer[Any]):
    quantity = serializers.IntegerField(min_value=0, max_value=10**6, help_text="How many from then on; 0 removes it")
    proration_date = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=2**53, help_text="From the preview"
    )
    line = LineField()


class AddOnPreviewRequest(serializers.Serializer[Any]):
    slug = serializers.SlugField(max_length=50)
    quantity = serializers.IntegerField(min_value=0, max_value=10**6, help_text="How many from then on; 0 removes it")
    line = LineField()


class AddOnPreviewAnswer(serializers.Serializer[Any]):
    slug = serializers.SlugField(source="add_on.slug")
    name = OwnWords(source="add_on.name")
    quantity = serializers.IntegerField()
    previous_quantity = serializers.IntegerField(source="had")
    currency = serializers.CharField()
    effect = Choice([effect.value for effect in Effect], allow_null=True, help_text="null if nothing would change")
    takes_effect_at = Moment()
    amount_due = Money(help_text="Amount charged now")
    net = Money(help_text="Sum of the invoice before tax")
    tax = Money(help_text="Tax of the invoice, included in the amount charged now")
    reverse_charge = serializers.BooleanField(source="is_reverse_charged", help_text="The buyer owes the tax")
    credit = Money(help_text="Credit for unused time, deducted from later invoices")
    lines = LineSerializer(many=True)
    renewal_amount = Money(allow_null=True, help_text="What so many cost at each renewal, before discounts and taxes")
    interval = serializers.CharField(source="price.interval")
    interval_count = serializers.IntegerField(source="price.interval_count")
    renews_at = Moment()
    overflows = OverflowSerializer(many=True, help_text="Limits that would be exceeded from `takes_effect_at` on")
    proration_date = serializers.IntegerField(allow_null=True, help_text="Send this value with the change")


class AddOnPreview(BillingView):
    """POST {slug, quantity, line?} returns what so many of an add-on would cost now and then, and when it starts."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_add_ons_preview",
        request=AddOnPreviewRequest,
        responses={
            200: AddOnPreviewAnswer,
            400: NOT_SO_MANY,
            **MINE,
            409: error(*NOT_NOW, "change_pending"),
            **ASKS_STRIPE,
            500: error("unmapped_price", "server_error"),
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(AddOnPreviewRequest, request)
        found = add_ons.preview(payer.managed_payer(request), asked["slug"], asked["quantity"], asked["line"])
        return Response(AddOnPreviewAnswer(found, context=visitor(request)).data)


class OneAddOn(BillingView):
    """PUT {quantity, proration_date?, line?} sets how many of an add-on there are: more is charged now and counts when
    it is paid, less takes effect at the end of the period, 0 removes it.

    If the payment must be confirmed (3D Secure), the answer has `pending_change.kind` `pending_update` and a
    `confirm_url`. The number that there is cancels what was to change it.
    """

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_add_on",
        request=AddOnChangeRequest,
        responses={
            200: SubscriptionState,
            400: NOT_SO_MANY,
            **MINE,
            402: error("payment_declined", note=": nothing was changed"),
            409: error(*NOT_NOW, "change_pending", "stale_preview"),
            **CHANGES_STRIPE,
        },
    )
    def put(self, request: Request, slug: str) -> Response:
        asked = validated(AddOnChangeRequest, request)
        subscriber = payer.managed_payer(request)
        row = add_ons.set_quantity(subscriber, slug, asked["quantity"], asked["proration_date"], asked["line"])
        return Response(SubscriptionState(overview.overview_of(subscriber, row.line)).data)
