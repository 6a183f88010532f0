"""Somebody opens a payment link: a Checkout session is made for the visit, and counted once it is complete."""

from typing import Any

from ..errors import ApiError
from ..events import recorded
from ..store import Object, State
from . import checkout_discounts, opening
from .sessions import NOWHERE

# What a session is made with, as it stands in the link's parameters.
PASSED = (
    "automatic_tax", "custom_fields", "custom_text", "invoice_creation", "name_collection", "optional_items",
    "payment_intent_data", "payment_method_types", "phone_number_collection", "shipping_address_collection",
    "subscription_data", "tax_id_collection",
)  # fmt: skip
# What it is made with, as the link shows it.
SHOWN = ("allow_promotion_codes", "billing_address_collection", "currency", "metadata", "submit_type")
OF_MODE = {"payment": "customer_creation", "subscription": "payment_method_collection"}
NO_CONSENT = {"promotions": "none", "terms_of_service": "none"}


def visit(state: State, link: Object, query: dict[str, str]) -> Object:
    """Open a session; the address may carry a reference, an e-mail address, a promotion code and a language."""
    if not link["active"]:
        raise ApiError(410, link["inactive_message"] or "This payment link is no longer active.")
    note = state.note(link["id"])
    params: dict[str, Any] = {name: note["params"][name] for name in PASSED if name in note["params"]}
    params |= {name: link[name] for name in SHOWN} | {"mode": note["mode"], "line_items": note["wanted"]}
    params |= {"consent_collection": note["params"].get("consent_collection", NO_CONSENT)}
    params |= {"success_url": _leads_to(link), "cancel_url": NOWHERE, "locale": query.get("locale", "auto")}
    if link["shipping_options"]:
        rates = [option["shipping_rate"] for option in link["shipping_options"]]
        params["shipping_options"] = [{"shipping_rate": rate} for rate in rates]
    own = OF_MODE[note["mode"]]
    params[own] = link[own]
    if "client_reference_id" in query:
        params["client_reference_id"] = query["client_reference_id"]
    if "locked_prefilled_email" in query:
        params["customer_email"] = query["locked_prefilled_email"]
    session = opening.opened(state, params, payment_link=link["id"], customer_creation=link["customer_creation"])
    state.note(session["id"])["prefilled_email"] = query.get("prefilled_email")
    if "prefilled_promo_code" in query and session["allow_promotion_codes"]:
        checkout_discounts.enter(state, session, query["prefilled_promo_code"])
    return session


def _leads_to(link: Object) -> str:
    after = link["after_completion"]
    return str(after["redirect"]["url"]) if after["type"] == "redirect" else NOWHERE


def confirmation(state: State, session: Object) -> str | None:
    """Return what the link's own page says once it is paid; None where a session leads back to its site."""
    link = state.find("payment_link", session["payment_link"])
    if link is None or link["after_completion"]["type"] == "redirect":
        return None
    return str(link["after_completion"]["hosted_confirmation"]["custom_message"] or "Thank you for your payment.")


def count(state: State, session: Object) -> None:
    """A link with a limit is closed by the last session that may be completed."""
    link = state.find("payment_link", session["payment_link"])
    if link is None or not link["restrictions"]:
        return
    completed = link["restrictions"]["completed_sessions"]
    with recorded(state, link, "payment_link.updated"):
        completed["count"] += 1
        if completed["count"] >= completed["limit"]:
            link["active"] = False
