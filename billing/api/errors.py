"""Every error of the API has the shape `{"code", "detail"}`, with codes that a client may rely on.

A wrong body adds `fields`, the reasons by field name. `RULES` lists the codes of our own rules.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from billing import site
from billing.access import payer
from billing.lifecycle import OUTAGES, agreements, outage_of, refusals
from billing.usage import CapRefused, KeyReused, NoAccess, NotPaidByUse, QuotaExceeded, SpendCapReached, UnknownKey

log = logging.getLogger(__name__)

# exception → (HTTP status, code); our own exceptions bring their sentence
RULES: dict[type[Exception], tuple[int, str]] = {
    refusals.AlreadySubscribed: (status.HTTP_409_CONFLICT, "already_subscribed"),
    refusals.CheckoutMisconfigured: (status.HTTP_500_INTERNAL_SERVER_ERROR, "checkout_misconfigured"),
    refusals.TrialTooLong: (status.HTTP_500_INTERNAL_SERVER_ERROR, "trial_too_long"),
    refusals.CheckoutReplaced: (status.HTTP_409_CONFLICT, "checkout_replaced"),
    refusals.AccountClosing: (status.HTTP_409_CONFLICT, "account_closing"),
    refusals.EmailUnconfirmed: (status.HTTP_403_FORBIDDEN, "email_unconfirmed"),
    refusals.PriceNotOffered: (status.HTTP_400_BAD_REQUEST, "price_not_offered"),
    refusals.AddOnNotOffered: (status.HTTP_400_BAD_REQUEST, "add_on_not_offered"),
    refusals.CodeUnknown: (status.HTTP_400_BAD_REQUEST, "promotion_code_unknown"),
    refusals.CodeExpired: (status.HTTP_400_BAD_REQUEST, "promotion_code_expired"),
    refusals.CodeOfAnotherCurrency: (status.HTTP_400_BAD_REQUEST, "promotion_code_other_currency"),
    refusals.CodeOfAnotherPlan: (status.HTTP_400_BAD_REQUEST, "promotion_code_other_plan"),
    refusals.CodeBelowMinimum: (status.HTTP_400_BAD_REQUEST, "promotion_code_below_minimum"),
    refusals.CodeFirstTime: (status.HTTP_400_BAD_REQUEST, "promotion_code_first_time"),
    refusals.CodeRefused: (status.HTTP_400_BAD_REQUEST, "promotion_code_refused"),
    refusals.PauseTooSoon: (status.HTTP_400_BAD_REQUEST, "pause_too_soon"),
    refusals.PauseTooLong: (status.HTTP_400_BAD_REQUEST, "pause_too_long"),
    refusals.NotPausable: (status.HTTP_409_CONFLICT, "not_pausable"),
    refusals.NotPaused: (status.HTTP_409_CONFLICT, "not_paused"),
    refusals.CollectionPaused: (status.HTTP_409_CONFLICT, "collection_paused"),
    refusals.OfferGone: (status.HTTP_409_CONFLICT, "offer_gone"),
    refusals.DiscountUnknown: (status.HTTP_400_BAD_REQUEST, "discount_unknown"),
    refusals.NoDiscount: (status.HTTP_409_CONFLICT, "no_discount"),
    refusals.PriceReplaced: (status.HTTP_409_CONFLICT, "price_replaced"),
    refusals.NoSubscription: (status.HTTP_409_CONFLICT, "no_subscription"),
    refusals.SamePlan: (status.HTTP_409_CONFLICT, "same_plan"),
    refusals.PaymentOverdue: (status.HTTP_409_CONFLICT, "payment_overdue"),
    refusals.SubscriptionPaused: (status.HTTP_409_CONFLICT, "subscription_paused"),
    refusals.StateUnknown: (status.HTTP_409_CONFLICT, "state_unknown"),
    refusals.CancellationScheduled: (status.HTTP_409_CONFLICT, "cancellation_scheduled"),
    refusals.ChangePending: (status.HTTP_409_CONFLICT, "change_pending"),
    refusals.NoPendingChange: (status.HTTP_409_CONFLICT, "no_pending_change"),
    refusals.NotCancelling: (status.HTTP_409_CONFLICT, "not_cancelling"),
    refusals.AccessWithheld: (status.HTTP_409_CONFLICT, "access_on_hold"),
    refusals.NoPaymentMethod: (status.HTTP_409_CONFLICT, "no_payment_method"),
    refusals.EndsNow: (status.HTTP_409_CONFLICT, "ends_now"),
    refusals.StalePreview: (status.HTTP_409_CONFLICT, "stale_preview"),
    refusals.PaymentDeclined: (status.HTTP_402_PAYMENT_REQUIRED, "payment_declined"),
    refusals.UnknownCode: (status.HTTP_404_NOT_FOUND, "unknown_code"),
    refusals.CodeSpent: (status.HTTP_409_CONFLICT, "code_spent"),
    refusals.CodeOver: (status.HTTP_409_CONFLICT, "code_over"),
    refusals.GuestsNotServed: (status.HTTP_403_FORBIDDEN, "guests_not_served"),
    refusals.AddressRefused: (status.HTTP_400_BAD_REQUEST, "address_refused"),
    refusals.PackNotOffered: (status.HTTP_400_BAD_REQUEST, "price_not_offered"),
    refusals.AlreadyOwned: (status.HTTP_409_CONFLICT, "already_owned"),
    refusals.TaxAddressNeeded: (status.HTTP_409_CONFLICT, "tax_address_needed"),
    refusals.UnknownCursor: (status.HTTP_400_BAD_REQUEST, "unknown_cursor"),
    SpendCapReached: (status.HTTP_402_PAYMENT_REQUIRED, "spend_cap_reached"),
    NotPaidByUse: (status.HTTP_409_CONFLICT, "no_pay_by_use"),
    CapRefused: (status.HTTP_400_BAD_REQUEST, "cap_refused"),
    QuotaExceeded: (status.HTTP_402_PAYMENT_REQUIRED, "quota_exceeded"),
    NoAccess: (status.HTTP_403_FORBIDDEN, "no_access"),
    KeyReused: (status.HTTP_409_CONFLICT, "key_reused"),
    UnknownKey: (status.HTTP_404_NOT_FOUND, "unknown_key"),
    payer.NobodyPays: (status.HTTP_403_FORBIDDEN, "no_subscriber"),
    payer.MayNotManage: (status.HTTP_403_FORBIDDEN, "may_not_manage"),
}
# DRF's exceptions whose code differs from the contract's
CODES: dict[type[exceptions.APIException], str] = {
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.ParseError: "invalid_request",
    exceptions.Throttled: "rate_limited",
}
NO_FIELD = "non_field_errors"
# It does not answer, is restarted or fails over; or a lock was waited for too long.
DATABASE_AWAY = (InterfaceError, OperationalError)
UNAVAILABLE = _("The database does not answer. Please try again in a moment: that is safe, nothing is done twice.")
RETRY_AFTER = "5"
STATUS_CODES = {
    400: ("invalid_request", _("The request could not be understood.")),
    403: ("permission_denied", _("You don't have permission to do this.")),
    404: ("not_found", _("There is no endpoint at this address.")),
    405: ("method_not_allowed", _("This endpoint does not allow that method.")),
    500: ("server_error", _("Something went wrong on our side. We have recorded the error.")),
}


class Refusal(exceptions.APIException):
    """A rule refuses the request; `code` is stable."""

    status_code = status.HTTP_400_BAD_REQUEST

    def __init__(self, code: str, detail: str | Promise, fields: dict[str, list[str]] | None = None) -> None:
        super().__init__(str(detail), code)
        self.code, self.fields = code, fields


def handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Return the API's answer to an exception; None for an unknown one, which becomes a 500. DRF calls this as
    EXCEPTION_HANDLER."""
    if isinstance(exc, tuple(OUTAGES)):
        outage = outage_of(exc)
        headers = {"Retry-After": str(outage.retry_after)} if outage.retry_after else None
        return _answer(outage.status, outage.code, str(outage.sentence), headers)
    if isinstance(exc, agreements.AgreementRefused):
        is_bad = exc.code in agreements.OF_THE_TERMS
        return _answer(status.HTTP_400_BAD_REQUEST if is_bad else status.HTTP_409_CONFLICT, exc.code, str(exc))
    if isinstance(exc, DATABASE_AWAY):
        log.error("database does not answer", exc_info=exc)
        return _answer(
            status.HTTP_503_SERVICE_UNAVAILABLE, "unavailable", str(UNAVAILABLE), {"Retry-After": RETRY_AFTER}
        )
    for kind, (code_of_status, code) in RULES.items():
        if isinstance(exc, kind):
            return _answer(code_of_status, code, f"{exc}{_instead(exc)}")
    response = exception_handler(exc, context)
    if response is not None:
        response.data = _body(exc, response)
    return response


