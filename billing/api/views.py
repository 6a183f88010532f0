"""The billing API answers about the subscriber behind the signed-in user. Each view calls a rule and serializes its
answer."""

from datetime import datetime, time
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from billing import catalogue
from billing.access import payer
from billing.lifecycle import cancel, change, checkout, invoices, languages, overview, pausing, portal, previews

from .asked import CancelRequest, ChangeRequest, CheckoutRequest, InvoicesQuery, LineQuery, PauseRequest
from .base import BillingView, validated, visitor
from .documented import (
    ASKS_STRIPE,
    CHANGES_STRIPE,
    CSRF_NOTE,
    DATABASE,
    MINE,
    NO_GOOD_CODE,
    NOT_FOR_SALE,
    NOT_HERE,
    NOT_NOW,
    NOT_SOLD,
    NOT_YOURS,
    READ_MINE,
    UNAUTHENTICATED,
    error,
)
from .serializers import CheckoutAnswer, InvoicesAnswer, PlanSerializer, PortalAnswer, PreviewAnswer, SubscriptionState
from .throttle import CheckoutThrottle, StripeThrottle


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
        responses={200: PlanSerializer(many=True), **DATABASE},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        return Response(PlanSerializer(catalogue.public_plans(), many=True, context=visitor(request)).data)


class CurrentSubscription(BillingView):
    """GET returns plan, access and usage. A user who never paid, or for whom nobody pays (`no_subscriber`), is on the
    free plan."""

    @extend_schema(
        operation_id="subscriptions_current",
        parameters=[LineQuery],
        responses={200: SubscriptionState, 400: error("invalid_request"), **UNAUTHENTICATED},
    )
    def get(self, request: Request) -> Response:
        return _state(request, _line_asked(request))


class Subscriptions(BillingView):
    """GET returns the same for every line that the subscriber has, as a list with at least one entry."""

    @extend_schema(operation_id="subscriptions", responses={200: SubscriptionState(many=True), **UNAUTHENTICATED})
    def get(self, request: Request) -> Response:
        subscriber = payer.payer_of(request)
        found = overview.overviews_of(subscriber)
        if not payer.may_manage(request, subscriber):
            found = [now.to_look_at() for now in found]
        return Response(SubscriptionState(found, many=True).data)


