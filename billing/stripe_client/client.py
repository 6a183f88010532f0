"""The client sends our requests to Stripe. The SDK's module-wide settings are not ours: other code uses them too.

Answers are plain dicts as Stripe sends them (amounts in minor units, times in UTC seconds). Errors:
`StripeUnavailable` when asking again later may help, `StripeRefused` when it will not.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import stripe
from django.core.signals import setting_changed

from billing.conf import conf

from . import fields
from .errors import StripeDiffers, StripeRefused, StripeUnavailable, mapped_errors
from .gate import is_patient, let_through
from .http_client import http_client

PARALLEL_READS = 4
# The last portion begins no later after the first: a drain must end before its task is taken from it.
PORTIONS_BEGIN_WITHIN_TIMEOUTS = 2


def get(path: str, **params: Any) -> dict[str, Any]:
    """Read an object or a list: `get("/v1/customers/cus_1")`. Raises `StripeDiffers` where a field that we read is
    missing.
    """
    answer = _call("get", path, params)
    if lacking := fields.lacking(answer):
        raise StripeDiffers(lacking, conf.api_version)
    return answer


def answers() -> bool:
    """Return whether Stripe answers at all: ask for our account, which always exists."""
    try:
        get("/v1/account")
    except StripeUnavailable:
        return False
    except StripeRefused:
        return True  # a restricted key may not see the account
    return True


def server_time() -> datetime | None:
    """Return the time of Stripe's clock as it answered, to the second."""
    with mapped_errors():
        said = client_of().raw_request("get", "/v1/account").headers.get("Date")
    return parsedate_to_datetime(said) if said else None


def post(path: str, *, idempotency_key: str, **params: Any) -> dict[str, Any]:
    """Create or update an object at Stripe.

    A write that must be made once however often it is tried has the `idempotency_key` of a row of ours, written down
    before; a write that may be made again has a fresh key (`request_key`). No key is counted or taken from the time.
    """
    return _call("post", path, {**params, "idempotency_key": idempotency_key})


def delete(path: str, *, idempotency_key: str, **params: Any) -> dict[str, Any]:
    return _call("delete", path, {**params, "idempotency_key": idempotency_key})


def get_in_parallel(requests: list[tuple[str, dict[str, Any]]], between: Callable[[], object] = lambda: None) -> None:
    """Fetch several reads at once into the drain's cache, portion by portion; `between` runs between two portions.

    Raises StripeUnavailable when one may not go out, or would begin too late.
    """
    latest = time.monotonic() + PORTIONS_BEGIN_WITHIN_TIMEOUTS * conf.stripe_timeout
    for start in range(0, len(requests), PARALLEL_READS):
        if start:
            between()
            if time.monotonic() > latest:
                raise StripeUnavailable("Stripe answers too slowly to fetch every waiting event")
        _get_together(requests[start : start + PARALLEL_READS])


def _get_together(requests: list[tuple[str, dict[str, Any]]]) -> None:
    with let_through(len(requests)):
        reads = [_pool().submit(copy_context().run, _read, path, params) for path, params in requests[1:]]
        _read(*requests[0])
        for read in reads:
            read.result()


def _read(path: str, params: dict[str, Any]) -> None:
    """Read an object and keep the answer or the error; code that needs the object meets the error there."""
    with suppress(Exception):
        get(path, **params)


def _call(method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
    with mapped_errors():
        answer = client_of().raw_request(method, path, **params)
    data: dict[str, Any] = answer.data
    return data


def client_of(api_key: str | None = None) -> stripe.StripeClient:
    """Return the SDK's client for a key, ours by default: patient in the worker, quick while a person waits."""
    return _client(api_key or conf.api_key, conf.api_version, conf.api_base, is_patient())


@lru_cache(maxsize=8)
def _client(api_key: str, api_version: str, api_base: str, is_patient: bool) -> stripe.StripeClient:
    if not api_key:
        raise StripeUnavailable("There is no Stripe key: set STRIPE_SECRET_KEY")
    return stripe.StripeClient(
        api_key,
        stripe_version=api_version,
        base_addresses={"api": api_base} if api_base else {},
        http_client=http_client(is_patient),
        max_network_retries=2 if is_patient else 1,
    )


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    """Keep the threads, and with them the connections to Stripe, for the life of the process."""
    return ThreadPoolExecutor(max_workers=PARALLEL_READS, thread_name_prefix="stripe")


def follow_settings() -> None:
    """Make new clients when a setting changes, as tests do."""
    setting_changed.connect(_forget_clients, dispatch_uid="billing.stripe_client")


def _forget_clients(setting: str, **kwargs: Any) -> None:
    if setting.startswith(("STRIPE_", "BILLING_STRIPE_")):
        http_client.cache_clear()
        _client.cache_clear()
