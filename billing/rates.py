"""Rate limits are counted by django-ratelimit, on a cache that counts exactly. Pages and API share the counts.

No limit raises: while the cache is away, each process counts for itself.
"""

import time

from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from billing.cache import CacheAway, ask
from billing.conf import conf

RETURN_RATE = "20/m"
STRIPE_RATE = "60/m"
LINK_RATE = "30/m"
REDEEM_RATE = "10/m"
CODE_RATE, VISITORS_CODE_RATE = "20/m", "60/m"
GUESTS_RATE = "60/m"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_own = LocMemCache("billing.rates", {})


def seconds_to_wait(request: HttpRequest, group: str, who: str, rate: str) -> int:
    """Count this user's request; return 0 if it may pass, otherwise the seconds until the next one may."""
    try:
        usage = ask(lambda: get_usage(request, group=group, key=lambda *_: who, rate=rate, increment=True))
    except CacheAway:
        return _seconds_to_wait_here(f"{group}:{who}", rate)
    if usage is None or not usage["should_limit"]:
        return 0
    return max(usage["time_left"], 1)


def _seconds_to_wait_here(name: str, rate: str) -> int:
    """Count in this process alone, in windows cut from the clock."""
    limit, _, per = rate.partition("/")
    seconds = int(per[:-1] or 1) * SECONDS[per[-1]]
    key = f"{name}:{int(time.time()) // seconds}"
    _own.add(key, 0, seconds + 1)
    return 0 if _own.incr(key) <= int(limit) else seconds - int(time.time()) % seconds


def checkout_wait(request: HttpRequest) -> int:
    """Limit the Checkouts that a user starts, by API and page together."""
    return seconds_to_wait(request, "billing.checkout", _user(request), conf.checkout_rate)


def return_wait(request: HttpRequest) -> int:
    """Limit the return page, which asks Stripe each time it is loaded, and reloads while a payment is on its way."""
    return seconds_to_wait(request, "billing.return", _user(request), RETURN_RATE)


def stripe_wait(request: HttpRequest) -> int:
    """Limit everything else that asks Stripe: far above what a person does, far below what Stripe allows."""
    return seconds_to_wait(request, "billing.stripe", _user(request), STRIPE_RATE)


def redeem_wait(request: HttpRequest) -> int:
    """Limit the codes that a user tries, so that nobody can guess one."""
    return seconds_to_wait(request, "billing.redeem", _user(request), REDEEM_RATE)


def link_wait(request: HttpRequest, invoice_id: str) -> int:
    """Limit the links to one invoice, which ask Stripe for it without a signed-in user.

    They are counted by invoice: visitors may share an address, and behind a Unix socket they have none.
    """
    return seconds_to_wait(request, "billing.link", invoice_id, LINK_RATE)


def code_wait(request: HttpRequest) -> int:
    """Limit the promotion codes that are asked of Stripe: those of a user, or of all visitors together, so that nobody
    tries them all out."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return seconds_to_wait(request, "billing.code", _user(request), CODE_RATE)
    return seconds_to_wait(request, "billing.code", "visitors", VISITORS_CODE_RATE)


def guest_wait(request: HttpRequest, email: str) -> int:
    """Limit the Checkouts of guests: those of one address, and those of all guests together, who may share a network
    address and behind a Unix socket have none."""
    own = seconds_to_wait(request, "billing.guest", email.lower()[:254], conf.checkout_rate)
    return own or seconds_to_wait(request, "billing.guests", "all", GUESTS_RATE)


def guest_return_wait(request: HttpRequest, session_id: str) -> int:
    """Limit the page to which a guest comes back, which asks Stripe each time it is loaded."""
    return seconds_to_wait(request, "billing.guest_return", session_id, RETURN_RATE)


def _user(request: HttpRequest) -> str:
    """Return who is signed in; all of these pages and endpoints ask for that first."""
    return str(request.user.pk)
