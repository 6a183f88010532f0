"""The portal is Stripe's own page for cards, addresses and receipts."""

from typing import Any

from billing import site, stripe_client
from billing.stripe_client import readers

from .customers import request_key
from .live_subscription import customer_of

MARK = "billing_setup"
CONFIGURATIONS = "/v1/billing_portal/configurations"


def configuration_of_ours() -> dict[str, Any] | None:
    """Return the portal configuration that `setup_stripe` made, as Stripe has it; None if there is none."""
    expand = ["data.features.subscription_update.products"]
    found = stripe_client.get(CONFIGURATIONS, active=True, limit=100, expand=expand)["data"]
    return next((row for row in found if readers.metadata_of(row).get(MARK)), None)


def open_portal(subscriber: Any, locale: str = "") -> str:
    """Make a portal session for this subscriber and return its address. It leads back to the account page, ours or the
    project's, and speaks `locale`, or the browser's language.

    The session uses the configuration that `setup_stripe` made, or else the default of the Stripe account.

    Raises `NoSubscription` for a subscriber who never bought anything, `StripeUnavailable`, `StripeRefused`.
    """
    customer = customer_of(subscriber)
    ours = configuration_of_ours()
    session = stripe_client.post(
        "/v1/billing_portal/sessions",
        idempotency_key=request_key(customer, "portal"),
        customer=customer.pk,
        return_url=site.page("account"),
        **({"configuration": ours["id"]} if ours else {}),
        **({"locale": locale} if locale else {}),
    )
    return str(session["url"])
