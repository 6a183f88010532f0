"""The API leads a subscriber to the page on which they add a card, during a trial without one or after it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import payer
from billing.lifecycle import add_card, languages

from .asked import LineQuery
from .base import BillingView, validated
from .documented import ASKS_STRIPE, MINE, NOT_HERE, error
from .serializers import PortalAnswer
from .throttle import StripeThrottle


class Card(BillingView):
    """POST returns the address of the page on which a card is added: Stripe's portal, or with `BILLING_ADD_CARD` a
    Checkout that only saves it."""

    throttle_classes = (StripeThrottle,)

    @extend_schema(
        operation_id="subscriptions_card",
        request=LineQuery,
        responses={200: PortalAnswer, 400: error("invalid_request"), **MINE, 409: error(*NOT_HERE), **ASKS_STRIPE},
    )
    def post(self, request: Request) -> Response:
        subscriber = payer.managed_payer(request)
        line = validated(LineQuery, request)["line"]
        return Response({"url": add_card.open_page(subscriber, line, languages.locale_of(request))})
