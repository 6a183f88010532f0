"""The mirror writes Stripe's objects into dj-stripe's tables, each once a drain, from what the drain fetched.

dj-stripe's own receivers are disconnected for the types we listen to: they would fetch every object again,
once per event, inside the transaction, and answer a deleted customer by deleting it at Stripe a second time.

A customer's plain subscriptions are written with one statement for each table, where dj-stripe takes some sixty queries
for one: it looks up the account of the key for every object, queries every relation, and writes a new item twice.
"""

import logging
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import OperationalError, models, transaction
from django.utils import timezone
from djstripe import models as djstripe
from djstripe.exceptions import InvalidStripeAPIKey
from djstripe.models.base import StripeModel
from djstripe.settings import djstripe_settings

from billing.clock import from_timestamp
from billing.conf import conf
from billing.stripe_client import StripeUnavailable, as_stripe_object, id_of, is_first_time, readers, undone_on_error

from . import mirror_failures
from .mirror_failures import MODELS
from .mirror_redaction import redact_if_deleted

log = logging.getLogger(__name__)

Object = dict[str, Any]

OWN = {"djstripe_id", "djstripe_owner_account", "djstripe_created", "djstripe_updated", "stripe_data"}
OWN |= {"subscriber", "date_purged"}
NEVER_UPDATED = {"djstripe_id", "id", "djstripe_created", "subscriber", "date_purged"}


def write_object(obj: Any) -> None:
    """Mirror an object as Stripe sent it. Ids, None and deleted objects are skipped, and what hangs on a customer who
    was deleted before dj-stripe knew them.

    Access does not depend on the mirror: an object that dj-stripe cannot take is logged, and its row stays as it was.
    """
    if not isinstance(obj, dict) or obj.get("deleted") or not is_first_time(f"mirror:{obj['id']}"):
        return
    if _is_of_nobody_known(obj.get("customer")):
        return
    try:
        with transaction.atomic(), undone_on_error():
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
    try:
        with transaction.atomic():
            is_written = _write_plain(found)
            redact_if_deleted(readers.owner_of(found[0]) if found else "")
    except OperationalError:
        raise
    except Exception:
        log.warning("subscriptions are mirrored one by one", exc_info=True)
        is_written = False  # dj-stripe names what it cannot take
    for item in [] if is_written else found:
        write_object(item["customer"])
        write_object(item["default_payment_method"])
        write_object(item)


def write_prices(found: list[Object]) -> None:
    """Mirror prices with their products, which are expanded. Only the catalogue's lane changes rows that are there.

    Where the prices cannot be written together, each is written by itself, so that only the one at fault is missing.
    """
    account = owner_account()
    if account is None or settings.DJSTRIPE_FOREIGN_KEY_TO_FIELD != "id":
        return
    try:
        with transaction.atomic():
            _upsert(djstripe.Product, account, (price["product"] for price in found))
            _upsert(djstripe.Price, account, found)
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
    owner = owner_account()
    missing = [payload for payload in payloads if payload["id"] not in known]
    try:
        with transaction.atomic():
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


def owner_account() -> str | None:
    """Return the id of our key's Stripe account; None until dj-stripe has asked for it."""
    keys = djstripe.APIKey.objects.filter(secret=conf.api_key)
    return keys.values_list("djstripe_owner_account", flat=True).first()


def _write_plain(found: list[Object]) -> bool:
    """Write a customer's subscriptions with customer, payment methods and items. Returns False if they are not plain.

    A plain subscription names nothing that dj-stripe would have to look for: no deleted customer, no unknown price,
    no taxes, coupons or sources, and no more items than Stripe lists at once.
    """
    account = owner_account()
    if account is None or settings.DJSTRIPE_FOREIGN_KEY_TO_FIELD != "id" or not all(map(_is_plain, found)):
        return False
    items = [item for subscription in found for item in subscription["items"]["data"]]
    prices = _known_prices({item["price"]["id"] for item in items})
    if not all(item["price"]["id"] in prices for item in items):
        return False
    _upsert(djstripe.Customer, account, (subscription["customer"] for subscription in found))
    _upsert(djstripe.PaymentMethod, account, (method for each in found for method in _methods(each) if method))
    _upsert(djstripe.Subscription, account, found)
    _upsert(djstripe.SubscriptionItem, account, items, price=prices)
    return True


def _is_plain(subscription: Object) -> bool:
    customer, items = subscription["customer"], subscription["items"]
    return (
        isinstance(customer, dict)
        and not any(customer.get(name) for name in ("deleted", "discount", "sources"))
        and djstripe_settings.SUBSCRIBER_CUSTOMER_KEY not in customer["metadata"]
        and all(not method or _is_of(customer["id"], method) for method in _methods(subscription))
        and not subscription.get("default_tax_rates")
        and not items["has_more"]
        and not any(item.get("tax_rates") for item in items["data"])
    )


def _methods(subscription: Object) -> tuple[Any, Any]:
    """Return the default payment methods of the subscription and of its customer."""
    return subscription["default_payment_method"], readers.default_payment_method_of(subscription["customer"])


def _is_of(customer: str, method: Any) -> bool:
    return isinstance(method, dict) and id_of(method.get("customer")) in {customer, ""}


def _known_prices(ids: set[str]) -> dict[str, int]:
    return dict(djstripe.Price.objects.filter(id__in=ids).values_list("id", "djstripe_id"))


def _upsert(model: type[StripeModel], account: str, objects: Iterable[Object], **relations: Any) -> None:
    """Insert or update rows. `relations`: column that refers to dj-stripe's own key → the keys by Stripe's id."""
    rows = {found["id"]: _row(model, account, found, relations) for found in objects}
    names = [field.name for field in model._meta.concrete_fields if field.name not in NEVER_UPDATED]
    model.objects.bulk_create(rows.values(), update_conflicts=True, unique_fields=["id"], update_fields=names)


def _row(model: type[StripeModel], account: str, found: Object, relations: Any) -> StripeModel:
    """Return an unsaved row, with the columns that dj-stripe would read from the object."""
    data = model._manipulate_stripe_object_hook(dict(found))
    fields = [field for field in model._meta.concrete_fields if field.name not in OWN]
    columns = {field.attname: _column(field, data) for field in fields}
    for name, keys in relations.items():
        columns[f"{name}_id"] = keys[id_of(found[name])]
    return model(djstripe_owner_account_id=account, stripe_data=data, **columns)


def _column(field: Any, data: Object) -> Any:
    if field.is_relation:
        return id_of(data.get(field.name)) or None
    value = field.stripe_to_db(data) if hasattr(field, "stripe_to_db") else data.get(field.name)
    return "" if value is None and isinstance(field, models.CharField | models.TextField) else value
