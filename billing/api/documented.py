"""The OpenAPI schema describes errors with these functions: each endpoint names every code it may answer with."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from billing.lifecycle import OUTAGES

from .serializers import ErrorSerializer

SENTENCES = {outage.code: outage.sentence for outage in OUTAGES.values()}


def error(*codes: str, note: str = "") -> OpenApiResponse:
    """Return one documented response, with an example for each code."""
    examples = [
        OpenApiExample(code, value={"code": code, "detail": SENTENCES.get(code, "A sentence for people.")})
        for code in codes
    ]
    names = ", ".join(f"`{code}`" for code in codes)
    return OpenApiResponse(ErrorSerializer, description=f"{names}{note}", examples=examples)


DATABASE: dict[int, Any] = {503: error("unavailable", note=": the database does not answer; with Retry-After")}
UNAUTHENTICATED: dict[int, Any] = {401: error("not_authenticated"), **DATABASE}
NOT_YOURS = ("no_subscriber", "may_not_manage")
READ_MINE: dict[int, Any] = {**UNAUTHENTICATED, 403: error(*NOT_YOURS)}
CSRF_NOTE = "; `permission_denied`: a session without its CSRF token"
MINE: dict[int, Any] = {**UNAUTHENTICATED, 403: error(*NOT_YOURS, "permission_denied", note=CSRF_NOTE)}
TOO_MANY: dict[int, Any] = {429: error("rate_limited", note=", with Retry-After")}
ASKS_STRIPE: dict[int, Any] = {
    **TOO_MANY,
    502: error("stripe_refused", note=": nothing was changed"),
    503: error("stripe_unavailable", "unavailable", note="; with Retry-After; it is safe to retry"),
}
CHANGES_STRIPE: dict[int, Any] = {
    **ASKS_STRIPE,
    500: error("unmapped_price", "server_error"),
    503: error(
        "stripe_unavailable", "busy", "not_confirmed", "unavailable", note=": with Retry-After; it is safe to retry"
    ),
}
NOT_HERE = ("no_subscription", "account_closing")
NOT_NOW = (
    *NOT_HERE,
    "same_plan",
    "payment_overdue",
    "subscription_paused",
    "cancellation_scheduled",
    "access_on_hold",
    "state_unknown",
    "tax_address_needed",
    "collection_paused",
)
NOT_SOLD = ("already_subscribed", "subscription_paused", "access_on_hold", "checkout_replaced", "account_closing")
NO_GOOD_CODE = (
    "promotion_code_unknown",
    "promotion_code_expired",
    "promotion_code_other_currency",
    "promotion_code_other_plan",
    "promotion_code_below_minimum",
    "promotion_code_first_time",
    "promotion_code_refused",
)
NOT_FOR_SALE = error("invalid_request", "price_not_offered")
