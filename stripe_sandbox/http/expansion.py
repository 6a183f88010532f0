"""`expand[]` replaces ids by their objects, and adds the fields that are shown only when asked for."""

from collections.abc import Callable
from typing import Any

from ..errors import invalid
from ..store import Object, State
from .blanks import embedded_list
from .shapes import class_of, fields_of

DEPTH = 4
PAGES = ("list", "search_result")
WITHOUT_PREFIX = ("coupon", "tax_code")  # people choose these ids
KINDS = {
    "cus": ["customer"],
    "prod": ["product"],
    "price": ["price"],
    "sub": ["subscription", "subscription_schedule"],
    "in": ["invoice"],
    "ii": ["invoiceitem"],
    "inpay": ["invoice_payment"],
    "pi": ["payment_intent"],
    "seti": ["setup_intent"],
    "pm": ["payment_method"],
    "ch": ["charge"],
    "re": ["refund"],
    "py": ["charge"],
    "pyr": ["refund"],
    "mandate": ["mandate"],
    "du": ["dispute"],
    "txn": ["balance_transaction"],
    "cbtxn": ["customer_balance_transaction", "billing.credit_balance_transaction"],
    "credgr": ["billing.credit_grant"],
    "mtr": ["billing.meter"],
    "cn": ["credit_note"],
    "cs": ["checkout.session"],
    "plink": ["payment_link"],
    "shr": ["shipping_rate"],
    "di": ["discount"],
    "promo": ["promotion_code"],
    "qt": ["quote"],
    "clock": ["test_helpers.test_clock"],
    "feat": ["entitlements.feature"],
    "bpc": ["billing_portal.configuration"],
    "acct": ["account"],
    "txi": ["tax_id"],
    "txr": ["tax_rate"],
}
Included = Callable[[State, Object], Any]


def _charge_refunds(state: State, charge: Object) -> Object:
    refunds = list(reversed(state.table("refund").where("charge", charge["id"])))
    return embedded_list(f"/v1/charges/{charge['id']}/refunds", refunds[:10], len(refunds) > 10)


def _customer_subscriptions(state: State, customer: Object) -> Object:
    rows = [s for s in state.table("subscription").where("customer", customer["id"]) if s["status"] != "canceled"]
    rows.reverse()
    return embedded_list(f"/v1/customers/{customer['id']}/subscriptions", rows[:10], len(rows) > 10)


def _invoice_payments(state: State, invoice: Object) -> Object:
    rows = list(reversed(state.table("invoice_payment").where("invoice", invoice["id"])))
    return embedded_list("/v1/invoices/payments", rows[:10], len(rows) > 10)


def _confirmation_secret(state: State, invoice: Object) -> Object | None:
    for payment in state.table("invoice_payment").where("invoice", invoice["id"]):
        intent = state.get("payment_intent", payment["payment"]["payment_intent"])
        return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


def _line_items(state: State, holder: Object) -> Object:
    family = "payment_links" if holder["object"] == "payment_link" else "checkout/sessions"
    return embedded_list(f"/v1/{family}/{holder['id']}/line_items", state.note(holder["id"])["items"])


def _breakdown(state: State, session: Object) -> Object:
    note = state.note(session["id"])
    return {"discounts": note.get("discount_amounts", []), "taxes": note.get("taxes", [])}


def _shipping_taxes(state: State, holder: Object) -> list[Object]:
    """Return the taxes of a session's shipping, which are also those of the invoice that follows."""
    found: list[Object] = state.note(holder["id"]).get("shipping_taxes", [])
    return found


def _tiers(state: State, price: Object) -> list[Object] | None:
    found: list[Object] | None = (state.note(price["id"]).get("tiers") or {}).get(price["currency"])
    return found


MADE: dict[str, Callable[[str], Object]] = {}  # objects that are in no table, by the prefix of their ids
INCLUDABLE: dict[tuple[str, str], Included] = {
    ("charge", "refunds"): _charge_refunds,
    ("customer", "subscriptions"): _customer_subscriptions,
    ("customer", "sources"): lambda _, row: embedded_list(f"/v1/customers/{row['id']}/sources", []),
    ("customer", "invoice_credit_balance"): lambda _, __: {},
    ("invoice", "payments"): _invoice_payments,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("coupon", "applies_to"): lambda state, coupon: state.note(coupon["id"]).get("applies_to"),
    ("coupon", "currency_options"): lambda state, coupon: state.note(coupon["id"]).get("currency_options"),
    ("price", "tiers"): _tiers,
    ("plan", "tiers"): _tiers,
    ("price", "currency_options"): lambda state, price: state.note(price["id"])["currency_options"],
    ("checkout.session", "line_items"): _line_items,
    ("payment_link", "line_items"): _line_items,
    ("item", "discounts"): lambda state, item: state.note(item["id"]).get("discounts", []),
    ("item", "taxes"): lambda state, item: state.note(item["id"]).get("taxes", []),
    ("total_details", "breakdown"): _breakdown,
    ("shipping_cost", "taxes"): _shipping_taxes,
}


