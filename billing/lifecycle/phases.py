"""Phases of a schedule are sent whole, since Stripe drops what a phase leaves out.

So a phase is built from the subscription (`of_subscription`) or from a phase at Stripe (`of_phase`) with all that it
says. A name that is null or empty there is left out.
"""

from collections.abc import Iterable
from typing import Any

from billing.stripe_client import id_of, readers

Object = dict[str, Any]

PLAIN = ("application_fee_percent", "collection_method", "currency", "description", "metadata")
TEXTS = ("description", "footer")
OF_A_PHASE = ("start_date", "end_date", "trial_end", "proration_behavior", "billing_cycle_anchor")


def of_subscription(found: Object) -> Object:
    """Return the parameters of a phase in which the subscription stays as it is. The dates are left to the caller."""
    return _kept(
        {
            **_terms(found, found.get("days_until_due")),
            "discounts": [{"discount": id_of(each)} for each in found.get("discounts") or []],
            "trial_end": found["trial_end"] if found["status"] == "trialing" else None,
            "items": [item_of(item) for item in found["items"]["data"]],
        }
    )


def of_phase(phase: Object) -> Object:
    """Return the parameters that write a phase as Stripe has it, with its dates."""
    return _kept(
        {
            **_terms(phase, (phase.get("invoice_settings") or {}).get("days_until_due")),
            **{name: phase.get(name) for name in OF_A_PHASE},
            "discounts": [_discount(each) for each in phase.get("discounts") or []],
            "add_invoice_items": [_added(each) for each in phase.get("add_invoice_items") or []],
            "items": [item_of(item) for item in phase["items"]],
        }
    )


def item_of(item: Object, **changed: Any) -> Object:
    """Return the parameters of an item of a subscription or a phase, with what is `changed` of it.

    A metered item has no quantity, and Stripe refuses one; only a metered item has a threshold of usage.
    """
    price = changed.get("price") or id_of(item["price"])
    is_metered = item.get("quantity") is None and price == id_of(item["price"])
    quantity = None if is_metered else changed.get("quantity", readers.quantity_of(item))
    return _kept(
        {
            "price": price,
            "tax_rates": _ids(item.get("tax_rates")),
            "discounts": [_discount(each) for each in item.get("discounts") or []],
            "metadata": item.get("metadata"),
            "billing_thresholds": _kept(item.get("billing_thresholds") or {}) if is_metered else None,
        }
    ) | ({} if quantity is None else {"quantity": quantity})


def _terms(source: Object, days_until_due: int | None) -> Object:
    """Return the terms that subscriptions and phases have under the same names."""
    transfer = source.get("transfer_data") or {}
    return {
        **{name: source.get(name) for name in PLAIN},
        "automatic_tax": _automatic_tax(source.get("automatic_tax")),
        "billing_thresholds": _kept(source.get("billing_thresholds") or {}),
        "default_payment_method": id_of(source.get("default_payment_method")),
        "default_tax_rates": _ids(source.get("default_tax_rates")),
        "invoice_settings": _invoice_settings(source.get("invoice_settings") or {}, days_until_due),
        "on_behalf_of": id_of(source.get("on_behalf_of")),
        "transfer_data": transfer and _kept({**transfer, "destination": id_of(transfer["destination"])}),
    }


def _invoice_settings(settings: Object, days_until_due: int | None) -> Object:
    """Return the settings of invoices. A subscription has its days to pay beside them, a phase among them."""
    custom = [{"name": each["name"], "value": each["value"]} for each in settings.get("custom_fields") or []]
    found = _kept({name: settings.get(name) for name in TEXTS})
    found |= _kept({"account_tax_ids": _ids(settings.get("account_tax_ids")), "custom_fields": custom})
    found |= {"issuer": issuer} if (issuer := _account(settings.get("issuer"))) else {}
    return found | ({} if days_until_due is None else {"days_until_due": days_until_due})


def _automatic_tax(tax: Object | None) -> Object | None:
    if tax is None:
        return None
    liability = _account(tax.get("liability")) if tax["enabled"] else None
    return {"enabled": tax["enabled"], **({"liability": liability} if liability else {})}


def _account(party: Object | None) -> Object | None:
    """Return who issues an invoice or is liable for its tax, where that is another account than ours."""
    if not party or party["type"] != "account":
        return None
    return {"type": "account", "account": id_of(party["account"])}


def _discount(entry: Any) -> Object:
    """Return a discount as a parameter. A subscription's item names it by its id, a phase as it was given."""
    if isinstance(entry, dict) and "source" not in entry:
        return {name: id_of(entry[name]) for name in ("coupon", "promotion_code", "discount") if entry.get(name)}
    return {"discount": id_of(entry)}


def _added(entry: Object) -> Object:
    """Return a price that the first invoice of a phase bills as well."""
    bounds = {
        name: _kept(bound) for name, bound in (entry.get("period") or {}).items() if name in ("start", "end") and bound
    }
    return _kept(
        {
            "price": id_of(entry["price"]),
            "quantity": entry.get("quantity"),
            "metadata": entry.get("metadata"),
            "period": bounds if any("timestamp" in bound for bound in bounds.values()) else None,
            "tax_rates": _ids(entry.get("tax_rates")),
            "discounts": [_discount(each) for each in entry.get("discounts") or []],
        }
    ) | ({} if entry.get("discountable") is None else {"discountable": entry["discountable"]})


def _ids(references: Iterable[Any] | None) -> list[str]:
    return [id_of(each) for each in references or []]


def _kept(params: Object) -> Object:
    """Return the parameters that say something; `False` and 0 do."""
    return {name: value for name, value in params.items() if value is not None and value not in ("", [], {})}
