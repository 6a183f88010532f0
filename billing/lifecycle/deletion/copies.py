"""After a deletion, our copies keep nothing personal: events, dj-stripe's rows, and what staff wrote."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from django.apps import apps
from django.db import transaction
from django.db.models import Q
from djstripe import models as djstripe

from billing.conf import conf
from billing.models import Customer, Invoice, PriceMoveRow, SavedList, StripeEvent, StripeWrite, UsageReport
from billing.subscriptions import error_class, redact_rows, redacted_event

PORTION = 100
LOG_TEXTS = ("object_id", "object_repr", "change_message")
STRUCK_OUT = "(address of who left)"


def redact_events(customer_id: str, renew: Callable[[], None]) -> None:
    """Redact every event of this customer, ours and dj-stripe's copy, in short transactions.

    `renew` is called before each transaction. After an interruption, the next call continues with the events left.
    """
    while True:
        renew()
        if not _redact_portion(customer_id):
            return


def redact_reasons(customer: Customer) -> None:
    """Clear the words of staff and Stripe, also on invoices, tax ids, a guest's address, and what the project sent to
    Checkout; the fact that access was held or given, and when, stays.

    A host project may run without Django's admin.
    """
    StripeWrite.objects.filter(lane=customer.pk).update(error_message="")
    customer.holds.update(reason="")
    customer.checkout_attempts.update(params={})
    Invoice.objects.filter(customer=customer).update(description="")
    UsageReport.objects.filter(customer_id=customer.pk).update(error_message="")
    customer.purchases.update(guest_email="")
    customer.tax_ids.all().delete()
    PriceMoveRow.objects.filter(subscription__customer=customer).update(reason="")
    for entry in _log_entries(Q(content_type__app_label=conf.app_label, object_id=customer.pk)):
        entry.change_message = entry.change_message.partition(": ")[0]
        entry.save(update_fields=["change_message"])


def redact_log(address: str) -> None:
    """Strike the address out of every entry of the admin's log that names it, whatever the entry is about, and delete
    the lists that staff have saved with it.

    A longer address that ends or begins like this one is somebody else's, and stays.
    """
    if not address:
        return
    alone = re.compile(rf"(?<![\w.+-]){re.escape(address)}(?!\.?[\w-])", re.IGNORECASE)
    for saved in SavedList.objects.filter(Q(query__icontains=quote_plus(address)) | Q(name__icontains=address)):
        if alone.search(unquote_plus(saved.query)) or alone.search(saved.name):
            saved.delete()
    naming = Q(*((f"{field}__icontains", address) for field in LOG_TEXTS), _connector=Q.OR)
    for entry in _log_entries(naming):
        for field in LOG_TEXTS:
            setattr(entry, field, alone.sub(STRUCK_OUT, getattr(entry, field) or ""))
        entry.save(update_fields=LOG_TEXTS)


def _log_entries(wanted: Q) -> Any:
    """Return the entries of the admin's log; none if the host project has no admin."""
    if not apps.is_installed("django.contrib.admin"):
        return []
    return apps.get_model("admin", "LogEntry")._default_manager.filter(wanted)


def _redact_portion(customer_id: str) -> bool:
    with transaction.atomic():
        left = StripeEvent.objects.unredacted().filter(lane=customer_id).order_by("pk")
        events = list(left.select_for_update()[:PORTION])
        if not events:
            return False
        for event in events:
            event.payload = redacted_event(event.payload)
            event.error_message = error_class(event.error_message)
            event.failures = [{**each, "error": error_class(each["error"])} for each in event.failures or []] or None
        StripeEvent.objects.bulk_update(events, ["payload", "error_message", "failures"])
        _redact_copies({event.pk: event.payload for event in events})
        redact_rows(customer_id)  # an event that came late has brought its object along
    return True


def _redact_copies(payloads: dict[str, dict[str, Any]]) -> None:
    copies = list(djstripe.Event.objects.filter(id__in=payloads))
    for copy in copies:
        copy.data, copy.stripe_data = payloads[copy.id]["data"], payloads[copy.id]
    djstripe.Event.objects.bulk_update(copies, ["data", "stripe_data"])
