"""A Checkout session is asked for with these parameters, which an attempt remembers once they are sent."""

from typing import Any

from billing import catalogue, site
from billing.conf import conf
from billing.models import CheckoutAttempt
from billing.subscriptions import ATTEMPT_KEY

from . import checkout_add_ons, codes, embedded, host_params, overage_items, tax, trials
from .customers import METADATA_KEY, subscriber_key


def session_params(attempt: CheckoutAttempt, *, is_first: bool) -> dict[str, Any]:
    """Return the session's parameters, with those of the project. Only somebody who never subscribed gets a trial.

    Raises `TrialTooLong`, `CheckoutMisconfigured`.
    """
    subscriber = attempt.customer.subscriber
    metadata = {ATTEMPT_KEY: str(attempt.pk), METADATA_KEY: subscriber_key(subscriber)}
    subscription_data: dict[str, Any] = {"metadata": metadata}
    if conf.invoice.get("memo"):
        subscription_data["description"] = conf.invoice["memo"]
    is_free = catalogue.amounts.is_free(attempt.price, attempt.currency)
    trial = trials.offer_of(attempt, is_first=is_first)
    subscription_data |= trial.subscription_data
    params: dict[str, Any] = {
        "mode": "subscription",
        "customer": attempt.customer_id,
        "client_reference_id": subscriber_key(subscriber),
        "line_items": [
            _line_item(attempt),
            *checkout_add_ons.line_items(attempt),
            *overage_items.checkout_lines(attempt.price, attempt.currency),
        ],
        "metadata": metadata,
        "subscription_data": subscription_data,
        **codes.session_params(attempt),
        "success_url": _return_page(),
        "cancel_url": site.page("prices"),
    }
    if is_free or trial.without_card:
        params["payment_method_collection"] = "if_required"
    params = tax.taxed(params)
    if attempt.currency:
        params["currency"] = attempt.currency
    if attempt.locale:
        params["locale"] = attempt.locale
    return embedded.on_its_page(host_params.merged(params, attempt))


def _return_page() -> str:
    """Return where Stripe sends the buyer; it puts the session's id in."""
    page = site.page("return")
    return f"{page}{'&' if '?' in page else '?'}session_id={{CHECKOUT_SESSION_ID}}"


def _line_item(attempt: CheckoutAttempt) -> dict[str, Any]:
    """Return the line of the plan. What is billed by usage has no quantity."""
    counted = {} if catalogue.amounts.is_metered(attempt.price) else {"quantity": attempt.quantity}
    return {"price": attempt.price_id, **counted}
