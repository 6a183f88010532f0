"""This module counts what dj-stripe's tables could not take, tells staff, and names it while it is missing."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from djstripe import models as djstripe
from djstripe.models.base import StripeModel

from billing.models import MirrorFailure
from billing.monitoring import alerts

RECENT = timedelta(days=7)
TODO = "Access does not depend on it. The log says why; the next event about them tries again."

MODELS: dict[str, type[StripeModel]] = {
    "charge": djstripe.Charge,
    "customer": djstripe.Customer,
    "dispute": djstripe.Dispute,
    "invoice": djstripe.Invoice,
    "payment_method": djstripe.PaymentMethod,
    "price": djstripe.Price,
    "refund": djstripe.Refund,
    "subscription": djstripe.Subscription,
}


def count(obj: dict[str, Any], error: Exception) -> None:
    """Count a failure, and alert staff to an object's first. The error's words are left out: they may name a person."""
    kind, name = obj["object"][:40], type(error).__name__[:200]
    now = {"kind": kind, "error": name, "failed_at": timezone.now()}
    row, is_new = MirrorFailure.objects.get_or_create(pk=obj["id"], defaults=now)
    if not is_new:
        MirrorFailure.objects.filter(pk=row.pk).update(**now, times=F("times") + 1)
        return
    text = f"The {kind} {obj['id']} could not be mirrored for dj-stripe: {name}. {TODO}"
    alerts.remind_staff(f"not_mirrored:{kind}:{name}"[:100], f"A {kind} could not be mirrored", text)


def lasting() -> list[str]:
    """Return a sentence on what failed of late and is still missing, if anything is."""
    left = missing(list(MirrorFailure.objects.filter(failed_at__gt=timezone.now() - RECENT).order_by("-failed_at")))
    return [_sentence(len(left), left[0])] if left else []


def _sentence(number: int, newest: MirrorFailure) -> str:
    return (
        f"{number} {'object' if number == 1 else 'objects'} could not be mirrored for dj-stripe, last the "
        f"{newest.kind} {newest.pk}: {newest.error}. The admin lists what is missing under Mirror failures."
    )


def missing(failures: list[MirrorFailure]) -> list[MirrorFailure]:
    """Return those whose object dj-stripe's tables have not taken since."""
    taken: dict[str, datetime] = {}
    for kind, model in MODELS.items():
        if ids := [failure.pk for failure in failures if failure.kind == kind]:
            taken |= dict(model.objects.filter(id__in=ids).values_list("id", "djstripe_updated"))
    return [failure for failure in failures if failure.pk not in taken or taken[failure.pk] < failure.failed_at]
