"""These rules refuse Checkout sessions that Stripe refuses: parameters of another mode or another page."""

from ..errors import invalid, missing_parameter, not_covered
from ..http.contract import Params
from ..store import State

SHORTEST_TRIAL = 2 * 86_400
BOUGHT = ("payment", "subscription")
OF_MODE = {
    "allow_promotion_codes": BOUGHT,
    "discounts": BOUGHT,
    "line_items": BOUGHT,
    "optional_items": BOUGHT,
    "saved_payment_method_options": BOUGHT,
    "submit_type": BOUGHT,
    "subscription_data": ("subscription",),
    "payment_intent_data": ("payment",),
    "invoice_creation": ("payment",),
    "shipping_options": ("payment",),
    "setup_intent_data": ("setup",),
    "customer_creation": ("payment", "setup"),
    "payment_method_collection": ("subscription",),
}
PAGES = ("hosted_page", "embedded_page", "elements")
# The site's own page, made of Stripe's elements, shows the session.
WITH_ELEMENTS = "elements"
OF_PAGE = {
    "success_url": ("hosted_page",),
    "cancel_url": ("hosted_page",),
    "return_url": ("embedded_page", WITH_ELEMENTS),
    "redirect_on_completion": ("embedded_page",),
    "permissions": ("embedded_page", WITH_ELEMENTS),
    "after_expiration": ("hosted_page", "embedded_page"),
    "custom_fields": ("hosted_page", "embedded_page"),
    "custom_text": ("hosted_page", "embedded_page"),
    "optional_items": ("hosted_page", "embedded_page"),
    "submit_type": ("hosted_page", "embedded_page"),
}


def check_trial(state: State, data: Params) -> None:
    if "trial_end" in data and data["trial_end"] < state.now() + SHORTEST_TRIAL:
        where = "subscription_data[trial_end]"
        raise invalid("The `trial_end` date has to be at least 2 days in the future.", where)


def check(params: Params) -> None:
    mode = params.get("mode")
    if mode is None:
        raise missing_parameter("mode")
    _check_discounts(params)
    check_mode(mode, params)
    if mode != "setup" and not params.get("line_items"):
        raise missing_parameter("line_items")
    _check_page(params)
    if "customer" in params and "customer_email" in params:
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer")


def check_mode(mode: str, params: Params) -> None:
    """Refuse parameters of another mode, of a session as of a payment link, and those that do not go together."""
    for name, modes in OF_MODE.items():
        if name in params and mode not in modes:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    _check_held(params)


def _check_discounts(params: Params) -> None:
    if params.get("discounts") and "allow_promotion_codes" in params:
        names = "allow_promotion_codes, discounts"
        raise invalid(f"You may only specify one of these parameters: {names}.", "allow_promotion_codes")


def _check_page(params: Params) -> None:
    """A hosted page leads to its `success_url`; an embedded one to its `return_url`, unless it never leads away."""
    shown = params.get("ui_mode", "hosted_page")
    if shown not in PAGES:
        raise not_covered(f"ui_mode={shown}")
    for name, where in OF_PAGE.items():
        if name in params and shown not in where:
            raise invalid(f"`{name}` can only be set when `ui_mode` is `{'` or `'.join(where)}`.", name)
    if shown == "hosted_page":
        if not params.get("success_url"):
            raise missing_parameter("success_url")
        return
    stays = params.get("redirect_on_completion") == "never"
    if stays and "return_url" in params:
        raise invalid("`return_url` cannot be set when `redirect_on_completion` is `never`.", "return_url")
    if not stays and not params.get("return_url"):
        raise missing_parameter("return_url")


def _check_held(params: Params) -> None:
    """A held amount may never be taken: no invoice is made of it."""
    makes_invoice = (params.get("invoice_creation") or {}).get("enabled")
    if makes_invoice and (params.get("payment_intent_data") or {}).get("capture_method") == "manual":
        raise invalid(
            "You cannot enable `invoice_creation` when `payment_intent_data.capture_method` is `manual`.",
            "invoice_creation[enabled]",
        )
