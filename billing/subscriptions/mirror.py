"""The mirror writes Stripe's objects into dj-stripe's tables, each once a drain, from what the drain fetched.

dj-stripe's own receivers are disconnected for the types we listen to: they would fetch every object again,
once per event, inside the transaction, and answer a deleted customer by deleting it at Stripe a second time.

Plain subscriptions and invoices, which are most, are written with one statement for each table (`mirror_plain`).
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from djstripe import models as djstripe
from djstripe.exceptions import InvalidStripeAPIKey

from billing import lanes
from billing.clock import from_timestamp
from billing.conf import conf
from billing.stripe_client import StripeUnavailable, as_stripe_object, is_first_time, readers, undone_on_error

from . import mirror_failures, mirror_plain
from .mirror_failures import MODELS
from .mirror_redaction import redact_if_deleted

log = logging.getLogger(__name__)

Object = dict[str, Any]


def write_object(obj: Any) -> None:
    """Mirror an object as Stripe sent it. Ids, None and deleted objects are skipped, and what hangs on a customer who
    was deleted before dj-stripe knew them.

    Access does not depend on the mirror: an object that dj-stripe cannot take is logged, and its row stays as it was.
    """
    if not isinstance(obj, dict) or obj.get("deleted") or not is_first_time(f"mirror:{obj['id']}"):
        return
    if _is_of_nobody_known(obj.get("customer")):
        return
    write_plain = partial(mirror_plain.write_invoice, obj)
    if obj["object"] == "invoice" and _is_written_plain(write_plain, readers.owner_of(obj)):
        return
    try:
        with lanes.savepoint(), undone_on_error():
            MODELS[obj["object"]].sync_from_stripe_data(as_stripe_object(obj), api_key=conf.api_key)
            redact_if_deleted(readers.owner_of(obj))
    except (OperationalError, StripeUnavailable):
        raise
    except InvalidStripeAPIKey as error:  # its message is the key
        log.error("not mirrored: STRIPE_SECRET_KEY is not of the shape of Stripe's", extra={"object_id": obj["id"]})
        mirror_failures.count(obj, error)
    except Exception as error:
        log.exception("not mirrored", extra={"object_id": obj["id"]})
        mirror_failures.count(obj, error)


def _is_of_nobody_known(customer: Any) -> bool:
    is_deleted = isinstance(customer, dict) and customer.get("deleted")
    return bool(is_deleted) and not djstripe.Customer.objects.filter(id=customer["id"]).exists()


def write_subscriptions(found: list[Object]) -> None:
    """Mirror a customer's subscriptions and the objects in them: together if they are plain, otherwise one by one."""
    owner = readers.owner_of(found[0]) if found else ""
    is_written = _is_written_plain(partial(mirror_plain.write_subscriptions, found), owner)
    for item in [] if is_written else found:
        write_object(item["customer"])
        write_object(item["default_payment_method"])
        write_object(item)


def _is_written_plain(write: Callable[[], bool], customer: str) -> bool:
    """Write rows together; return False if dj-stripe has to write them, whose errors name what it cannot take."""
    try:
        with lanes.savepoint():
            is_written = write()
            if is_written:
                redact_if_deleted(customer)
    except OperationalError:
        raise
    except Exception:
        log.warning("objects are mirrored one by one", exc_info=True)
        return False
    return is_written


def write_prices(found: list[Object]) -> None:
    """Mirror prices with their products, which are expanded. Only the catalogue's lane changes rows that are there.

    Where the prices cannot be written together, each is written by itself, so that only the one at fault is missing.
    """
    account = mirror_plain.owner_account()
    if account is None or settings.DJSTRIPE_FOREIGN_KEY_TO_FIELD != "id":
        return
    try:
        with lanes.savepoint():
            mirror_plain.upsert(djstripe.Product, account, (price["product"] for price in found))
            mirror_plain.upsert(djstripe.Price, account, found)
    except OperationalError:
        raise
    except Exception as error:
        if len(found) == 1:
            log.exception("not mirrored", extra={"object_id": found[0]["id"]})
            mirror_failures.count(found[0], error)
            return
        for price in found:
            write_prices([price])


def write_events(payloads: list[Object]) -> dict[str, djstripe.Event]:
    """Insert dj-stripe's rows of a batch of events in one statement. Returns the rows by id, known ones included.

    `Event.process` takes eleven queries for one event. It still handles what does not fit here: values that no column
    takes, and all events while the account of our key is not known.
    """
    known = {row.id: row for row in djstripe.Event.objects.filter(id__in=[payload["id"] for payload in payloads])}
    owner = mirror_plain.owner_account()
    missing = [payload for payload in payloads if payload["id"] not in known]
    try:
        with lanes.savepoint():
            made = djstripe.Event.objects.bulk_create([_event(data, owner) for data in missing if owner])
    except OperationalError:
        raise
    except Exception:
        log.warning("events are mirrored one by one", exc_info=True)
        made = []
    return known | {row.id: row for row in made}


def _event(data: Object, owner: str) -> djstripe.Event:
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
