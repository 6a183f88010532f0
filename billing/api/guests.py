"""A visitor without an account buys a pack here, by their e-mail address."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from billing.lifecycle import guests, languages

from .base import BillingView, validated
from .documented import ASKS_STRIPE, error
from .serializers import CheckoutAnswer
from .throttle import GuestThrottle


class GuestPurchaseRequest(serializers.Serializer[Any]):
    pack = serializers.CharField(max_length=50)
    email = serializers.CharField(max_length=guests.LONGEST_ADDRESS, help_text="Whoever confirms it gets the pack")
    key = serializers.UUIDField(help_text="A UUID of your form: sent twice, it is one purchase")
    currency = serializers.RegexField(
        "^[A-Za-z]{3}$", required=False, default="", error_messages={"invalid": _("Three letters, such as eur.")}
    )

    def validate_currency(self, value: str) -> str:
        return value.lower()


class GuestCheckout(BillingView):
    """POST {pack, email, key, currency?} starts a guest's Checkout, if BILLING_GUESTS_BUY_PACKS is on.

    The answer is the same whether or not the address has an account."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (GuestThrottle,)

    @extend_schema(
        operation_id="purchases_guest_checkout",
        request=GuestPurchaseRequest,
        responses={
            201: CheckoutAnswer,
            400: error("invalid_request", "price_not_offered", "address_refused"),
            403: error("guests_not_served"),
            409: error("checkout_replaced", note=": the key is of another purchase, or of one that is over"),
            **ASKS_STRIPE,
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        asked = validated(GuestPurchaseRequest, request)
        made = guests.start(
            asked["email"], asked["pack"], str(asked["key"]), asked["currency"], languages.locale_of(request)
        )
        return Response({"session_id": made.session_id, "url": made.url}, status=status.HTTP_201_CREATED)
