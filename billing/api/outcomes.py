"""The API says how a Checkout has ended, for a front end with pages of its own: it gets `session_id` in the address of
its return page, or from the answer that began the Checkout."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import access
from billing.access import payer
from billing.lifecycle import checkout, purchases
from billing.models import CheckoutAttempt, Purchase

from .base import BillingView
from .documented import CHANGES_STRIPE, READ_MINE, error
from .fixed import Choice
from .throttle import ReturnThrottle

PENDING, PAID, PROCESSING, FAILED, EXPIRED = OUTCOMES = ("pending", "paid", "processing", "failed", "expired")
CONTINUE, NOTHING, ASK_AGAIN, BEGIN_AGAIN = ACTIONS = ("continue", "nothing", "ask_again", "begin_again")
# What to do, and the sentence for the buyer.
NEXT = {
    PENDING: (CONTINUE, _("The payment is not finished, and nothing was charged. Continue where you left off.")),
    PAID: (NOTHING, _("The payment has arrived.")),
    PROCESSING: (
        ASK_AGAIN,
        _("The payment is being processed. What you bought starts by itself once it is confirmed."),
    ),
    FAILED: (BEGIN_AGAIN, _("The payment did not go through, and nothing was charged. Please pay another way.")),
    EXPIRED: (BEGIN_AGAIN, _("This checkout has expired, and nothing was charged. Please begin again.")),
}
RETRY_AFTER = 5  # seconds: the page of billing's own asks as often


class CheckoutOutcome(serializers.Serializer[Any]):
    session_id = serializers.CharField()
    outcome = Choice(list(OUTCOMES), help_text="`pending`: the buyer has not finished paying")
    next = Choice(
        list(ACTIONS),
        help_text="`continue` at `url`; `nothing`; `ask_again` after `retry_after`; `begin_again` with a new Checkout",
    )
    detail = serializers.CharField(help_text="A sentence for the buyer")
    url = serializers.CharField(help_text="Where to continue while the outcome is `pending`; otherwise empty")
    retry_after = serializers.IntegerField(allow_null=True, help_text="Seconds, where asking again makes sense")
    is_ready = serializers.BooleanField(help_text="What was bought can be used now: access is given, a pack delivered")


RESPONSES: dict[int, Any] = {
    200: CheckoutOutcome,
    **READ_MINE,
    404: error("not_found", note=": no Checkout of this subscriber's"),
    **CHANGES_STRIPE,
}


class Outcome(BillingView):
    """GET asks Stripe how a Checkout of the subscriber's own stands, and applies what it says as a webhook would."""

    throttle_classes = (ReturnThrottle,)

    @extend_schema(operation_id="subscriptions_checkout_outcome", responses=RESPONSES)
    def get(self, request: Request, session_id: str) -> Response:
        rows = CheckoutAttempt.objects.select_related("price__plan")
        attempt = _own(rows, payer.required_payer(request), session_id)
        found = checkout.refresh_outcome(attempt)
        outcome = PENDING if found is checkout.Outcome.OPEN else found.value
        is_ready = outcome == PAID and access.has_access(payer.payer_of(request), line=attempt.price.plan.line)
        return _answer(attempt, outcome, is_ready=is_ready)


class PurchaseOutcome(BillingView):
    """GET asks Stripe how the Checkout of a pack stands, and delivers what is paid."""

    throttle_classes = (ReturnThrottle,)

    @extend_schema(operation_id="purchases_checkout_outcome", responses=RESPONSES)
    def get(self, request: Request, session_id: str) -> Response:
        rows = Purchase.objects.select_related("pack")
        purchase = purchases.refresh(_own(rows, payer.required_payer(request), session_id))
        outcome = PENDING if purchase.status == Purchase.Status.OPEN else str(purchase.status)
        return _answer(purchase, outcome, is_ready=outcome == PAID and purchase.delivered_at is not None)


def _own(rows: Any, subscriber: Any, session_id: str) -> Any:
    """Return the row of this session if it is the subscriber's own. Raises `Http404`."""
    found = (
        rows.filter(session_id=session_id, customer__subscriber=subscriber) if session_id.isprintable() else rows.none()
    )
    row = found.first()
    if row is None:
        raise Http404
    return row


def _answer(row: Any, outcome: str, *, is_ready: bool) -> Response:
    action, sentence = NEXT[outcome]
    answer = {
        "session_id": row.session_id,
        "outcome": outcome,
        "next": action,
        "detail": str(sentence),
        "url": row.url if outcome == PENDING else "",
        "retry_after": RETRY_AFTER if action == ASK_AGAIN else None,
        "is_ready": is_ready,
    }
    return Response(CheckoutOutcome(answer).data)
