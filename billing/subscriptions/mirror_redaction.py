"""dj-stripe's rows of a deleted account keep nothing personal. Call this after writing rows of a customer."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from djstripe import models as djstripe

from billing.models import AccountDeletion
from billing.stripe_client import id_of, kept

from .redaction import redacted_copy


def redact_if_deleted(customer_id: str) -> None:
    """Redact the rows of a customer whose deletion is done: Stripe still sends events about them.

    Call it in the transaction that has just written the customer's rows.
    """
    deletions = AccountDeletion.objects.filter(customer=customer_id, done_at__isnull=False)
    if kept(f"deleted:{customer_id}", deletions.exists):
        redact_rows(customer_id)


def redact_rows(customer_id: str) -> None:
    """Redact the customer's row and every row that points at it, in the open transaction."""
    methods: set[str] = set()
    for model, path in _owned().items():
        methods |= _redact(model.objects.filter(**{path: customer_id}))
    _redact(djstripe.PaymentMethod.objects.filter(id__in=methods))  # one that was detached points at nobody
    djstripe.Customer.objects.filter(id=customer_id).update(email="")


def _redact(rows: Iterable[Any]) -> set[str]:
    """Redact rows and return the ids of the payment methods that they name."""
    methods = set()
    for row in rows:
        methods |= _methods(row.stripe_data) | _methods(row.stripe_data.get("invoice_settings") or {})
        names = [field.name for field in row._meta.concrete_fields if isinstance(field, models.JSONField)]
        for name in names:
            setattr(row, name, redacted_copy(getattr(row, name)))
        row.save(update_fields=names)
    return methods


def _methods(found: dict[str, Any]) -> set[str]:
    return {id_of(found.get(name)) for name in ("payment_method", "default_payment_method")}


@cache
def _owned() -> dict[Any, str]:
    """Return each of dj-stripe's models that leads to a customer, with the lookup that does."""
    found: dict[Any, str] = {djstripe.Customer: "id", djstripe.Dispute: "charge__customer__id"}
    for model in apps.get_app_config("djstripe").get_models():
        names = {field.name for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)}
        if "customer" in names:
            found[model] = "customer__id"
    return found
