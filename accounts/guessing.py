"""Every check of a password, and of a code of the second step, passes through here.

1. A try is counted before it is checked, so that many at once cannot pass a limit together. A right one is uncounted,
so only failures stay counted.

2. A browser in which the user has logged in before is counted alone: no stranger can slow it down.

3. Any other try counts against its address, and against its address at this account.

4. When an account has had many failures, each address must pause between its tries at that account. The account is
slowed but never locked: the first try of a fresh address is always checked.
"""

import hashlib
from collections.abc import Callable
from ipaddress import ip_interface
from typing import Any, TypeVar

from django.http import HttpRequest
from rest_framework.exceptions import Throttled

from . import addresses, devices
from .counting import Counter, Rate
from .models import User

T = TypeVar("T")

# One address, at any account.
ADDRESS = (Rate(30, 60), Rate(300, 3600))
# One address, or one known browser, at one account.
SOURCE = (Rate(10, 60), Rate(60, 3600))
# Failures at one account from anywhere: after that, each address must pause between two tries at it.
ATTACKED = Rate(10, 600)
PACE = Rate(1, 5)


class TooManyGuesses(Throttled):
    """The try is refused unchecked. REST framework's handler answers 429 with Retry-After in the API, our middleware
    on pages."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def guarded(request: HttpRequest | None, email: str, attempt: Callable[[], T], step: str = "password") -> T:
    """Return the outcome of `attempt`, which checks a secret of the account. A false outcome counts as a failure.

    `step` is "password", or "code" for the second step. Raises TooManyGuesses if the check has to wait.
    """
    account = digest_of(email)
    device = _device(request, email)
    sources = _sources(request, account, device, step)
    taken = sources + _addresses(request, device)
    attacked = Counter(f"{step}:{account}", ATTACKED)
    if not device and attacked.is_full:
        taken = [*taken, Counter(f"{step}:{account}:{address_of(request)}", PACE)]
    _take(taken)
    outcome = attempt()
    if outcome:
        _forget_failures(taken, [*sources, attacked] if device else sources)
    elif not device:
        attacked.take()
    return outcome


def _take(counters: list[Counter]) -> None:
    for position, counter in enumerate(counters):
        if seconds := counter.take():
            for before in counters[:position]:
                before.give_back()
            raise TooManyGuesses(seconds)


def _forget_failures(taken: list[Counter], forgotten: list[Counter]) -> None:
    """Reset the counters of this source after a success, but not those of its address at other accounts."""
    for counter in taken:
        counter.give_back()
    for counter in forgotten:
        counter.reset()


def _sources(request: HttpRequest | None, account: str, device: str, step: str) -> list[Counter]:
    """Return the counter keys of a try. Strangers who try codes share one count, since they have the password;
    otherwise each address would have its own."""
    source = device or ("anywhere" if step == "code" else address_of(request))
    return [Counter(f"{step}:{account}:{source}", rate) for rate in SOURCE]


def _addresses(request: HttpRequest | None, device: str) -> list[Counter]:
    return [] if device else [Counter(f"address:{address_of(request)}", rate) for rate in ADDRESS]


def _device(request: HttpRequest | None, email: str) -> str:
    if request is None or not any(name.startswith("device_") for name in request.COOKIES):
        return ""
    user = User.objects.filter(email=email).first()
    return devices.known(request, user) if user else ""


def address_of(request: Any) -> str:
    """Return the client's address; for IPv6 its /64 network, since a provider's customer has 2^64 addresses or more.

    A server that listens on IPv6 writes IPv4 as ::ffff:192.0.2.1: all of these would be one network.
    """
    text: str = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    if ":" not in text:
        return text
    found = ip_interface(f"{text}/64")
    return str(getattr(found.ip, "ipv4_mapped", None) or found.network)


def digest_of(email: str) -> str:
    return hashlib.sha256(addresses.spelled(email).encode()).hexdigest()
