"""Staff judge unverified tax ids here, and have an invoice finalized again that waits for an address."""

from typing import Any
from uuid import uuid4

from billing import clock, lanes
from billing.models import Customer, StripeWrite, TaxId

from . import staff_forms
from .refused import Refused


def has_draft(customer: Customer) -> bool:
    return customer.deleted_at is None and staff_forms.finalizable(customer).exists()


def about_finalizing(customer: Customer) -> list[str]:
    return [
        "Stripe could not tax the invoice, since it knows no place for the customer. Enter an address at Stripe first.",
        "Stripe then charges or sends the invoice as usual. Without a known address nothing changes.",
    ]


def finalize(customer: Customer, given: dict[str, Any]) -> str:
    invoice = staff_forms.finalizable(customer).filter(pk=given["invoice"].pk).first()
    if invoice is None:
        raise Refused
    lanes.writes.owe(customer, invoice.pk, f"staff:{uuid4()}", StripeWrite.Action.FINALIZE_INVOICE)
    return f"Had the invoice {invoice.pk} finalized again"


def has_doubtful_id(customer: Customer) -> bool:
    return TaxId.objects.doubtful().filter(customer=customer).exists()


def about_accepting(customer: Customer) -> list[str]:
    return [
        "The tax ID stays. The doctor does not name it any more.",
        "If it is wrong, you may owe the tax that was left out because of it.",
    ]


def accept(customer: Customer, given: dict[str, Any]) -> str:
    if not _still_doubtful(customer, given).update(accepted_at=clock.now()):
        raise Refused
    return f"Accepted the tax ID {given['tax_id'].pk}"


def about_removing(customer: Customer) -> list[str]:
    return [
        "Stripe forgets the tax ID, and taxes the next invoices as those of a private person. Past ones stay.",
        "The subscriber can enter another one in the portal. Write to them: they get no mail about it.",
    ]


def remove(customer: Customer, given: dict[str, Any]) -> str:
    row = _still_doubtful(customer, given).first()
    if row is None:
        raise Refused
    lanes.writes.owe(customer, row.pk, customer.pk, StripeWrite.Action.REMOVE_TAX_ID)
    return f"Removed the tax ID {row.pk}"


def _still_doubtful(customer: Customer, given: dict[str, Any]) -> Any:
    return TaxId.objects.doubtful().filter(customer=customer, pk=given["tax_id"].pk)
