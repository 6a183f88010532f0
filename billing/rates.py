"""Rate limits are counted by django-ratelimit, on a cache that counts exactly; pages and API share the counts."""

from collections.abc import Callable

from django.http import HttpRequest
from django_ratelimit.core import get_usage

from billing.conf import conf

SIGN_IN_RATE = "10/m"
RETURN_RATE = "20/m"
STRIPE_RATE = "60/m"
SIGN_UP_RATE = "20/h"
LINK_RATE = "30/m"


def seconds_to_wait(request: HttpRequest, group: str, key: str | Callable[[str, HttpRequest], str], rate: str) -> int:
    """Counts this request; 0 when it may pass, else after how many seconds the next one may."""
    usage = get_usage(request, group=group, key=key, rate=rate, increment=True)
    if usage is None or not usage["should_limit"]:
        return 0
    return max(usage["time_left"], 1)


def checkout_wait(request: HttpRequest) -> int:
    """One count for the API and the page, per user."""
    return seconds_to_wait(request, "billing.checkout", "user", conf.checkout_rate)


def return_wait(request: HttpRequest) -> int:
    """The page Stripe leads back to asks Stripe each time it is loaded; while a payment is on its way it reloads."""
    return seconds_to_wait(request, "billing.return", "user", RETURN_RATE)


def stripe_wait(request: HttpRequest) -> int:
    """Whatever else asks Stripe: far above what a person does, far below what Stripe lets us ask."""
    return seconds_to_wait(request, "billing.stripe", "user", STRIPE_RATE)


def link_wait(request: HttpRequest) -> int:
    """A mail's link, which asks Stripe for an invoice without anybody having signed in."""
    return seconds_to_wait(request, "billing.link", "ip", LINK_RATE)
