"""These limits say how often a stranger may create accounts and ask for e-mails. `accounts.guessing` limits
passwords."""

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from .counting import Counter, Rate
from .guessing import address_of, digest_of

SIGN_UP_RATE = Rate(60, 3600)
RESET_RATE = Rate(10, 3600)
# The link in each of these e-mails works for three days, so nobody needs many.
RESET_RATE_PER_ACCOUNT = Rate(5, 3600)
CONFIRMATION_RATE = Rate(20, 3600)
CONFIRMATION_RATE_PER_ACCOUNT = Rate(5, 3600)


def sign_up_wait(request: HttpRequest) -> int:
    """Return the seconds until the next sign-up is allowed; 0 if it is allowed now."""
    return Counter(f"sign_up:{address_of(request)}", SIGN_UP_RATE).take()


def reset_wait(request: HttpRequest, email: str) -> int:
    """Return the same for password resets, by client and by account, whether the account exists or not."""
    by_address = Counter(f"reset:{address_of(request)}", RESET_RATE).take()
    return by_address or Counter(f"reset_of:{digest_of(email)}", RESET_RATE_PER_ACCOUNT).take()


def confirmation_wait(request: HttpRequest, email: str) -> int:
    """Return the same for e-mails that confirm an address, by client and by mailbox."""
    by_address = Counter(f"confirm:{address_of(request)}", CONFIRMATION_RATE).take()
    return by_address or Counter(f"confirm_of:{digest_of(email)}", CONFIRMATION_RATE_PER_ACCOUNT).take()


class SignUpThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        self.seconds = sign_up_wait(request)
        return self.seconds == 0

    def wait(self) -> float | None:
        return self.seconds
