"""The columns about tax are read from a subscription at Stripe here: how much of its price is tax, and whether Stripe
has stopped to tax it.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from billing.models import Subscription
from billing.stripe_client import readers

Found = dict[str, Any]
DIGITS = 4
HALF = Decimal("0.5")


def tax_columns(found: Found, before: Subscription) -> dict[str, Any]:
    """Return the columns; `before` is the row of this subscription as it was."""
    known = Decimal(before.included_tax)
    invoice = found["latest_invoice"]
    is_over = found["status"] in Subscription.TERMINAL
    return {
        "included_tax": included_percent(invoice, known) if isinstance(invoice, dict) else known,
        "lacks_address": not is_over and readers.is_untaxed_for_want_of_address(found),
    }


def included_percent(invoice: Found, known: Decimal) -> Decimal:
    """Return how many percent of its net an invoice has within as tax.

    Its amounts are rounded, so many rates explain them: the one that is known, while it does, else the one with the
    fewest digits. An invoice over nothing, such as a trial's, says nothing.
    """
    net = invoice["total"] - readers.tax_of(invoice)
    taxes = [tax for tax in invoice["total_taxes"] or [] if tax.get("tax_behavior") == "inclusive"]
    if net <= 0:
        return known
    within = sum(tax["amount"] for tax in taxes)
    rounding = HALF * len(taxes)
    least, most = (Decimal(within) + part * rounding for part in (-1, 1))
    least, most = least * 100 / (net + rounding), most * 100 / max(net - rounding, HALF)
    if least <= known <= most:
        return known
    exact = Decimal(within) * 100 / net
    rounded = (exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) for digits in range(DIGITS))
    finest = exact.quantize(Decimal(1).scaleb(-DIGITS), ROUND_HALF_UP)
    return next((percent for percent in rounded if least <= percent <= most), finest)
