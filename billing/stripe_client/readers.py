"""Small readers of Stripe's objects: each fact that takes more than one field is read here, and nowhere else."""

from typing import Any

Object = dict[str, Any]

NO_PLACE = "customer_tax_location_invalid"  # code of Stripe's errors
UNTAXED = "requires_location_inputs"
REVERSE_CHARGE = "reverse_charge"


def id_of(reference: Any) -> str:
    """Return the id of a reference, expanded or not; "" for none and for anything that is no reference."""
    found = reference.get("id") if isinstance(reference, dict) else reference
    return found[:255] if isinstance(found, str) else ""


def owner_of(found: Object) -> str:
    """Return the customer that an object names, or that its charge or invoice (expanded) names; "" for nobody."""
    if found.get("object") == "customer":
        return id_of(found)
    if customer := id_of(found.get("customer")):
        return customer
    leading_on = (found.get(name) for name in ("charge", "invoice"))
    return next((owner_of(each) for each in leading_on if isinstance(each, dict)), "")


def metadata_of(found: Object) -> Object:
    metadata: Object = found.get("metadata") or {}
    return metadata


def subscription_of(invoice: Object) -> str:
    """Return the subscription that an invoice bills; "" for a one-off invoice, whose parent is null."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return id_of(details.get("subscription"))


def payments_of(invoice: Object) -> list[Object]:
    """Return the invoice payments of an invoice; none where they were not expanded."""
    payments: list[Object] = (invoice.get("payments") or {}).get("data", [])
    return payments


def payment_intents_of(invoice: Object) -> list[Object]:
    """Return the payment intents of an invoice's payments, those that were expanded."""
    intents = [payment["payment"].get("payment_intent") for payment in payments_of(invoice)]
    return [intent for intent in intents if isinstance(intent, dict)]


def bills_an_item(line: Object) -> bool:
    """Return whether an invoice line bills an item of a subscription, by the period or in part."""
    return (line.get("parent") or {}).get("type") == "subscription_item_details"


def is_proration(line: Object) -> bool:
    details = (line.get("parent") or {}).get("subscription_item_details") or {}
    return bool(details.get("proration"))


def taxes_of(found: Object) -> list[Object]:
    """Return the taxes of an invoice or credit note, by rate: its id ("" for none), what it comes to, on what, and
    Stripe's reason for it.
    """
    return [
        {
            "rate": id_of((tax["tax_rate_details"] or {}).get("tax_rate")),
            "amount": tax["amount"],
            "taxable": tax["taxable_amount"],
            "reason": tax.get("taxability_reason") or "",
        }
        for tax in found["total_taxes"] or []
    ]


def tax_of(found: Object) -> int:
    """Return all tax in the total of an invoice, in minor units."""
    return sum(tax["amount"] for tax in found.get("total_taxes") or [])


def is_reverse_charged(found: Object) -> bool:
    """Return whether the buyer of an invoice, a business in another country, owes its tax in our place."""
    return any(tax.get("taxability_reason") == REVERSE_CHARGE for tax in found.get("total_taxes") or [])


def lacks_address(invoice: Object) -> bool:
    """Return whether Stripe Tax has no place for the customer: the invoice stays a draft, or went out untaxed."""
    if invoice["status"] == "draft":
        return (invoice.get("last_finalization_error") or {}).get("code") == NO_PLACE
    return (invoice.get("automatic_tax") or {}).get("disabled_reason") == f"finalization_{UNTAXED}"


def is_tax_unknown(preview: Object) -> bool:
    """Return whether the preview of an invoice leaves out the tax, since the customer has no place."""
    return (preview.get("automatic_tax") or {}).get("status") == UNTAXED


def is_untaxed_for_want_of_address(subscription: Object) -> bool:
    """Return whether Stripe has switched off the automatic tax of a subscription, since its customer has no place."""
    return (subscription.get("automatic_tax") or {}).get("disabled_reason") == UNTAXED


def has_automatic_tax(subscription: Object) -> bool:
    """Return whether a subscription is taxed automatically, or was until Stripe switched that off."""
    tax = subscription.get("automatic_tax") or {}
    return bool(tax.get("enabled") or tax.get("disabled_reason"))


def has_address(customer: Object) -> bool:
    """Return whether a customer names a country to be taxed in."""
    shipping = (customer.get("shipping") or {}).get("address") or {}
    return bool(shipping.get("country") or (customer.get("address") or {}).get("country"))


def balance_applied(invoice: Object) -> int:
    """Return the part of an invoice that the customer's balance paid, in minor units; below 0, the balance got that
    much."""
    ending: int | None = invoice["ending_balance"]
    return 0 if ending is None else ending - int(invoice["starting_balance"])


def payment_error_of(intent: Object) -> Object:
    error: Object = intent.get("last_payment_error") or {}
    return error


def quantity_of(item: Object) -> int:
    """Return how many of its price an item bills, which may be none. Metered prices have no number: that is one."""
    quantity = item.get("quantity")
    return 1 if quantity is None else int(quantity)


def is_cancellation_scheduled(subscription: Object) -> bool:
    """Return whether a subscription is to end. Either field may say so: the portal may set only `cancel_at`."""
    return bool(subscription["cancel_at_period_end"] or subscription["cancel_at"])


def cancel_at_of(subscription: Object, item: Object) -> int | None:
    """Return when a subscription is to end, UTC seconds, by either field; None once it has ended, or if it goes on.

    `item` is the one whose period ends then, where only `cancel_at_period_end` is set.
    """
    if subscription["ended_at"] or not is_cancellation_scheduled(subscription):
        return None
    at: int | None = subscription["cancel_at"]
    return item["current_period_end"] if at is None else at


def default_payment_method_of(customer: Object) -> Any:
    """Return the payment method that a customer's invoices are charged to: an object where expanded, an id, or None."""
    return (customer.get("invoice_settings") or {}).get("default_payment_method")


def phase_start_of(schedule: Object) -> int:
    """Return when the phase under way began, UTC seconds; 0 for a schedule that has none."""
    return int((schedule["current_phase"] or {}).get("start_date", 0))
