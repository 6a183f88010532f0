"""The mirror writes Stripe's objects into dj-stripe's tables, each once a drain, from what the drain fetched.

dj-stripe's own receivers are disconnected for the types we listen to: they would fetch every object again,
once per event, inside the transaction, and answer a deleted customer by deleting it at Stripe a second time.
"""

import logging
from typing import Any

import stripe
from django.db import OperationalError, transaction
from django.utils import timezone
from djstripe import models as djstripe
from djstripe.exceptions import InvalidStripeAPIKey
from djstripe.models.base import StripeModel

from billing.clock import from_timestamp
from billing.conf import conf
from billing.stripe_client import StripeUnavailable, is_first_time, readers, undone_on_error

from . import mirror_bulk
from .mirror_redaction import redact_if_deleted

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


def write_object(obj: Any) -> None:
    """Mirror an object as Stripe sent it. Ids, None and deleted objects are skipped.

    Access does not depend on the mirror: an object that dj-stripe cannot take is logged, and its row stays as it was.
    """
    if not isinstance(obj, dict) or obj.get("deleted") or not is_first_time(f"mirror:{obj['id']}"):
        return
    try:
        with transaction.atomic(), undone_on_error():
            MODELS[obj["object"]].sync_from_stripe_data(_as_stripe_object(obj), api_key=conf.api_key)
            redact_if_deleted(readers.owner_of(obj))
    except (OperationalError, StripeUnavailable):
        raise
    except InvalidStripeAPIKey:  # its message is the key
        log.error("not mirrored: STRIPE_SECRET_KEY is not of the shape of Stripe's", extra={"object_id": obj["id"]})
    except Exception:
        log.exception("not mirrored", extra={"object_id": obj["id"]})


def write_subscriptions(found: list[dict[str, Any]]) -> None:
    """Mirror a customer's subscriptions and the objects in them: together if they are plain, otherwise one by one."""
    try:
        with transaction.atomic():
            is_written = mirror_bulk.write_subscriptions(found)
            redact_if_deleted(readers.owner_of(found[0]) if found else "")
    except OperationalError:
        raise
    except Exception:
        is_written = False  # dj-stripe takes them one by one, and names what it cannot take
    for item in [] if is_written else found:
        write_object(item["customer"])
        write_object(item["default_payment_method"])
        write_object(item)


def write_events(payloads: list[dict[str, Any]]) -> dict[str, djstripe.Event]:
    """Insert dj-stripe's rows of a batch of events in one statement. Returns the rows by id, known ones included.

    `Event.process` takes eleven queries for one event. It still handles what does not fit here: events of a connected
    account, values that no column takes, and all events while the account of our key is not known.
    """
    known = {row.id: row for row in djstripe.Event.objects.filter(id__in=[payload["id"] for payload in payloads])}
    owner = mirror_bulk.owner_account()
    missing = [payload for payload in payloads if payload["id"] not in known and not payload.get("account")]
    try:
        with transaction.atomic():
            made = djstripe.Event.objects.bulk_create([_event(data, owner) for data in missing if owner])
    except OperationalError:
        raise
    except Exception:
        made = []
    return known | {row.id: row for row in made}


def _event(data: dict[str, Any], owner: str) -> djstripe.Event:
    request = data.get("request")
    asked = request if isinstance(request, dict) else {"id": request}
    return djstripe.Event(
        id=data["id"],
        type=data["type"],
        data=data["data"],
        stripe_data=data,
        api_version=data.get("api_version") or "",
        livemode=data["livemode"],
        created=from_timestamp(data["created"]),
        request_id=asked.get("id") or "",
        idempotency_key=asked.get("idempotency_key") or "",
        djstripe_owner_account_id=owner,
    )


def unlink_customer(customer: str) -> None:
    """Unlink dj-stripe's row of a deleted customer from the subscriber."""
    djstripe.Customer.objects.filter(id=customer).update(subscriber=None, date_purged=timezone.now())


def _as_stripe_object(obj: dict[str, Any]) -> Any:
    """Convert to the SDK's objects: dj-stripe walks lists by their `auto_paging_iter`, which plain dicts lack."""
    return stripe.convert_to_stripe_object(obj, api_key=conf.api_key, api_mode="V1")
