"""The sandbox runs in the test process, under settings that make it Stripe."""

import atexit
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.request import urlopen

from django.test import override_settings

from billing.conf import conf
from stripe_sandbox import Sandbox

from .kit import Stripe
from .memory import forget_stripe, knowing_nothing_of_stripe

# Any of a key's shape is taken.
KEY = "sk_test_" + "sandbox0" * 3


@cache
def sandbox() -> Sandbox:
    """Return the sandbox of this process: started when first asked for, stopped at the process's end."""
    started = Sandbox(port=0).start()
    atexit.register(started.stop)
    return started


def settings_of(sandbox: Sandbox) -> dict[str, Any]:
    """Return the Django settings under which this sandbox is Stripe."""
    return {
        "STRIPE_API_BASE": sandbox.url,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRETS": [sandbox.webhook_secret],
        "STRIPE_LIVE_MODE": False,
        "BILLING_CLOCK": "billing.testing.now",
    }


@contextmanager
def using_sandbox() -> Iterator[Stripe]:
    """Give a Stripe that is empty but for the plans of the test's database; for `setUp` of a Django TestCase."""
    with override_settings(**settings_of(sandbox())), emptied(sandbox()) as stripe:
        yield stripe


@contextmanager
def emptied(sandbox: Sandbox) -> Iterator[Stripe]:
    """Empty the sandbox; call this under its settings."""
    with knowing_nothing_of_stripe():
        forget_stripe()
        stripe = Stripe(sandbox)
        stripe.reset()
        yield stripe


def now() -> datetime:
    """Return the sandbox's time, without a half second's delay; BILLING_CLOCK of a test names this function."""
    if conf.api_base == sandbox().url:
        return datetime.fromtimestamp(sandbox().state.now(), UTC)
    with urlopen(f"{conf.api_base}/_sandbox/", timeout=5) as answer:
        return datetime.fromtimestamp(json.load(answer)["now"], UTC)