def _instead(exc: Exception) -> str:
    """Return the address of the endpoint to use instead, as a sentence."""
    if not isinstance(exc, refusals.AlreadySubscribed):
        return ""
    return " " + gettext("POST to {path}.").format(path=site.path_of("api_change"))


def _body(exc: Exception, response: Response) -> dict[str, Any]:
    if isinstance(exc, Refusal):
        return {"code": exc.code, "detail": str(exc.detail), **({"fields": exc.fields} if exc.fields else {})}
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(exc)
    if isinstance(exc, exceptions.APIException):
        code = next((code for kind, code in CODES.items() if isinstance(exc, kind)), exc.get_codes())
        return {"code": code, "detail": str(exc.detail)}
    code, detail = STATUS_CODES[response.status_code]
    return {"code": code, "detail": str(detail)}


def _invalid(exc: exceptions.ValidationError) -> dict[str, Any]:
    """Use the first reason as the sentence; `fields` holds all of them."""
    detail = exc.detail if isinstance(exc.detail, dict) else {NO_FIELD: exc.detail}
    theirs = api_settings.NON_FIELD_ERRORS_KEY  # a project may have its own
    fields = {NO_FIELD if name == theirs else name: reasons for name, reasons in detail.items()}
    name, reasons = next(iter(fields.items()))
    first = reasons[0] if isinstance(reasons, list) else reasons
    sentence = str(first) if name == NO_FIELD else f"{name}: {first}"
    return {"code": "invalid_request", "detail": sentence, "fields": fields}


def _answer(code_of_status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    return Response({"code": code, "detail": detail}, status=code_of_status, headers=headers)


def json_errors(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Turn Django's own HTML error pages into JSON under /api/, in debug mode too. This is a middleware."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        if not (request.path.startswith("/api/") and is_page and response.status_code in STATUS_CODES):
            return response
        code, detail = STATUS_CODES[response.status_code]
        with translation.override(getattr(request, "LANGUAGE_CODE", None) or settings.LANGUAGE_CODE):
            body = {"code": code, "detail": str(detail)}
        return JsonResponse(body, status=response.status_code)

    return middleware
