"""Staff are alerted to events that change nothing here. Raises `NotTheirs` if the object is another customer's."""

from typing import Any

from billing import subscriptions
from billing.models import Customer, Subscription
from billing.monitoring import alerts
from billing.stripe_client import fetch, id_of, readers

from . import addresses, links

CORRECT_IT = "Stripe does not charge it until you correct that in Stripe's dashboard and finalize the invoice there."
ADDRESS_IS_ASKED_FOR = (
    "The subscriber is asked for an address, by mail and on the account page; the invoice is finalized as soon as "
    "Stripe has one. You can enter it for them in Stripe's dashboard."
)


def alert_fraud_warning(customer: Customer, warning: dict[str, Any]) -> None:
    """Alert staff that the card's bank suspects fraud: most such payments are disputed within weeks."""
    if not warning.get("actionable"):
        return  # refunded or disputed already
    charge = fetch.charge(id_of(warning.get("charge")), customer.pk)
    link = links.link_of(customer, id_of(charge["payment_intent"]), id_of(charge))
    is_foreign = subscriptions.row_for(customer, link.subscription_id if link else "").is_foreign
    ends = links.OF_ANOTHER_PRODUCT if is_foreign else "A refund of the whole period ends access too."
    alerts.alert_staff(
        "fraud_warning",
        f"Early fraud warning about {id_of(warning.get('charge'))}",
        f"The bank reports the payment {id_of(warning.get('charge'))} of the customer {customer.pk} as fraud "
        f"({warning.get('fraud_type')}).\n"
        "Nothing was changed here. The customer's page in the admin shows who they are. If it looks like fraud, refund "
        f"the payment in Stripe's dashboard before it is disputed. {ends}",
    )


def alert_not_finalized(customer: Customer, invoice: dict[str, Any]) -> None:
    """Alert staff that Stripe could not finalize an invoice; if tax needs an address, ask the subscriber for it."""
    found = fetch.invoice(id_of(invoice), customer.pk)
    if subscriptions.row_for(customer, readers.subscription_of(found)).is_foreign:
        return
    addresses.ask_for_address(customer, subscriptions.invoices.project(customer, found))
    lacks_address = readers.lacks_address(found)
    error = invoice.get("last_finalization_error") or {}
    alerts.alert_staff(
        "invoice_not_finalized",
        f"Invoice {id_of(invoice)} could not be finalized",
        f"Stripe could not finalize the invoice {id_of(invoice)} of the customer {customer.pk}: "
        f"{error.get('code') or error.get('type') or 'Stripe gives no reason'}.\n"
        f"{ADDRESS_IS_ASKED_FOR if lacks_address else CORRECT_IT}",
    )


def alert_quote_accepted(customer: Customer, quote: dict[str, Any]) -> None:
    """Tell staff that a quote was accepted and began a subscription, or will; and what is left to do, if anything is.

    What it began is read from our rows, which Stripe's answer has just written: the event itself may be forged.
    """
    quoted, schedule = id_of(quote.get("subscription")), id_of(quote.get("subscription_schedule"))
    row = Subscription.objects.select_related("plan").filter(customer=customer, stripe_id=quoted).first()
    if row is not None and quoted and not row.is_foreign:
        began = _began(row)
    elif schedule:
        began = f"Its subscription begins later, by the schedule {schedule}. You do not have to act."
    else:
        return
    alerts.alert_staff(
        f"quote_accepted:{id_of(quote)}"[:100],
        f"Quote {id_of(quote)} accepted",
        f"The customer {customer.pk} accepted the quote {id_of(quote)}.\n{began}",
    )


def _began(row: Subscription) -> str:
    if row.whose == Subscription.Whose.OURS:
        return f"It began the subscription {row.stripe_id} to the plan {row.plan}. You do not have to act."
    return (
        f"It began the subscription {row.stripe_id}, whose price {row.unmapped_price} belongs to no plan, so it gives "
        "no access by itself. Say what the price buys, on the customer's page in the admin."
    )
