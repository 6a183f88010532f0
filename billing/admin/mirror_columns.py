"""The lists of mirrored objects show these columns: paths into `stripe_data`, never properties."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model

from billing import clock

from . import display

ANY_OTHER = ("description", "status")
PATHS: dict[str, tuple[str, ...]] = {
    "Account": ("business_profile.name", "country", "default_currency"),
    "AccountV2": ("display_name", "contact_email"),
    "APIKey": (),
    "ActiveEntitlement": ("lookup_key", "feature"),
    "BalanceTransaction": ("type", "amount", "fee", "net", "status"),
    "BankAccount": ("bank_name", "country", "currency", "last4", "status"),
    "Card": ("brand", "last4", "exp_month", "exp_year"),
    "Charge": ("customer", "amount", "amount_refunded", "status", "disputed"),
    "Coupon": ("name", "percent_off", "amount_off", "duration"),
    "Customer": ("email", "name", "invoice_settings.default_payment_method", "delinquent"),
    "Discount": ("customer", "subscription", "start", "end"),
    "Dispute": ("amount", "reason", "status", "charge"),
    "Event": ("type", "api_version"),
    "Feature": ("name", "lookup_key", "active"),
    "File": ("filename", "purpose", "type"),
    "FileLink": ("file", "expired"),
    "Invoice": (
        "number",
        "customer",
        "parent.subscription_details.subscription",
        "status",
        "total",
        "amount_paid",
        "billing_reason",
    ),
    "InvoiceItem": ("customer", "description", "amount"),
    "LineItem": ("description", "amount", "quantity"),
    "PaymentIntent": ("customer", "amount", "status"),
    "PaymentMethod": ("customer", "type", "card.brand", "card.last4"),
    "Payout": ("amount", "status", "method"),
    "Price": ("lookup_key", "product", "unit_amount", "recurring.interval", "active"),
    "Product": ("name", "active", "default_price"),
    "ProductFeature": ("entitlement_feature.name",),
    "PromotionCode": ("code", "times_redeemed", "active"),
    "Refund": ("amount", "status", "reason", "charge", "failure_reason"),
    "Session": ("customer", "mode", "status", "payment_status", "amount_total", "subscription"),
    "SetupIntent": ("customer", "status", "usage"),
    "ShippingRate": ("display_name", "active"),
    "Subscription": ("customer", "status", "cancel_at", "collection_method"),
    "SubscriptionSchedule": ("customer", "subscription", "status"),
    "TaxCode": ("name", "description"),
    "TaxRate": ("display_name", "percentage", "active"),
    "Transfer": ("amount", "destination"),
    "TransferReversal": ("amount", "transfer"),
    "WebhookEndpoint": ("url", "status", "api_version"),
}
AMOUNTS = frozenset({"amount", "amount_off", "amount_paid", "amount_refunded", "amount_total", "fee", "net", "total"})
AMOUNTS |= {"unit_amount"}
TIMES = frozenset({"cancel_at", "start", "end"})
CODES = frozenset(
    {"status", "payment_status", "reason", "failure_reason", "billing_reason", "collection_method", "type"}
)

Column = Callable[[Any], Any]


def columns_of(model: type[Model]) -> list[Column]:
    return [_column(path) for path in PATHS.get(model.__name__, ANY_OTHER)]


def _column(path: str) -> Column:
    name = path.rsplit(".", 1)[-1]

    @admin.display(description=name.replace("_", " "))
    def column(row: Any) -> Any:
        return _in_words(name, _at(row.stripe_data, path), row.stripe_data)

    column.__name__ = f"stripe_{path.replace('.', '_')}"
    return column


def _at(data: Any, path: str) -> Any:
    """Return the value at a dotted path, or None if the path ends early; for an expanded object, its id."""
    for key in path.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data["id"] if isinstance(data, dict) and "object" in data else data


def _in_words(name: str, value: Any, data: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        value = value.get("id")
    if name in AMOUNTS and isinstance(value, int) and isinstance(data.get("currency"), str):
        return display.amount(value, data["currency"])
    if name in TIMES and isinstance(value, int):
        return display.moment(clock.from_timestamp(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in CODES and isinstance(value, str):
        return value.replace("_", " ")
    return value
