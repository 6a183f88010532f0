"""The back office of a host drafts, sends and discards agreements by these endpoints: subscriptions paid by invoice."""

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from billing import cause
from billing.cadence import LONGEST
from billing.conf import conf
from billing.lifecycle import agreements
from billing.models import Agreement, Price

from .base import BillingView, validated
from .documented import CHANGES_STRIPE, CSRF_NOTE, TOO_MANY, UNAUTHENTICATED, error
from .fixed import Choice, Day, Moment
from .throttle import StripeThrottle

MOST = 100
BAD_TERMS = (
    "price_not_offered", "interval_not_offered", "amount_out_of_range", "currency_not_offered",
    "quantity_out_of_range", "days_out_of_range", "start_in_past", "start_too_far", "text_too_long",
    "trial_out_of_range", "discount_unknown", "discount_other_currency", "discount_other_plan",
)  # fmt: skip
NOT_STARTED = (
    "already_subscribed", "subscription_paused", "access_on_hold", "account_closing", "customer_unknown", "no_email",
    "not_a_draft", "tax_address_needed", "stripe_refused",
)  # fmt: skip
STAFF: dict[int, Any] = {**UNAUTHENTICATED, 403: error("permission_denied", note=CSRF_NOTE)}
MISSING: dict[int, Any] = {404: error("not_found")}


class MayAgree(BasePermission):
    """Admit staff who have the permission `send_agreement`."""

    message = _("Only staff with the permission send_agreement may do this.")

    def has_permission(self, request: Request, view: Any) -> bool:
        user: Any = request.user
        return bool(user.is_staff and user.has_perm(f"{conf.app_label}.send_agreement"))


@extend_schema_field(OpenApiTypes.STR)
class SubscriberField(serializers.Field[Any, Any, Any, Any]):
    """A subscriber is named by their primary key, as text or number."""

    def to_internal_value(self, data: Any) -> Any:
        model: Any = apps.get_model(conf.subscriber_model)
        try:
            found = model._default_manager.filter(pk=data).first() if isinstance(data, str | int) else None
        except (ValueError, ValidationError, OverflowError):
            found = None
        if found is None:
            raise serializers.ValidationError(_("There is no such subscriber."))
        return found

    def to_representation(self, value: Any) -> str:
        return str(value.pk)


class AgreementRequest(serializers.Serializer[Any]):
    subscriber = SubscriberField(help_text="Primary key of the subscriber")
    plan = serializers.CharField(max_length=50, help_text="Slug of a plan")
    interval = Choice(list(Price.Interval.values), required=False, default="month")
    interval_count = serializers.IntegerField(
        required=False, default=1, min_value=1, max_value=max(LONGEST.values()), help_text="So many intervals"
    )
    amount = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=-(2**53),
        max_value=2**53,
        help_text="Agreed minor units for one unit and interval; without it the plan's price",
    )
    currency = serializers.CharField(required=False, default="", allow_blank=True, max_length=3)
    quantity = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=-(2**53), max_value=2**53
    )
    days_until_due = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=-(2**53),
        max_value=2**53,
        help_text="Default: BILLING_INVOICE_DAYS",
    )
    po_number = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    memo = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)
    starts_on = Day(
        required=False, allow_null=True, default=None, help_text="In the site's time zone; default: when it is sent"
    )
    trial_days = serializers.IntegerField(
        required=False,
        default=0,
        min_value=-(2**53),
        max_value=2**53,
        help_text="Days of access before the first invoice",
    )
    discount = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="A coupon or promotion code at Stripe"
    )
    key = serializers.CharField(max_length=100, help_text="Names what asks for it; the same key drafts nothing twice")
    send = serializers.BooleanField(required=False, default=False, help_text="Whether to send it at once")