def expand(state: State, obj: Any, paths: list[str]) -> Any:
    for path in paths:
        parts = path.split(".")
        if len([part for part in parts if part != "data"]) > DEPTH:
            message = f"You cannot expand more than {DEPTH} levels of a property. Property: {path}"
            raise invalid(message, code="property_expansion_max_depth")
        _check(obj, parts)
        obj = _expand(state, obj, parts)
    return obj


def _check(obj: Any, parts: list[str]) -> None:
    """Refuse a path whose first name cannot be expanded. Stripe does not look at the names behind it."""
    kind = obj.get("object") if isinstance(obj, dict) else None
    name = parts[0]
    if kind == "list" and name == "total_count":
        raise invalid("This property cannot be included (total_count)")
    if kind == "list" and name != "data":
        hint = f"You may want to try expanding 'data.{'.'.join(parts)}' instead."
        raise invalid(f"This property cannot be expanded ({name}). {hint}")
    if kind in PAGES and name == "data":
        obj, name = next(iter(obj["data"]), None), parts[1] if len(parts) > 1 else ""
        if not name:
            raise invalid("This property cannot be expanded (data).")
    if isinstance(obj, dict) and not _is_expandable(obj, name):
        raise invalid(f"This property cannot be expanded ({name}).")


def _is_expandable(obj: Object, name: str) -> bool:
    kind = str(obj.get("object"))
    if (kind, name) in INCLUDABLE:
        return True
    value, cls = obj.get(name), class_of(kind)
    if name == "metadata" or (name not in obj and (cls is None or name not in fields_of(cls))):
        return False
    if isinstance(value, str):
        prefix = value.split("_", maxsplit=1)[0]
        return prefix in MADE or prefix in KINDS or name in WITHOUT_PREFIX
    return value is None or isinstance(value, dict | list)


def _without_prefix(state: State, identifier: str) -> list[str]:
    """Return the kind of an id without prefix, which can only be a coupon's, since people choose it."""
    return ["coupon"] if state.find("coupon", identifier) or "last" in state.notes.get(identifier, {}) else []


def _expand(state: State, obj: Any, parts: list[str], within: str = "", holder: Object | None = None) -> Any:
    """Return a copy of `obj`, expanded along the path; what is stored is never changed. `within` its `holder` it has
    that name."""
    if isinstance(obj, list):
        return [_expand(state, entry, parts, within, holder) for entry in obj]
    if not parts or not isinstance(obj, dict):
        return obj
    name, rest = parts[0], parts[1:]
    included = INCLUDABLE.get((str(obj.get("object", within)), name))
    if name in obj:
        value = obj[name]
    elif included:
        value = included(state, obj if "id" in obj or holder is None else holder)
    else:
        return _with_null(obj, name)
    if isinstance(value, list):
        value = [_object(state, entry) if isinstance(entry, str) else entry for entry in value]
    elif isinstance(value, str):
        value = _object(state, value)
    return {**obj, name: _expand(state, value, rest, name, obj if "id" in obj else holder)}


def _with_null(obj: Object, name: str) -> Object:
    """Return the object with a field that is shown only when asked for, and is empty; another name changes nothing."""
    cls = class_of(str(obj.get("object")))
    return {**obj, name: None} if cls is not None and name in fields_of(cls) else obj


def _object(state: State, identifier: str) -> Object | str:
    """Return the object of an id; whatever is none stays as it is."""
    prefix = identifier.split("_", maxsplit=1)[0]
    if prefix in MADE:
        return MADE[prefix](identifier)
    for kind in KINDS.get(prefix) or _without_prefix(state, identifier):
        row = state.find(kind, identifier)
        if row is not None:
            return row
    deleted: Object | None = state.notes.get(identifier, {}).get("deleted")
    return identifier if deleted is None else deleted
