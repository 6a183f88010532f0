"""dj-stripe's rows of a customer who has left, without the person. Whoever writes such rows comes here after."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from djstripe import models as djstripe

from billing.models import AccountDeletion
from billing.stripe_client import id_of

from .redaction import redacted_copy


def redact_if_deleted(customer_id: str) -> None:
    """In the transaction that has just written the customer's rows: Stripe goes on telling of who has left."""
    if AccountDeletion.objects.filter(customer=customer_id, done_at__isnull=False).exists():
        redact_rows(customer_id)


def redact_rows(customer_id: str) -> None:
    """Every row of the customer's and of all that points at them, in the transaction that is open."""
    methods: set[str] = set()
    for model, path in _owned().items():
        methods |= _redact(model.objects.filter(**{path: customer_id}))
    _redact(djstripe.PaymentMethod.objects.filter(id__in=methods))  # one that was detached points at nobody
    djstripe.Customer.objects.filter(id=customer_id).update(email="")


def _redact(rows: Iterable[Any]) -> set[str]:
    """The payment methods that these rows name."""
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
    """Each of dj-stripe's models that leads to a customer, and how."""
    found: dict[Any, str] = {djstripe.Customer: "id", djstripe.Dispute: "charge__customer__id"}
    for model in apps.get_app_config("djstripe").get_models():
        names = {field.name for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)}
        if "customer" in names and model is not djstripe.Customer:
            found[model] = "customer__id"
    return found
