"""DRF's throttles apply the rate limits of `billing.rates`; DRF answers 429 with Retry-After."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from billing.rates import checkout_wait, guest_wait, redeem_wait, return_wait, stripe_wait


class CheckoutThrottle(BaseThrottle):
    seconds_to_wait = staticmethod(checkout_wait)

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.seconds = self.seconds_to_wait(request)
        return self.seconds == 0

    def wait(self) -> float | None:
        return self.seconds


class StripeThrottle(CheckoutThrottle):
    seconds_to_wait = staticmethod(stripe_wait)


class CodeThrottle(CheckoutThrottle):
    seconds_to_wait = staticmethod(redeem_wait)


class ReturnThrottle(CheckoutThrottle):
    seconds_to_wait = staticmethod(return_wait)


class GuestThrottle(CheckoutThrottle):
    """Count the Checkouts of one address, and those of all guests together, as the page does."""

    @staticmethod
    def seconds_to_wait(request: Any) -> int:
        asked = request.data.get("email") if isinstance(request.data, dict) else ""
        return guest_wait(request, str(asked or ""))
