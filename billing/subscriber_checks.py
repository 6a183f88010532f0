"""System checks of who pays: each callable is there, and takes what it will be given."""

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

from django.core import checks
from django.utils.module_loading import import_string

from billing.conf import conf


def check_request_subscriber(**kwargs: Any) -> list[checks.CheckMessage]:
    """Where users are not the subscribers, nobody but the project knows who pays for a request."""
    if conf.request_subscriber:
        return _check("BILLING_REQUEST_SUBSCRIBER", conf.request_subscriber, "request", "billing.E020")
    problem = f"BILLING_SUBSCRIBER_MODEL is {conf.subscriber_model}, and BILLING_REQUEST_SUBSCRIBER is not set."
    hint = f"Set it to the dotted path of a callable: request → the {conf.subscriber_model} that pays, or None."
    return [checks.Error(problem, hint=hint, id="billing.E020")]


def check_may_manage(**kwargs: Any) -> list[checks.CheckMessage]:
    return _check("BILLING_MAY_MANAGE", conf.may_manage, "request, subscriber", "billing.E021")


def check_customer_details(**kwargs: Any) -> list[checks.CheckMessage]:
    return _check("BILLING_CUSTOMER_DETAILS", conf.customer_details, "subscriber", "billing.E022")


def check_seats(**kwargs: Any) -> list[checks.CheckMessage]:
    return _check("BILLING_SEATS", conf.seats, "subscriber", "billing.E023")


def _check(name: str, path: str, takes: str, check_id: str) -> list[checks.CheckMessage]:
    if not path:
        return []
    error = partial(checks.Error, hint=f"Set it to the dotted path of a callable that takes ({takes}).", id=check_id)
    try:
        found = import_string(path)
    except (ImportError, AttributeError, TypeError) as reason:
        return [error(f"{name} names nothing that can be imported: {path!r} ({reason}).")]
    return [] if _takes(found, len(takes.split(","))) else [error(f"{name}: {path} cannot be called so.")]


def _takes(found: Callable[..., Any], count: int) -> bool:
    try:
        signature(found).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


CHECKS = (check_request_subscriber, check_may_manage, check_customer_details, check_seats)
