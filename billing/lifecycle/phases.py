"""Phases of a subscription schedule, as they are sent: given whole, so that what is left out would be lost."""

from typing import Any

from billing.stripe_client import id_of


def discounts(phase: dict[str, Any]) -> dict[str, Any]:
    """`discounts` of a phase that Stripe sent, to be sent along; nothing where it has none."""
    found = [
        {name: id_of(entry[name]) for name in ("coupon", "promotion_code", "discount") if entry.get(name)}
        for entry in phase.get("discounts") or []
    ]
    return {"discounts": found} if found else {}
