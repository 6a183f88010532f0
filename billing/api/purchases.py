"""The API sells packs here, and lists what was bought."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import payer
from billing.catalogue import packs
from billing.lifecycle import languages, purchases
from billing.models import Pack, Purchase
from billing.money import format_amount

from .base import BillingView, validated, visitor
from .documented import ASKS_STRIPE, CSRF_NOTE, DATABASE, MINE, NOT_FOR_SALE, NOT_YOURS, READ_MINE, error
from .fixed import Choice, Moment, OwnWords
from .serializers import CheckoutAnswer
from .throttle import CheckoutThrottle


class PackPriceSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = serializers.IntegerField(help_text="Minor units")
    formatted = serializers.CharField()


class PackGrantSerializer(serializers.Serializer[Any]):
    plan = serializers.CharField(source="plan.slug", default="", help_text="Empty for credits")
    feature = serializers.CharField(help_text="Empty for a plan")
    quantity = serializers.IntegerField(allow_null=True, help_text="Credits of the feature")
    own = serializers.BooleanField(source="is_own", help_text="The project delivers it")
    lasts_days = serializers.IntegerField(allow_null=True, help_text="Days from delivery; null: for good")


class PackSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = OwnWords()
    description = OwnWords()
    grants = PackGrantSerializer(source="*")
    prices = serializers.SerializerMethodField()

    def get_prices(self, pack: Pack) -> list[dict[str, Any]]:
        first = [pack.currency, *(currency for currency in pack.amounts if currency != pack.currency)]
        language = self.context.get("language", "")
        return [
            {
                "currency": each,
                "amount": pack.amounts[each],
                "formatted": format_amount(pack.amounts[each], each, language),
            }
            for each in first
        ]


class PurchaseRequest(serializers.Serializer[Any]):
    pack = serializers.CharField(max_length=50)
    quantity = serializers.IntegerField(min_value=1, max_value=purchases.MOST_AT_ONCE, default=1)
    currency = serializers.RegexField(
        "^[A-Za-z]{3}$", required=False, default="", error_messages={"invalid": _("Three letters, such as eur.")}
    )

    def validate_currency(self, value: str) -> str:
        return value.lower()


class StillGrantsSerializer(serializers.Serializer[Any]):
    own = serializers.IntegerField(help_text="How many that the project delivers have not gone back")
    plan = serializers.CharField(help_text="Empty for credits, and once it was taken back or has ended")
    feature = serializers.CharField()
    credits = serializers.IntegerField(help_text="What is left of the credits")
    until = Moment(allow_null=True, help_text="null: for good, or nothing")


class PurchaseSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    pack = serializers.CharField(source="pack.slug")
    quantity = serializers.IntegerField()
    status = Choice(Purchase.Status.values)
    currency = serializers.CharField()
    amount = serializers.IntegerField(allow_null=True, help_text="Minor units; null until it is paid")
    given_back = serializers.IntegerField(help_text="Refunded or disputed of it, minor units")
    bought_at = Moment(source="created_at")
    delivered_at = Moment(allow_null=True)
    grants = StillGrantsSerializer(source="still_grants")


class Packs(BillingView):
    """GET returns what is sold once."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="packs",
        parameters=[OpenApiParameter("Accept-Language", location=OpenApiParameter.HEADER)],
        responses={200: PackSerializer(many=True), **DATABASE},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        return Response(PackSerializer(packs.for_sale(), many=True, context=visitor(request)).data)


class PurchaseCheckout(BillingView):
    """POST {pack, quantity?, currency?} starts a Checkout, or continues the open one."""

    throttle_classes = (CheckoutThrottle,)

    @extend_schema(
        operation_id="purchases_checkout",
        request=PurchaseRequest,
        responses={
            201: CheckoutAnswer,
            400: NOT_FOR_SALE,
            **MINE,
            403: error(*NOT_YOURS, "email_unconfirmed", "permission_denied", note=CSRF_NOTE),
            409: error("already_owned", "access_on_hold", "checkout_replaced", "account_closing"),
            **ASKS_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(PurchaseRequest, request)
        made = purchases.start(
            payer.managed_payer(request),
            asked["pack"],
            asked["quantity"],
            asked["currency"],
            languages.locale_of(request),
        )
        return Response({"session_id": made.session_id, "url": made.url}, status=status.HTTP_201_CREATED)


class Purchases(BillingView):
    """GET returns the subscriber's purchases, the newest first, with what each still grants."""

    @extend_schema(operation_id="purchases", responses={200: PurchaseSerializer(many=True), **READ_MINE})
    def get(self, request: Request) -> Response:
        return Response(PurchaseSerializer(purchases.bought_by(payer.required_payer(request)), many=True).data)
