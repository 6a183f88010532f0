"""All rules use this clock. In development it follows the sandbox, so that a month can pass in a second."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import cast, overload
from urllib.request import urlopen

from django.utils import timezone
from django.utils.module_loading import import_string

from billing.conf import conf

SANDBOX_CLOCK = "billing.clock.sandbox_now"


def now() -> datetime:
    """Return the time of the rules: the real time, or that of BILLING_CLOCK."""
    if not conf.clock:
        return timezone.now()
    return cast("Callable[[], datetime]", import_string(conf.clock))()


def is_the_sandboxs() -> bool:
    """Return whether the rules use the sandbox's time, as in development and in the demo."""
    return conf.clock == SANDBOX_CLOCK


@overload
def from_timestamp(seconds: int) -> datetime: ...
@overload
def from_timestamp(seconds: None) -> None: ...
def from_timestamp(seconds: int | None) -> datetime | None:
    """Return Stripe's UTC seconds as an aware datetime; None for None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


class SandboxClock:
    """The clock asks the sandbox at most twice a second how far it is ahead, and keeps that while the sandbox is away.

    Both run on one machine. So all processes agree, and the clock never goes back between two questions.
    """

    REFRESH_SECONDS = 0.5

    def __init__(self) -> None:
        self.offset = timedelta()
        self.asked_at = 0.0

    def __call__(self) -> datetime:
        if time.monotonic() - self.asked_at > self.REFRESH_SECONDS:
            self.asked_at = time.monotonic()
            self._ask()
        return timezone.now() + self.offset

    def _ask(self) -> None:
        try:
            with urlopen(f"{conf.api_base}/_sandbox/", timeout=1) as answer:
                self.offset = timedelta(seconds=json.load(answer)["ahead"])
        except (OSError, HTTPException, ValueError, LookupError, TypeError):  # away, or something else answers there
            return


sandbox_now = SandboxClock()