class AgreementAnswer(serializers.ModelSerializer[Agreement]):
    subscriber = serializers.CharField(source="subscriber_id")
    plan = serializers.CharField(source="plan.slug")
    status = Choice(Agreement.Status.values)
    interval = serializers.CharField()
    amount = serializers.IntegerField(source="unit_amount", allow_null=True)
    subscription = serializers.CharField(source="subscription_id")
    invoice = serializers.CharField(source="invoice_id")
    error = serializers.CharField(source="error_message", help_text="Why it was refused, for staff")
    starts_on = Day(allow_null=True)
    drafted_at, sent_at, started_at = Moment(), Moment(allow_null=True), Moment(allow_null=True)

    class Meta:
        model = Agreement
        fields = (
            "id", "key", "status", "subscriber", "plan", "line", "interval", "interval_count", "amount", "currency",
            "quantity", "days_until_due", "po_number", "memo", "starts_on", "trial_days", "discount", "subscription",
            "invoice", "error",
            "drafted_at", "sent_at", "started_at",
        )  # fmt: skip
        read_only_fields = fields


class AgreementView(BillingView):
    permission_classes = (IsAuthenticated, MayAgree)
    throttle_classes = (StripeThrottle,)


class Agreements(AgreementView):
    """GET returns the newest agreements, of one subscriber if asked. POST drafts one, and sends it with `send`."""

    @extend_schema(
        operation_id="agreements",
        parameters=[OpenApiParameter("subscriber", description="Primary key of a subscriber")],
        responses={200: AgreementAnswer(many=True), **STAFF, **TOO_MANY},
    )
    def get(self, request: Request) -> Response:
        rows = Agreement.objects.select_related("plan").order_by("-drafted_at", "pk")
        if asked := request.query_params.get("subscriber", ""):
            rows = rows.filter(subscriber=SubscriberField().to_internal_value(asked))
        return Response(AgreementAnswer(rows[:MOST], many=True).data)

    @extend_schema(
        operation_id="agreements_draft",
        request=AgreementRequest,
        responses={
            201: AgreementAnswer,
            400: error("invalid_request", *BAD_TERMS),
            **STAFF,
            409: error("key_reused", *NOT_STARTED),
            **CHANGES_STRIPE,
        },
    )
    def post(self, request: Request) -> Response:
        asked = validated(AgreementRequest, request)
        is_sent = asked.pop("send")
        with cause.recorded_as(f"staff:{request.user.pk}"):
            agreement = agreements.draft(asked.pop("subscriber"), **asked)
            if is_sent:
                agreement = agreements.send(agreement)
        return Response(AgreementAnswer(agreement).data, status=status.HTTP_201_CREATED)


class OneAgreement(AgreementView):
    """GET returns an agreement; DELETE discards it, if its subscription has not started."""

    @extend_schema(operation_id="agreement", responses={200: AgreementAnswer, **STAFF, **MISSING, **TOO_MANY})
    def get(self, request: Request, pk: Any) -> Response:
        return Response(AgreementAnswer(_found(pk)).data)

    @extend_schema(
        operation_id="agreement_discard",
        responses={200: AgreementAnswer, **STAFF, **MISSING, 409: error("not_a_draft"), **TOO_MANY},
    )
    def delete(self, request: Request, pk: Any) -> Response:
        return Response(AgreementAnswer(agreements.discard(_found(pk))).data)


class SendAgreement(AgreementView):
    """POST sends an agreement: its subscription starts now, or on its day. Sent twice, it starts one subscription.

    `status` is `starting` while Stripe has not answered: the worker goes on, and nothing has to be sent again.
    """

    @extend_schema(
        operation_id="agreement_send",
        request=None,
        responses={
            200: AgreementAnswer,
            400: error("start_in_past", "discount_unknown", "discount_other_currency", "discount_other_plan"),
            **STAFF,
            **MISSING,
            409: error(*NOT_STARTED),
            **CHANGES_STRIPE,
        },
    )
    def post(self, request: Request, pk: Any) -> Response:
        with cause.recorded_as(f"staff:{request.user.pk}"):
            return Response(AgreementAnswer(agreements.send(_found(pk))).data)


def _found(pk: Any) -> Agreement:
    agreement = Agreement.objects.select_related("plan", "subscriber").filter(pk=pk).first()
    if agreement is None:
        raise NotFound(_("There is no such agreement."))
    return agreement
