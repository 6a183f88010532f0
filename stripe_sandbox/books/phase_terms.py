"""A phase of a schedule has terms besides its items: how it is collected, its thresholds, card and description.

What a phase leaves out is what the schedule's `default_settings` say: a term of the subscription that neither names is
lost when the phase begins.
"""

from typing import Any

from ..errors import invalid
from ..store import Object, State
from . import thresholds

ISSUER = {"account_tax_ids": None, "custom_fields": None, "days_until_due": None, "description": None, "footer": None}
# Assumed: these become the defaults of a schedule that is made from a subscription; its thresholds do not.
TAKEN_OVER = ("collection_method", "days_until_due", "default_payment_method", "description")
TEXTS = ("custom_fields", "description", "footer")


def shown(entry: dict[str, Any]) -> Object:
    """Return the terms of a phase, null where they are not given."""
    settings = entry.get("invoice_settings")
    given = entry.get("billing_thresholds") or None
    limits = {"amount_gte": None, "reset_billing_cycle_anchor": False}
    return {
        "billing_thresholds": {**limits, **given} if given else None,
        "collection_method": entry.get("collection_method"),
        "default_payment_method": entry.get("default_payment_method"),
        "description": entry.get("description") or None,
        "invoice_settings": {**ISSUER, "issuer": None, **settings} if settings else None,
    }


def check(entry: dict[str, Any], where: str) -> None:
    """Refuse an invoice that is charged and yet has days to be paid in, and a threshold below Stripe's least."""
    days = (entry.get("invoice_settings") or {}).get("days_until_due")
    if days is not None and entry.get("collection_method") == "charge_automatically":
        raise invalid("`days_until_due` goes with `collection_method=send_invoice`.", f"{where}[invoice_settings]")
    least = (entry.get("billing_thresholds") or {}).get("amount_gte", thresholds.LEAST)
    if least is not None and least < thresholds.LEAST:
        raise invalid(f"The threshold must be at least {thresholds.LEAST}.", f"{where}[billing_thresholds][amount_gte]")


def counting(schedule: Object, phase: Object) -> Object:
    """Return the terms that count in a phase, by the subscription's names for them."""
    defaults = schedule["default_settings"]
    settings = phase["invoice_settings"] or defaults["invoice_settings"]
    method = phase["collection_method"] or defaults["collection_method"]
    days = settings["days_until_due"]
    days = defaults["invoice_settings"]["days_until_due"] if days is None else days
    return {
        "billing_thresholds": phase["billing_thresholds"] or defaults["billing_thresholds"],
        "collection_method": method,
        "days_until_due": days if method == "send_invoice" else None,
        "default_payment_method": phase["default_payment_method"] or defaults["default_payment_method"],
        "description": phase["description"] or defaults["description"],
        "invoice_settings": {name: settings[name] for name in TEXTS},
    }


def write(state: State, sub: Object, schedule: Object, phase: Object, before: Object | None) -> None:
    """Write a phase's terms into the subscription; of a phase that is rewritten, those that have changed."""
    after = counting(schedule, phase)
    was = counting(schedule, before) if before else None
    changed = {name: value for name, value in after.items() if was is None or was[name] != value}
    if "billing_thresholds" in changed:
        thresholds.write(state, sub, {"billing_thresholds": changed.pop("billing_thresholds")})
    if "invoice_settings" in changed:
        sub["invoice_settings"] = {**sub["invoice_settings"], **changed.pop("invoice_settings")}
    sub.update(changed)
