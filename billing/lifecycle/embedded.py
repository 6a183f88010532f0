"""Checkout is shown on a page of this site (BILLING_CHECKOUT_EMBEDDED), or on Stripe's."""

from typing import Any
from urllib.parse import urlencode

from billing import site, stripe_client
from billing.conf import conf
from billing.models import CheckoutAttempt

EMBEDDED = "embedded_page"


def on_its_page(params: dict[str, Any]) -> dict[str, Any]:
    """Return the session's parameters for the page that shows it. The project may choose another by `ui_mode`."""
    usual = EMBEDDED if conf.is_checkout_embedded else "hosted_page"
    if params.get("ui_mode", usual) != EMBEDDED:
        return {name: value for name, value in params.items() if name != "ui_mode"}
    hosted = ("success_url", "cancel_url")
    shown = {name: value for name, value in params.items() if name not in hosted}
    return {**shown, "ui_mode": EMBEDDED, "return_url": params["success_url"]}


def address_of(attempt: CheckoutAttempt) -> str:
    """Return the address of our page that shows the attempt's session."""
    return f"{site.absolute(site.path_of('pay'))}?{urlencode({'session_id': attempt.session_id})}"


def secret_of(attempt: CheckoutAttempt) -> str:
    """Ask Stripe for the secret by which our page shows the session; "" once it is complete or expired.

    Raises `StripeUnavailable`, `StripeRefused`.
    """
    session = stripe_client.get(f"/v1/checkout/sessions/{attempt.session_id}")
    return str(session.get("client_secret") or "") if session["status"] == "open" else ""


def script() -> str:
    """Return the address of Stripe's script for the pinned version; the sandbox has its own."""
    if conf.is_sandbox:
        return f"{conf.api_base}/stripe.js"
    return f"https://js.stripe.com/{conf.api_version.rpartition('.')[2]}/stripe.js"