class Checkout(BillingView):
    """POST {plan, interval, interval_count?, currency?, promotion_code?, add_ons?} starts a Stripe Checkout session and
    returns its address. A code that cannot be used is refused, and nothing is begun."""

    throttle_classes = (CheckoutThrottle,)

    @extend_schema(
        operation_id="subscriptions_checkout",
        request=CheckoutRequest,
        responses={
            201: CheckoutAnswer,
            400: error("invalid_request", "price_not_offered", "add_on_not_offered", *NO_GOOD_CODE),
            **MINE,
            403: error(*NOT_YOURS, "email_unconfirmed", "permission_denied", note=CSRF_NOTE),
            409: error(*NOT_SOLD),
            **ASKS_STRIPE,
            500: error("checkout_misconfigured", "trial_too_long", "server_error", note=": nothing was begun"),
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(CheckoutRequest, request)
        chosen = (asked["plan"], asked["interval"], asked["currency"], asked["interval_count"])
        locale = languages.locale_of(request)
        code = asked["promotion_code"]
        more = asked.get("add_ons")
        subscriber = payer.managed_payer(request)
        attempt = checkout.start(subscriber, *chosen, locale=locale, promotion_code=code, add_ons=more)
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
        return Response(PreviewAnswer(found, context=visitor(request)).data)


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
        row = change.change(subscriber, asked["plan"], asked["interval"], at, asked["interval_count"])
        return _state(request, row.line)

    @extend_schema(
        operation_id="subscriptions_take_back",
        parameters=[LineQuery],
        responses={
            200: SubscriptionState,
            400: error("invalid_request"),
            **MINE,
            409: error(*NOT_HERE, "no_pending_change"),
            **CHANGES_STRIPE,
        },
    )
    def delete(self, request: Request) -> Response:
        row = change.take_back(payer.managed_payer(request), _line_asked(request))
        return _state(request, row.line)


class Cancel(BillingView):
    """POST {when, reason?, comment?} cancels the subscription, now or at the end of the period. A subscription that has
    ended or is already ending stays as it is.

    While something is unpaid, both end it now and void the unpaid invoice: the answer shows the status `canceled`. A
    debit that a bank is making already cannot be stopped. To stay until the end of the period, the invoice is paid
    first.
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
        row = cancel.cancel(payer.managed_payer(request), **validated(CancelRequest, request))
        return _state(request, row.line)


class Resume(BillingView):
    """POST withdraws a scheduled cancellation, or takes up a subscription that paused because its trial ended without a
    card: that is charged now."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_resume",
        request=LineQuery,
        responses={
            200: SubscriptionState,
            400: error("invalid_request"),
            **MINE,
            402: error("payment_declined", note=": the subscription stays paused"),
            409: error(*NOT_HERE, "not_cancelling", "no_payment_method"),
            **CHANGES_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        row = cancel.resume(payer.managed_payer(request), _line_asked(request))
        return _state(request, row.line)


class Pause(BillingView):
    """POST {until} pauses payments until the first renewal on that day or later; DELETE resumes them early. What was
    paid before is kept until it is used up. Resumed after that, a new period begins and is charged at once.
    """

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_pause",
        request=PauseRequest,
        responses={
            200: SubscriptionState,
            400: error("invalid_request", "pause_too_soon", "pause_too_long"),
            **MINE,
            409: error(*NOT_HERE, "not_pausable", "payment_overdue", "cancellation_scheduled", "change_pending"),
            **CHANGES_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(PauseRequest, request)
        until = timezone.make_aware(datetime.combine(asked["until"], time.min))
        row = pausing.pause(payer.managed_payer(request), until, line=asked["line"])
        return _state(request, row.line)

    @extend_schema(
        operation_id="subscriptions_resume_payments",
        parameters=[LineQuery],
        responses={
            200: SubscriptionState,
            400: error("invalid_request"),
            **MINE,
            409: error(*NOT_HERE, "not_paused"),
            **CHANGES_STRIPE,
        },
    )
    def delete(self, request: Request) -> Response:
        row = pausing.resume_early(payer.managed_payer(request), line=_line_asked(request))
        return _state(request, row.line)


class Portal(BillingView):
    """POST returns the address of Stripe's page for cards, addresses and receipts."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_portal",
        request=LineQuery,
        responses={200: PortalAnswer, 400: error("invalid_request"), **MINE, 409: error(*NOT_HERE), **ASKS_STRIPE},
    )
    def post(self, request: Request) -> Response:
        subscriber = payer.managed_payer(request)
        _line_asked(request)  # Stripe's page shows every line; a line that does not exist is an error all the same
        return Response({"url": portal.open_portal(subscriber, languages.locale_of(request))})


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
        return Response(InvoicesAnswer(page, context=visitor(request)).data)


def _line_asked(request: Request) -> str:
    """Return the line that the query names, or a body of JSON; "" for none."""
    named: dict[str, Any] = request.query_params.dict()
    if request.content_type.startswith("application/json") and isinstance(request.data, dict):
        named |= request.data
    query = LineQuery(data=named)
    query.is_valid(raise_exception=True)
    return str(query.validated_data["line"])


def _state(request: Request, line: str = "") -> Response:
    """Answer with the current state in a line, like `GET /subscriptions/current`."""
    subscriber = payer.payer_of(request)
    now = overview.overview_of(subscriber, line)
    return Response(SubscriptionState(now if payer.may_manage(request, subscriber) else now.to_look_at()).data)
