"""The billing API, about who pays for the one who is signed in. Each view asks a rule and serializes its answer."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import catalogue, usage
from billing.access import payer
from billing.catalogue import visitors
from billing.lifecycle import cancel, change, checkout, invoices, overview, portal, previews
from billing.private_answers import keep_private

from . import errors
from .documented import ASKS_STRIPE, CHANGES_STRIPE, CSRF_NOTE, MINE, NOT_YOURS, READ_MINE, UNAUTHENTICATED, error
from .parsers import StorableJSONParser
from .serializers import (
    CancelRequest,
    ChangeRequest,
    CheckoutAnswer,
    CheckoutRequest,
    InvoicesAnswer,
    InvoicesQuery,
    PlanSerializer,
    PortalAnswer,
    PreviewAnswer,
    QuotaSerializer,
    SubscriptionState,
    UsageRequest,
)
from .throttle import CheckoutThrottle, StripeThrottle

NOT_HERE = ("no_subscription", "account_closing")
NOT_NOW = (*NOT_HERE, "same_plan", "payment_overdue", "subscription_paused", "cancellation_scheduled")
NOT_FOR_SALE = error("invalid_request", "price_not_offered")


class BillingView(APIView):
    """Who is asking is the host project's to tell; all else is as this API promises, whatever REST_FRAMEWORK says."""

    permission_classes: tuple[type[BasePermission], ...] = (IsAuthenticated,)
    renderer_classes = (JSONRenderer,)
    parser_classes = (StorableJSONParser,)
    schema = AutoSchema()

    def get_exception_handler(self) -> Any:
        return errors.handler

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """What is told to somebody who shows who they are is kept by no cache on its way."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.authentication_classes:
            keep_private(answer)
        return answer


class Plans(BillingView):
    """GET: what is for sale, cheapest first."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="plans",
        parameters=[
            OpenApiParameter("currency", description="The one to show first; else Accept-Language decides"),
            OpenApiParameter("Accept-Language", location=OpenApiParameter.HEADER),
        ],
        responses={200: PlanSerializer(many=True)},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        return Response(PlanSerializer(catalogue.public_plans(), many=True, context=_visitor(request)).data)


class CurrentSubscription(BillingView):
    """GET: plan, access and usage; who never paid, or has nobody who does (`no_subscriber`), is on the free plan."""

    @extend_schema(operation_id="subscriptions_current", responses={200: SubscriptionState, **UNAUTHENTICATED})
    def get(self, request: Request) -> Response:
        return _state(request)


