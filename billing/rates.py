"""Rate limits are counted by django-ratelimit, on a cache that counts exactly. Pages and API share the counts."""

from collections.abc import Callable

from django.http import HttpRequest
from django_ratelimit.core import get_usage

from billing.conf import conf

RETURN_RATE = "20/m"
STRIPE_RATE = "60/m"
LINK_RATE = "30/m"


def seconds_to_wait(request: HttpRequest, group: str, key: str | Callable[[str, HttpRequest], str], rate: str) -> int:
    """Count this request and return 0 if it may pass, otherwise the seconds until the next one may."""
    usage = get_usage(request, group=group, key=key, rate=rate, increment=True)
    if usage is None or not usage["should_limit"]:
        return 0
    return max(usage["time_left"], 1)


def checkout_wait(request: HttpRequest) -> int:
    """Limit the Checkouts that a user starts, by API and page together."""
    return seconds_to_wait(request, "billing.checkout", "user", conf.checkout_rate)


def return_wait(request: HttpRequest) -> int:
    """Limit the return page, which asks Stripe each time it is loaded, and reloads while a payment is on its way."""
    return seconds_to_wait(request, "billing.return", "user", RETURN_RATE)


def stripe_wait(request: HttpRequest) -> int:
    """Limit everything else that asks Stripe: far above what a person does, far below what Stripe allows."""
    return seconds_to_wait(request, "billing.stripe", "user", STRIPE_RATE)


def link_wait(request: HttpRequest, invoice_id: str) -> int:
    """Limit the links to one invoice, which ask Stripe for it without a signed-in user.

    They are counted by invoice: visitors may share an address, and behind a Unix socket they have none.
    """
    return seconds_to_wait(request, "billing.link", lambda group, request: invoice_id, LINK_RATE)
