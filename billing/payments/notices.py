"""What changes nothing here, and a member of staff must know of all the same; raises `NotTheirs` of another's."""

from typing import Any

from billing.models import Customer
from billing.monitoring import alerts
from billing.stripe_client import fetch, id_of


def alert_fraud_warning(customer: Customer, warning: dict[str, Any]) -> None:
    """The card's bank thinks that a payment was not its holder's: most such payments are disputed within weeks."""
    if not warning.get("actionable"):
        return  # refunded or disputed already
    fetch.charge(id_of(warning.get("charge")), customer.pk)
    alerts.tell(
        "fraud_warning",
        f"Early fraud warning about {id_of(warning.get('charge'))}",
        f"The bank reports the payment {id_of(warning.get('charge'))} of the customer {customer.pk} as fraud "
        f"({warning.get('fraud_type')}).\n"
        "Nothing was changed here. Their page in the admin shows who they are. If it looks like fraud, refund it in "
        "Stripe's dashboard before it is disputed: a refund of the whole period ends access too.",
    )


def alert_not_finalized(customer: Customer, invoice: dict[str, Any]) -> None:
    """Stripe cannot charge an invoice until somebody has mended what it names: an address that tax needs, say."""
    fetch.invoice(id_of(invoice), customer.pk)
    error = invoice.get("last_finalization_error") or {}
    alerts.tell(
        "invoice_not_finalized",
        f"Invoice {id_of(invoice)} could not be finalized",
        f"Stripe could not finalize the invoice {id_of(invoice)} of the customer {customer.pk}: "
        f"{error.get('code') or error.get('type') or 'it does not say why'}.\n"
        "It is not charged until that is mended in Stripe's dashboard, and then finalized there.",
    )
