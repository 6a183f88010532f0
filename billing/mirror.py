"""Stripe's objects in dj-stripe's tables: each one synced once a drain, from what the drain fetched.

dj-stripe's own receivers are disconnected for the types we listen to: they would fetch every object again,
once per event, inside the transaction, and answer a deleted customer by deleting it at Stripe a second time.
"""

import logging
from typing import Any

import stripe
from django.db import OperationalError, transaction
from django.utils import timezone
from djstripe import models as djstripe
from djstripe.models.base import StripeModel

from billing.conf import conf
from billing.stripe_client import StripeUnavailable, once, undone_on_error

log = logging.getLogger(__name__)

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


def sync(obj: Any) -> None:
    """Mirror an object as Stripe sent it; ids, nothing and deleted objects have nothing to mirror.

    No access hangs on the mirror: what dj-stripe cannot take is logged, and its row stays as it was.
    """
    if not isinstance(obj, dict) or obj.get("deleted") or not once(f"mirror:{obj['id']}"):
        return
    try:
        with transaction.atomic(), undone_on_error():
            MODELS[obj["object"]].sync_from_stripe_data(_as_stripe_object(obj), api_key=conf.api_key)
    except (OperationalError, StripeUnavailable):
        raise
    except Exception:
        log.exception("not mirrored", extra={"object_id": obj["id"]})


def forget_customer(customer: str) -> None:
    """What remains of a customer deleted at Stripe: the row, linked to nobody."""
    djstripe.Customer.objects.filter(id=customer).update(subscriber=None, date_purged=timezone.now())


def _as_stripe_object(obj: dict[str, Any]) -> Any:
    """dj-stripe walks lists by the SDK's `auto_paging_iter`, which plain dicts do not have."""
    return stripe.convert_to_stripe_object(obj, api_key=conf.api_key, api_mode="V1")
