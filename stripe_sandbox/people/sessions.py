"""These functions draw up Checkout sessions, with the goods on sale, in each of the three modes."""

from typing import Any

from ..books import charging, items, pricing
from ..books.invoicing import ACCOUNT_NAME
from ..books.periods import DAY
from ..errors import invalid
from ..http.blanks import blank
from ..http.contract import Params
from ..http.metadata import merged
from ..store import Object, State
from . import collecting, recovering

ECHOED = ("allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id", "locale",
          "payment_method_collection", "success_url", "integration_identifier", "submit_type",
          "customer_creation")  # fmt: skip
INVOICE_DATA = ("account_tax_ids", "custom_fields", "description", "footer", "issuer", "metadata", "rendering_options")

BRANDING = {"background_color": "#ffffff", "border_style": "rounded", "button_color": "#0074d4",
            "font_family": "default", "icon": None, "logo": None}  # fmt: skip
SAVED = {"allow_redisplay_filters": ["always"], "payment_method_remove": "disabled", "payment_method_save": None}
LENIENCE = 60
NOWHERE = "https://stripe.com"  # where Stripe leads a buyer whom no site awaits
DETAILS = ("address", "business_name", "email", "individual_name", "name", "phone", "tax_exempt", "tax_ids")


def priced(state: State, identifier: str, mode: str) -> Object:
    price = state.get("price", identifier, "line_items[0][price]")
    if mode == "subscription" and price["recurring"] is not None:
        return items.recurring_price(state, identifier, "line_items[0][price]")
    if price["recurring"] is not None:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices.",
            "mode",
        )
    items.check_active(state, price, "line_items[0][price]")
    return {**price}


def currency_of(state: State, wanted: list[Object], params: Params, customer: Object | None) -> str:
    price = priced(state, wanted[0]["price"], params["mode"])
    known = {price["currency"], *(state.note(price["id"]).get("currency_options") or {})}
    asked = params.get("currency") or (customer["currency"] if customer and customer["currency"] in known else None)
    return str(asked or price["currency"]).lower()


def line(state: State, entry: Object, currency: str, mode: str) -> Object:
    price = priced(state, entry["price"], mode)
    amount = pricing.item_amount(state, {"price": price, "quantity": entry.get("quantity")}, currency)
    return blank(
        "item",
        state.new_id("li"),
        adjustable_quantity=entry.get("adjustable_quantity"),
        amount_discount=0,
        amount_subtotal=amount,
        amount_tax=0,
        amount_total=amount,
        currency=currency,
        description=state.get("product", price["product"])["name"],
        metadata=merged({}, entry),
        price=price,
        quantity=entry.get("quantity"),
    )


def session(state: State, params: Params, currency: str | None, customer: Object | None = None) -> Object:
    """Return an open session whose lines are not counted yet."""
    identifier, mode = "cs_test_a1" + state.new_id("x", 58)[2:], params["mode"]
    total = None if mode == "setup" else 0
    echoed: dict[str, Any] = {name: params[name] for name in ECHOED if name in params}
    return blank(
        "checkout.session",
        identifier,
        **{
            "adaptive_pricing": {"enabled": False},
            "after_expiration": recovering.asked(params),
            "amount_subtotal": total,
            "amount_total": total,
            "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
            "branding_settings": {**BRANDING, "display_name": ACCOUNT_NAME},
            "collected_information": dict.fromkeys(("business_name", "individual_name", "shipping_details")),
            "created": state.now(),
            "currency": currency,
            "customer": params.get("customer"),
            "customer_creation": _customer_creation(params),
            "customer_email": params.get("customer_email"),
            "customer_details": _customer_details(customer, params),
            "discounts": None if mode == "setup" else [],
            "expires_at": _expiry(state, params),
            "invoice_creation": _invoice_creation(params) if mode == "payment" else None,
            "livemode": False,
            "metadata": merged({}, params),
            "mode": mode,
            "payment_method_collection": "if_required" if mode == "payment" else "always",
            "payment_method_configuration_details": None
            if "payment_method_types" in params
            else {"id": charging.CONFIGURATION, "parent": None},
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            **{name: params[name] for name in ("excluded_payment_method_types",) if params.get(name)},
            "payment_method_types": _types(params),
            "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
            "saved_payment_method_options": None
            if mode == "setup"
            else {**SAVED, **params.get("saved_payment_method_options", {})},
            "shipping_options": [],
            "status": "open",
            "total_details": None if mode == "setup" else {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            **_page(state, identifier, params),
            **collecting.asked(params),
            **echoed,
        },
    )


def _types(params: Params) -> list[str]:
    """Return the ways to pay that are named, else the card, unless it is excluded."""
    named, excluded = params.get("payment_method_types"), params.get("excluded_payment_method_types") or []
    if named and excluded:
        names = "payment_method_types, excluded_payment_method_types"
        raise invalid(f"You may only specify one of these parameters: {names}.", "excluded_payment_method_types")
    return named or [kind for kind in ("card",) if kind not in excluded]


def _customer_details(customer: Object | None, params: Params) -> Object | None:
    """Return the buyer's details; until somebody fills in the page, only the e-mail address is known."""
    email = customer["email"] if customer else params.get("customer_email")
    return {**dict.fromkeys(DETAILS), "email": email} if email else None


def _customer_creation(params: Params) -> str | None:
    if "customer" in params:
        return None
    return "always" if params["mode"] == "subscription" else "if_required"


def _invoice_creation(params: Params) -> Object:
    given = params.get("invoice_creation") or {"enabled": False}
    data: dict[str, Any] = dict.fromkeys(INVOICE_DATA)
    return {"enabled": given["enabled"], "invoice_data": {**data, "metadata": {}, **given.get("invoice_data", {})}}


def _page(state: State, identifier: str, params: Params) -> Object:
    """Return the address of a hosted page, or the secret by which the site's own page shows the session."""
    if params.get("ui_mode", "hosted_page") == "hosted_page":
        return {"ui_mode": "hosted_page", "url": f"{state.base_url}/c/{identifier}"}
    secret = f"{identifier}_secret_{state.new_id('x', 40)[2:]}"
    shown: dict[str, Any] = {"client_secret": secret}
    if params["ui_mode"] == "embedded_page":
        shown["redirect_on_completion"] = params.get("redirect_on_completion", "always")
    shown |= {"permissions": params.get("permissions"), "return_url": params.get("return_url")}
    return {"ui_mode": params["ui_mode"], "url": None, **shown}


def _expiry(state: State, params: Params) -> int:
    at, now = params.get("expires_at", state.now() + DAY), state.now()
    if at < now + 1800 - LENIENCE:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", "expires_at"
        )
    if at > now + DAY + LENIENCE:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", "expires_at"
        )
    return int(at)
