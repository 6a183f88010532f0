"""A customer's subscriptions are written into dj-stripe's tables with one statement for each table.

dj-stripe takes some sixty queries for one subscription: it looks up the account of the key for every object, queries
every relation, and writes a new item twice. It still handles subscriptions that are not plain.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from djstripe import models as djstripe
from djstripe.models.base import StripeModel
from djstripe.settings import djstripe_settings

from billing.conf import conf
from billing.stripe_client import id_of, readers

Object = dict[str, Any]

OWN = {"djstripe_id", "djstripe_owner_account", "djstripe_created", "djstripe_updated", "stripe_data"}
OWN |= {"subscriber", "date_purged"}
NEVER_UPDATED = {"djstripe_id", "id", "djstripe_created", "subscriber", "date_purged"}


def owner_account() -> str | None:
    """Return the id of our key's Stripe account; None until dj-stripe has asked for it."""
    keys = djstripe.APIKey.objects.filter(secret=conf.api_key)
    return keys.values_list("djstripe_owner_account", flat=True).first()


def write_subscriptions(found: list[Object]) -> bool:
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
