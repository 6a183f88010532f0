"""The billing API for the one who is signed in. Each view asks a rule and serializes its answer."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import catalogue, overview, usage
from billing.lifecycle import checkout

from .serializers import (
    CheckoutAnswer,
    CheckoutRequest,
    ErrorSerializer,
    PlanSerializer,
    QuotaSerializer,
    SubscriptionState,
    UsageRequest,
)
from .throttle import CheckoutThrottle


def error(codes: str) -> OpenApiResponse:
    return OpenApiResponse(ErrorSerializer, description=codes)


UNAUTHENTICATED = {401: error("`not_authenticated`")}


class Plans(APIView):
    """GET: what is for sale, cheapest first."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="plans", responses={200: PlanSerializer(many=True)}, auth=[])
    def get(self, request: Request) -> Response:
        return Response(PlanSerializer(catalogue.public_plans(), many=True).data)


class CurrentSubscription(APIView):
    """GET: plan, access and usage; who never paid is on the free plan."""

    @extend_schema(operation_id="subscriptions_current", responses={200: SubscriptionState, **UNAUTHENTICATED})
    def get(self, request: Request) -> Response:
        return Response(SubscriptionState(overview.of(request.user)).data)


class Checkout(APIView):
    """POST {plan, interval, currency?}: a Stripe Checkout session to send the buyer to."""

    throttle_classes = (CheckoutThrottle,)

    @extend_schema(
        operation_id="subscriptions_checkout",
        request=CheckoutRequest,
        responses={
            201: CheckoutAnswer,
            400: error("`invalid_request`, `price_not_offered`"),
            **UNAUTHENTICATED,
            409: error("`already_subscribed`, `checkout_replaced`"),
            429: error("`rate_limited`, with Retry-After"),
            502: error("`stripe_refused`"),
            503: error("`stripe_unavailable`: nothing was changed"),
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(CheckoutRequest, request)
        attempt = checkout.start(request.user, asked["plan"], asked["interval"], asked["currency"])
        return Response({"session_id": attempt.session_id, "url": attempt.url}, status=status.HTTP_201_CREATED)


class Usage(APIView):
    """POST {quantity}: count a use of a feature, all or nothing."""

    @extend_schema(
        operation_id="usage_consume",
        request=UsageRequest,
        responses={
            200: QuotaSerializer,
            400: error("`invalid_request`"),
            **UNAUTHENTICATED,
            402: error("`quota_exceeded`"),
            403: error("`no_access`: the plan does not include the feature"),
        },
    )
    def post(self, request: Request, feature: str) -> Response:
        asked = validated(UsageRequest, request)
        return Response(QuotaSerializer(usage.consume(request.user, feature, asked["quantity"])).data)


def validated(serializer_class: type[Any], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