class Checkout(BillingView):
    """POST {plan, interval, currency?}: a Stripe Checkout session to send the buyer to."""

    throttle_classes = (CheckoutThrottle,)

    @extend_schema(
        operation_id="subscriptions_checkout",
        request=CheckoutRequest,
        responses={
            201: CheckoutAnswer,
            400: NOT_FOR_SALE,
            **MINE,
            403: error(*NOT_YOURS, "email_unconfirmed", "permission_denied", note=CSRF_NOTE),
            409: error("already_subscribed", "checkout_replaced", "account_closing"),
            **ASKS_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(CheckoutRequest, request)
        attempt = checkout.start(payer.managed_payer(request), asked["plan"], asked["interval"], asked["currency"])
        return Response({"session_id": attempt.session_id, "url": attempt.url}, status=status.HTTP_201_CREATED)


class Preview(BillingView):
    """POST {plan, interval}: what the change would cost now, and when it would take effect. Nothing is changed."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_preview",
        request=ChangeRequest,
        responses={
            200: PreviewAnswer,
            400: NOT_FOR_SALE,
            **MINE,
            409: error(*NOT_NOW, "change_pending"),
            **ASKS_STRIPE,
            500: error("unmapped_price", "server_error"),
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(ChangeRequest, request)
        found = previews.preview(payer.managed_payer(request), asked["plan"], asked["interval"])
        return Response(PreviewAnswer(found, context=_visitor(request)).data)


class Change(BillingView):
    """POST {plan, interval, proration_date?}: more is charged now and takes effect when paid, less at the period's end.

    A payment that must be confirmed (3D Secure) is answered with `pending_change.kind` `pending_update` and its
    `confirm_url`. To choose the plan one has takes a pending change back, and so does DELETE.
    """

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_change",
        request=ChangeRequest,
        responses={
            200: SubscriptionState,
            400: NOT_FOR_SALE,
            **MINE,
            402: error("payment_declined", note=": nothing was changed"),
            409: error(*NOT_NOW, "change_pending", "stale_preview"),
            **CHANGES_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(ChangeRequest, request)
        change.change(payer.managed_payer(request), asked["plan"], asked["interval"], asked["proration_date"])
        return _state(request)

    @extend_schema(
        operation_id="subscriptions_take_back",
        responses={
            200: SubscriptionState,
            **MINE,
            409: error(*NOT_HERE, "no_pending_change"),
            **CHANGES_STRIPE,
        },
    )
    def delete(self, request: Request) -> Response:
        change.take_back(payer.managed_payer(request))
        return _state(request)


class Cancel(BillingView):
    """POST {when}: end the subscription at the period's end or now; what is over or ending already stays so."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_cancel",
        request=CancelRequest,
        responses={
            200: SubscriptionState,
            400: error("invalid_request"),
            **MINE,
            409: error(*NOT_HERE),
            **CHANGES_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        cancel.cancel(payer.managed_payer(request), validated(CancelRequest, request)["when"])
        return _state(request)


class Resume(BillingView):
    """POST: call a scheduled cancellation off."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_resume",
        request=None,
        responses={
            200: SubscriptionState,
            **MINE,
            409: error(*NOT_HERE, "not_cancelling"),
            **CHANGES_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        cancel.resume(payer.managed_payer(request))
        return _state(request)


class Portal(BillingView):
    """POST: Stripe's own page for cards, addresses and receipts."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_portal",
        request=None,
        responses={200: PortalAnswer, **MINE, 409: error(*NOT_HERE), **ASKS_STRIPE},
    )
    def post(self, request: Request) -> Response:
        return Response({"url": portal.open_portal(payer.managed_payer(request))})


class Invoices(BillingView):
    """GET: one's own invoices, newest first, with links fetched fresh; who never bought anything has none."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_invoices",
        parameters=[InvoicesQuery],
        responses={
            200: InvoicesAnswer,
            400: error("invalid_request", "unknown_cursor"),
            **READ_MINE,
            **ASKS_STRIPE,
        },
    )
    def get(self, request: Request) -> Response:
        query = InvoicesQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        page = invoices.invoices_of(payer.managed_payer(request), **query.validated_data)
        return Response(InvoicesAnswer(page, context=_visitor(request)).data)


class Usage(BillingView):
    """POST {quantity}: count a use of a feature, all or nothing."""

    @extend_schema(
        operation_id="usage_consume",
        request=UsageRequest,
        responses={
            200: QuotaSerializer,
            400: error("invalid_request"),
            **UNAUTHENTICATED,
            402: error("quota_exceeded"),
            403: error(
                "no_access", "no_subscriber", "permission_denied", note=": the plan does not include the feature"
            ),
        },
    )
    def post(self, request: Request, feature: str) -> Response:
        asked = validated(UsageRequest, request)
        return Response(QuotaSerializer(usage.consume(payer.required_payer(request), feature, asked["quantity"])).data)


def _visitor(request: Request) -> dict[str, str]:
    """What decides how amounts are shown; sentences are in English always."""
    asked = request.headers.get("Accept-Language", "")
    return {
        "currency": request.query_params.get("currency", ""),
        "accept_language": asked,
        "language": visitors.language_of_visitor(asked),
    }


def _state(request: Request) -> Response:
    """How things stand now, as `GET /subscriptions/current` says it."""
    subscriber = payer.payer_of(request)
    now = overview.overview_of(subscriber)
    return Response(SubscriptionState(now if payer.may_manage(request, subscriber) else now.to_look_at()).data)


def validated(serializer_class: type[Any], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
