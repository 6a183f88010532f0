"""Shipping is taxed automatically like a line of its own, by the code of its rate; tax rates by hand leave it out.

Source: https://docs.stripe.com/payments/during-payment/charge-shipping. **Assumed**: a rate without a code is taxed as
shipping in general.
"""

from typing import Any

from ..store import Object, State
from .tax import lines, rates
from .tax.lines import Tax, Taxable

CODE = "txcd_92010001"


def part(rate: Object) -> Taxable:
    """Return what decides the tax of a shipping rate."""
    fixed, behavior = rate["fixed_amount"], rate["tax_behavior"]
    said = "" if behavior == "unspecified" else str(behavior)
    return Taxable(fixed["amount"], fixed["currency"], said, rate["tax_code"] or CODE, ())


def cost(rate: Object, taxes: list[Tax]) -> dict[str, Any]:
    """Return `shipping_cost` of a Checkout or an invoice."""
    amount = rate["fixed_amount"]["amount"]
    summed = sum(tax["amount"] for tax in taxes)
    with_tax = amount + lines.exclusive(taxes)
    return {"amount_subtotal": amount, "amount_tax": summed, "amount_total": with_tax, "shipping_rate": rate["id"]}


def shown(state: State, tax: Tax) -> Object:
    """Return a tax as Checkout, and an invoice's shipping, show it: by its rate."""
    reason = tax["taxability_reason"]
    return {
        "amount": tax["amount"],
        "rate": state.get(rates.KIND, tax["tax_rate_details"]["tax_rate"]),
        "taxability_reason": None if reason == "not_available" else reason,
        "taxable_amount": tax["taxable_amount"],
    }
