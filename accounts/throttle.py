"""How often a stranger may try: by client address, and for signing in by the account tried as well."""

import hashlib

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from billing.api.throttle import seconds_to_wait

SIGN_IN_RATE_PER_ADDRESS = "30/m"
SIGN_IN_RATE_PER_ACCOUNT = "10/m"
SIGN_UP_RATE = "60/h"
RESET_RATE = "10/h"


def sign_in_wait(request: HttpRequest, email: str) -> int:
    """Seconds until the next try; 0 when this one may go on. One count for page and API."""
    account = hashlib.sha256(email.strip().lower().encode()).hexdigest()
    return max(
        seconds_to_wait(request, "accounts.sign_in", "ip", SIGN_IN_RATE_PER_ADDRESS),
        seconds_to_wait(request, "accounts.sign_in_to", lambda group, request: account, SIGN_IN_RATE_PER_ACCOUNT),
    )


def sign_up_wait(request: HttpRequest) -> int:
    return seconds_to_wait(request, "accounts.sign_up", "ip", SIGN_UP_RATE)


def reset_wait(request: HttpRequest) -> int:
    return seconds_to_wait(request, "accounts.reset", "ip", RESET_RATE)


class SignInThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        email = request.data.get("email", "") if isinstance(request.data, dict) else ""
        self.seconds = sign_in_wait(request, str(email))
        return self.seconds == 0

    def wait(self) -> float | None:
        return self.seconds


class SignUpThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        self.seconds = sign_up_wait(request)
        return self.seconds == 0

    def wait(self) -> float | None:
        return self.seconds
