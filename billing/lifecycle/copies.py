"""What we keep about who has left, without the person: events as they came, dj-stripe's rows, what staff wrote."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models, transaction
from djstripe import models as djstripe

from billing.fetch import id_of
from billing.models import Customer, StripeEvent
from billing.redaction import redacted, redacted_event

PORTION = 100


def redact_events(customer_id: str, go_on: Callable[[], None]) -> None:
    """Every event of this customer's, ours and dj-stripe's copy, in short transactions; `go_on` is called before each.

    Broken off, it goes on with those that are left.
    """
    while True:
        go_on()
        if not _redact_portion(customer_id):
            return


def redact_rows(customer_id: str) -> None:
    """dj-stripe's rows of the customer and of all that points at them, in the transaction that is open."""
    methods: set[str] = set()
    for model, path in _owned().items():
        methods |= _redact(model.objects.filter(**{path: customer_id}))
    _redact(djstripe.PaymentMethod.objects.filter(id__in=methods))  # one that was detached points at nobody
    djstripe.Customer.objects.filter(id=customer_id).update(email="")


def redact_reasons(customer: Customer) -> None:
    """Staff's own words; that they held or gave access, and when, stays. A host project may have no admin."""
    customer.holds.update(reason="")
    customer.comps.update(reason="")
    if not apps.is_installed("django.contrib.admin"):
        return
    log: Any = apps.get_model("admin", "LogEntry")._default_manager
    for entry in log.filter(content_type__app_label="billing", object_id=customer.pk):
        entry.change_message = entry.change_message.partition(": ")[0]
        entry.save(update_fields=["change_message"])


def _redact(rows: Iterable[Any]) -> set[str]:
    """The payment methods that these rows name."""
    methods = set()
    for row in rows:
        methods |= {id_of(row.stripe_data.get(name)) for name in ("payment_method", "default_payment_method")}
        row.stripe_data = redacted(row.stripe_data)
        row.save(update_fields=["stripe_data"])
    return methods


def _redact_portion(customer_id: str) -> bool:
    with transaction.atomic():
        left = StripeEvent.objects.unredacted().filter(lane=customer_id).order_by("pk")
        events = list(left.select_for_update()[:PORTION])
        if not events:
            return False
        for event in events:
            event.payload = redacted_event(event.payload)
        StripeEvent.objects.bulk_update(events, ["payload"])
        _redact_copies({event.pk: event.payload for event in events})
        redact_rows(customer_id)  # an event that came late has brought its object along
    return True


def _redact_copies(payloads: dict[str, dict[str, Any]]) -> None:
    copies = list(djstripe.Event.objects.filter(id__in=payloads))
    for copy in copies:
        copy.data, copy.stripe_data = payloads[copy.id]["data"], payloads[copy.id]
    djstripe.Event.objects.bulk_update(copies, ["data", "stripe_data"])


@cache
def _owned() -> dict[Any, str]:
    """Each of dj-stripe's models that leads to a customer, and how."""
    found: dict[Any, str] = {djstripe.Customer: "id", djstripe.Dispute: "charge__customer__id"}
    for model in apps.get_app_config("djstripe").get_models():
        names = {field.name for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)}
        if "customer" in names and model is not djstripe.Customer:
            found[model] = "customer__id"
    return found
