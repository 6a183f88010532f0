"""The billing API answers about the subscriber behind the signed-in user. Each view calls a rule and serializes its
answer."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import catalogue
from billing.access import payer
from billing.catalogue import visitors
from billing.lifecycle import cancel, change, checkout, invoices, overview, portal, previews
from billing.private_answers import keep_private

from . import errors
from .documented import (
    ASKS_STRIPE,
    CHANGES_STRIPE,
    CSRF_NOTE,
    MINE,
    NOT_FOR_SALE,
    NOT_HERE,
    NOT_NOW,
    NOT_SOLD,
    NOT_YOURS,
    READ_MINE,
    UNAUTHENTICATED,
    error,
)
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
    SubscriptionState,
)
from .throttle import CheckoutThrottle, StripeThrottle


class BillingView(APIView):
    """The host project authenticates the request; everything else is fixed here, whatever REST_FRAMEWORK says."""

    permission_classes: tuple[type[BasePermission], ...] = (IsAuthenticated,)
    renderer_classes = (JSONRenderer,)
    parser_classes = (StorableJSONParser,)
    schema = AutoSchema()

    def get_exception_handler(self) -> Any:
        return errors.handler

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep answers to authenticated requests out of caches."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.authentication_classes:
            keep_private(answer)
        return answer


class Plans(BillingView):
    """GET returns the plans for sale, cheapest first."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="plans",
        parameters=[
            OpenApiParameter("currency", description="Currency to show first; by default Accept-Language decides"),
            OpenApiParameter("Accept-Language", location=OpenApiParameter.HEADER),
        ],
        responses={200: PlanSerializer(many=True)},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        return Response(PlanSerializer(catalogue.public_plans(), many=True, context=_visitor(request)).data)


class CurrentSubscription(BillingView):
    """GET returns plan, access and usage. A user who never paid, or for whom nobody pays (`no_subscriber`), is on the
    free plan."""

    @extend_schema(operation_id="subscriptions_current", responses={200: SubscriptionState, **UNAUTHENTICATED})
    def get(self, request: Request) -> Response:
        return _state(request)


class Checkout(BillingView):
    """POST {plan, interval, interval_count?, currency?} starts a Stripe Checkout session and returns its address."""

    throttle_classes = (CheckoutThrottle,)

    @extend_schema(
        operation_id="subscriptions_checkout",
        request=CheckoutRequest,
        responses={
            201: CheckoutAnswer,
            400: NOT_FOR_SALE,
            **MINE,
            403: error(*NOT_YOURS, "email_unconfirmed", "permission_denied", note=CSRF_NOTE),
            409: error(*NOT_SOLD),
            **ASKS_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(CheckoutRequest, request)
        chosen = (asked["plan"], asked["interval"], asked["currency"], asked["interval_count"])
        attempt = checkout.start(payer.managed_payer(request), *chosen)
        return Response({"session_id": attempt.session_id, "url": attempt.url}, status=status.HTTP_201_CREATED)


class Preview(BillingView):
    """POST {plan, interval, interval_count?} returns what the change would cost now and when it would start."""

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
        chosen = (asked["plan"], asked["interval"], asked["interval_count"])
        found = previews.preview(payer.managed_payer(request), *chosen)
        return Response(PreviewAnswer(found, context=_visitor(request)).data)


class Change(BillingView):
    """POST {plan, interval, interval_count?, proration_date?} changes the plan: an upgrade is charged now and takes
    effect when paid, a downgrade takes effect at the end of the period.

    If the payment must be confirmed (3D Secure), the answer has `pending_change.kind` `pending_update` and a
    `confirm_url`. Choosing the current plan cancels a pending change, and so does DELETE.
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
            409: error(*NOT_NOW, "change_pending", "stale_preview", "price_replaced"),
            **CHANGES_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(ChangeRequest, request)
        subscriber, at = payer.managed_payer(request), asked["proration_date"]
        change.change(subscriber, asked["plan"], asked["interval"], at, asked["interval_count"])
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
    """POST {when, reason?, comment?} cancels the subscription, now or at the end of the period. A subscription that has
    ended or is already ending stays as it is.

    While something is unpaid, both end it now and void the unpaid invoice, so that nothing more is charged: the answer
    shows the status `canceled`. To stay until the end of the period, the invoice is paid first.
    """

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
        cancel.cancel(payer.managed_payer(request), **validated(CancelRequest, request))
        return _state(request)


class Resume(BillingView):
    """POST withdraws a scheduled cancellation, or takes up a subscription that paused because its trial ended without a
    card: that is charged now."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_resume",
        request=None,
        responses={
            200: SubscriptionState,
            **MINE,
            402: error("payment_declined", note=": the subscription stays paused"),
            409: error(*NOT_HERE, "not_cancelling", "no_payment_method"),
            **CHANGES_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        cancel.resume(payer.managed_payer(request))
        return _state(request)


class Portal(BillingView):
    """POST returns the address of Stripe's page for cards, addresses and receipts."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_portal",
        request=None,
        responses={200: PortalAnswer, **MINE, 409: error(*NOT_HERE), **ASKS_STRIPE},
    )
    def post(self, request: Request) -> Response:
        return Response({"url": portal.open_portal(payer.managed_payer(request))})


class Invoices(BillingView):
    """GET returns the subscriber's invoices, newest first, with fresh links. The list is empty for a subscriber who
    never bought anything."""

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


def _visitor(request: Request) -> dict[str, str]:
    """Return the visitor's currency and language, in which amounts are formatted. Sentences are always in English."""
    currency, asked = request.query_params.get("currency", ""), request.headers.get("Accept-Language", "")
    return {"currency": currency, "accept_language": asked, "language": visitors.language_of_visitor(asked)}


def _state(request: Request) -> Response:
    """Answer with the current state, like `GET /subscriptions/current`."""
    subscriber = payer.payer_of(request)
    now = overview.overview_of(subscriber)
    return Response(SubscriptionState(now if payer.may_manage(request, subscriber) else now.to_look_at()).data)


def validated(serializer_class: type[Any], request: Request) -> dict[str, Any]:
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
