"""Plain objects are written into dj-stripe's tables with one statement for each table.

dj-stripe takes some sixty queries for one subscription, and twenty for an invoice: it looks up the account of the key
for every object, queries every relation, and writes a new item twice.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from djstripe import models as djstripe
from djstripe.models.base import StripeModel
from djstripe.settings import djstripe_settings

from billing.conf import conf
from billing.stripe_client import id_of, kept, readers

Object = dict[str, Any]

OWN = {"djstripe_id", "djstripe_owner_account", "djstripe_created", "djstripe_updated", "stripe_data"}
OWN |= {"subscriber", "date_purged"}
NEVER_UPDATED = {"djstripe_id", "id", "djstripe_created", "subscriber", "date_purged"}
LOOKED_FOR = ("charge", "default_payment_method", "default_tax_rates", "discounts", "payment_intent", "subscription")
LOOKED_FOR_IN_LINES = ("discounts", "invoice_item", "subscription_item", "tax_rates")


def owner_account() -> str | None:
    """Return the id of our key's Stripe account; None until dj-stripe has asked for it."""
    return kept("djstripe:owner", _owner_account)


def _owner_account() -> str | None:
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
    upsert(djstripe.Customer, account, (subscription["customer"] for subscription in found))
    upsert(djstripe.PaymentMethod, account, (method for each in found for method in _methods(each) if method))
    upsert(djstripe.Subscription, account, found)
    upsert(djstripe.SubscriptionItem, account, items, price=prices)
    return True


def write_invoice(found: Object) -> bool:
    """Write an invoice with its lines. Returns False if it is not plain.

    A plain invoice is for subscriptions that dj-stripe has, of the same customer, and names no discounts, tax rates,
    methods or further lines, which dj-stripe would look for.
    """
    account, lines = owner_account(), found["lines"]["data"]
    if account is None or settings.DJSTRIPE_FOREIGN_KEY_TO_FIELD != "id" or not _is_plain_invoice(found):
        return False
    customer, named = id_of(found["customer"]), {id_of(line["subscription"]) for line in lines}
    owners = dict(djstripe.Subscription.objects.filter(id__in=named).values_list("id", "customer"))
    if owners != dict.fromkeys(named, customer):
        return False
    upsert(djstripe.Invoice, account, [found])
    upsert(djstripe.LineItem, account, ({**line, "customer": customer, "date": found["created"]} for line in lines))
    return True


def _is_plain_invoice(found: Object) -> bool:
    lines = found["lines"]
    return (
        not any(found.get(name) for name in LOOKED_FOR)
        and bool(lines["data"])
        and not lines["has_more"]
        and all(line.get("subscription") and line.get("invoice") for line in lines["data"])
        and not any(line.get(name) for line in lines["data"] for name in LOOKED_FOR_IN_LINES)
    )


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


def upsert(model: type[StripeModel], account: str, objects: Iterable[Object], **relations: Any) -> None:
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
