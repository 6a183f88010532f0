"""BILLING_CHECKOUT adds parameters of the project to a Checkout session; what billing relies on is not the project's.

A wrong answer is refused before anything is begun: the buyer reads that nothing happened, and staff are alerted.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.utils.functional import Promise
from django.utils.module_loading import import_string

from billing.conf import conf
from billing.models import CheckoutAttempt, Price
from billing.monitoring import alerts
from billing.subscriptions import ATTEMPT_KEY, METADATA_KEY

from .refusals import CheckoutMisconfigured

Params = dict[str, Any]

PAGES = ("hosted_page", "embedded_page")
TRIAL = "use `trial_days` of the plan, BILLING_TRIAL_DAYS and BILLING_TRIAL_WITHOUT_CARD"
URLS = "Checkout leads back to billing's own pages, which refresh what was bought"
# By dotted name: why the project cannot set it.
OURS = {
    "customer": "the customer is the subscriber's",
    "customer_account": "the customer is the subscriber's",
    "customer_email": "the customer is the subscriber's",
    "customer_creation": "the customer is the subscriber's",
    "mode": "billing sells subscriptions here",
    "client_reference_id": "it names the subscriber",
    "line_items": "they are the plan that was chosen; add `optional_items`",
    "currency": "it is the one that was chosen",
    "success_url": URLS,
    "cancel_url": URLS,
    "return_url": URLS,
    "redirect_on_completion": URLS,
    "after_expiration": "a recovered session is none of our attempts, and could be paid beside one",
    "payment_method_collection": TRIAL,
    "expand": "it changes Stripe's answer, not the session",
    "subscription_data.trial_period_days": TRIAL,
    "subscription_data.trial_end": TRIAL,
    "subscription_data.trial_settings": TRIAL,
    f"metadata.{ATTEMPT_KEY}": "it names the attempt",
    f"metadata.{METADATA_KEY}": "it names the subscriber",
    f"subscription_data.metadata.{ATTEMPT_KEY}": "it names the attempt",
    f"subscription_data.metadata.{METADATA_KEY}": "it names the subscriber",
}


WHAT_TO_DO = (
    "Nobody can buy until this is corrected: each Checkout is refused before anything is begun. docs/seams.md says "
    "what BILLING_CHECKOUT may return."
)


def merged(params: Params, attempt: CheckoutAttempt) -> Params:
    """Return the session's parameters with those of the project. Raises `CheckoutMisconfigured`."""
    theirs = asked_for(attempt)
    if theirs.keys() & {"discounts", "allow_promotion_codes"}:
        params = {name: value for name, value in params.items() if name != "allow_promotion_codes"}
    return _laid_over(params, theirs)


def asked_for(attempt: CheckoutAttempt) -> Params:
    """Return what the project adds, as plain JSON. Raises `CheckoutMisconfigured`, and what the callable raises."""
    if not conf.checkout:
        return {}
    answer = import_string(conf.checkout)(attempt.customer.subscriber, attempt)
    if problem := next(problems(answer), ""):
        alerts.remind_staff("checkout_params", "BILLING_CHECKOUT is refused", f"{problem}\n{WHAT_TO_DO}")
        raise CheckoutMisconfigured
    return _plain(answer)


def problems(answer: Any) -> Iterator[str]:
    """Yield a sentence for each thing that BILLING_CHECKOUT must not return."""
    try:
        given = _plain(answer)
    except (TypeError, ValueError) as error:
        yield f"BILLING_CHECKOUT returned what is no plain JSON: {error}."
        return
    if not isinstance(given, dict):
        yield f"BILLING_CHECKOUT returned {type(answer).__name__}, and must return a dictionary."
        return
    for name in _names(given):
        if name in OURS:
            yield f"BILLING_CHECKOUT returned `{name}`, which is billing's own: {OURS[name]}."
    for name in ("metadata", "subscription_data"):
        if not isinstance(given.get(name, {}), dict):
            yield f"BILLING_CHECKOUT returned `{name}`, which must be a dictionary."
    if given.get("ui_mode", PAGES[0]) not in PAGES:
        yield f"BILLING_CHECKOUT returned `ui_mode` {given['ui_mode']!r}, and it must be one of {', '.join(PAGES)}."
    if given.get("ui_mode") == "embedded_page" and not (conf.publishable_key or conf.is_sandbox):
        yield "BILLING_CHECKOUT returned `ui_mode` 'embedded_page', which needs STRIPE_PUBLISHABLE_KEY."
    yield from _plans_offered(given.get("optional_items"))


def _plans_offered(items: Any) -> Iterator[str]:
    """A further plan in the same subscription would be paid for, and give nothing."""
    if not isinstance(items or [], list) or not all(isinstance(item, dict) for item in items or []):
        yield "BILLING_CHECKOUT returned `optional_items`, which must be a list of dictionaries."
        return
    ids = [str(item.get("price") or "") for item in items or []]
    for price in Price.objects.filter(pk__in=ids).select_related("plan"):
        yield f"BILLING_CHECKOUT returned `optional_items` with {price.pk}, the price of the plan {price.plan.slug}."


def _names(given: Params, path: str = "") -> Iterator[str]:
    for name, value in given.items():
        yield f"{path}{name}"
        if isinstance(value, dict):
            yield from _names(value, f"{path}{name}.")


def _plain(answer: Any) -> Any:
    """Return the answer as plain JSON, with translated texts as they read now."""
    return json.loads(json.dumps(answer, default=_text, allow_nan=False))


def _text(value: Any) -> str:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{value!r} is no text, number, list or dictionary")


def _laid_over(params: Params, theirs: Params) -> Params:
    """Return both together: dictionaries name by name, else what the project says."""
    found = dict(params)
    for name, value in theirs.items():
        both = isinstance(value, dict) and isinstance(found.get(name), dict)
        found[name] = _laid_over(found[name], value) if both else value
    return found
