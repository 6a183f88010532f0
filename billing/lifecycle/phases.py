"""Phases of a schedule are sent whole: Stripe drops whatever is left out."""

from typing import Any

from billing.stripe_client import id_of


def discounts(phase: dict[str, Any]) -> dict[str, Any]:
    """Return the `discounts` of a phase as a parameter to send along; nothing if it has none."""
    found = [
        {name: id_of(entry[name]) for name in ("coupon", "promotion_code", "discount") if entry.get(name)}
        for entry in phase.get("discounts") or []
    ]
    return {"discounts": found} if found else {}
