"""The worker looks each hour for invoices with terms that have come due: Stripe's events about due dates depend on what
the account has automated.
"""

import logging

from django.db.models import Q

from billing import cause, clock, lanes
from billing.conf import conf
from billing.models import Customer, Invoice
from billing.stripe_client import StripeUnavailable

from .invoices import record_invoice

log = logging.getLogger(__name__)

CAUSE = "calendar"


def hourly() -> str:
    """Look at each invoice that is due soon or overdue and unannounced. Returns a summary for the queue."""
    now = clock.now()
    soon = Q(announced_due_soon_at=None, announced_overdue_at=None)
    overdue = Q(announced_overdue_at=None, due_at__lte=now)
    sent = Invoice.objects.filter(status=Invoice.Status.OPEN, collection_method=Invoice.SENT)
    due = sent.filter(soon | overdue, due_at__lte=now + conf.invoice_reminder, customer__deleted_at=None)
    pairs = list(due.values_list("customer_id", "pk"))
    return f"{sum(_look_at(customer, invoice) for customer, invoice in pairs)} invoices looked at"


def _look_at(customer_id: str, invoice_id: str) -> int:
    """Ask Stripe for the invoice, which may have been paid since; the next run tries again what fails."""
    customer = Customer.objects.get(pk=customer_id)
    try:
        with cause.recorded_as(CAUSE), lanes.exclusive(customer_id, wait_seconds=0) as commit:
            commit(lambda: record_invoice(customer, invoice_id))
    except (lanes.LaneBusy, StripeUnavailable):
        return 0
    except Exception:
        log.exception("invoice not looked at", extra={"lane": customer_id, "invoice": invoice_id})
        return 0
    return 1
