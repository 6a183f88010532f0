"""Staff give back a payment, all of it or a part, by refunds of the charges that paid its invoice."""

from dataclasses import dataclass

from billing import stripe_client
from billing.models import Customer, InvoicePayment, Payment, Refund
from billing.stripe_client import fetch, id_of

from . import refunds


@dataclass(frozen=True)
class Part:
    """A part of a payment is one charge, of which `left` minor units were not given back yet."""

    payment_intent: str
    charge: str
    left: int


def parts_of(customer: Customer, payment: Payment) -> list[Part]:
    """Ask Stripe for the charges that paid the invoice, the newest first; what was paid outside of Stripe has none."""
    links = InvoicePayment.objects.filter(customer=customer, invoice_id=payment.invoice_id)
    intents = links.exclude(payment_intent="").order_by("-paid_at", "pk").values_list("payment_intent", flat=True)
    return [part for intent in intents if (part := _part_of(customer, intent)) is not None]


def left_of(parts: list[Part]) -> int:
    return sum(part.left for part in parts)


def give_back(parts: list[Part], amount: int, key: str) -> list[str]:
    """Refund `amount` minor units, at most what is left, and return the ids of the refunds. `key` is of this request
    alone: asked again with it, Stripe answers with the same refunds."""
    made, rest = [], amount
    for part in parts:
        share = min(part.left, rest)
        if share <= 0:
            continue
        refund = stripe_client.post(
            "/v1/refunds",
            idempotency_key=f"{key}:{part.charge}",
            payment_intent=part.payment_intent,
            amount=share,
            reason="requested_by_customer",
        )
        made.append(str(refund["id"]))
        rest -= share
    return made


def record(customer: Customer, payment: Payment) -> None:
    """Record the refunds of the payment as Stripe has them now, with what follows for access."""
    links = InvoicePayment.objects.filter(customer=customer, invoice_id=payment.invoice_id).exclude(payment_intent="")
    for intent in links.order_by("pk").values_list("payment_intent", flat=True):
        if charge := id_of(fetch.payment_intent(intent, customer.pk)["latest_charge"]):
            refunds.record_refunds(customer, charge)


def _part_of(customer: Customer, intent: str) -> Part | None:
    charge_id = id_of(fetch.payment_intent(intent, customer.pk)["latest_charge"])
    if not charge_id:
        return None
    charge = fetch.charge(charge_id, customer.pk)
    gone = sum(each["amount"] for each in fetch.refunds(charge) if each["status"] not in Refund.UNDONE)
    return Part(intent, charge_id, max(charge["amount_captured"] - gone, 0))
