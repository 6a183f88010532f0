"""A subscriber takes along what is stored of them: every row of theirs, as it is, for a file in JSON.

Another app adds its own by `add`. What staff noted, and what only our machinery reads, is left out.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Model

from billing.models import (
    Agreement,
    CancelOffer,
    Credit,
    CreditNote,
    Customer,
    Discount,
    Dispute,
    Grant,
    Hold,
    Invoice,
    LimitOverride,
    Payment,
    PaymentFailure,
    PlanChange,
    Purchase,
    Redemption,
    Refund,
    SpendCap,
    Subscription,
    SubscriptionChange,
    TaxId,
    Trial,
    Usage,
)

Rows = list[dict[str, Any]]

OF_CUSTOMER: dict[str, type[Model]] = {
    "subscriptions": Subscription,
    "subscription_changes": SubscriptionChange,
    "plan_changes": PlanChange,
    "trials": Trial,
    "cancel_offers": CancelOffer,
    "invoices": Invoice,
    "payments": Payment,
    "failed_payments": PaymentFailure,
    "refunds": Refund,
    "credit_notes": CreditNote,
    "disputes": Dispute,
    "holds": Hold,
    "discounts": Discount,
    "purchases": Purchase,
    "tax_ids": TaxId,
}
OF_SUBSCRIBER: dict[str, type[Model]] = {
    "agreements": Agreement,
    "grants": Grant,
    "redeemed_codes": Redemption,
    "usage": Usage,
    "usage_credits": Credit,
    "limits_of_their_own": LimitOverride,
    "spend_caps": SpendCap,
}
LEFT_OUT = frozenset(
    {"reason", "note", "given_by", "placed_by", "released_by", "created_by", "params", "cause"}
    | {"email_digest", "card_digest", "same_person_as"}
)
MACHINERY = ("announced_", "asked_", "refreshed_", "synced_")
_added: dict[str, Callable[[Any], Any]] = {}


def add(name: str, of: Callable[[Any], Any]) -> None:
    """Have the export contain what `of(subscriber)` returns, under this name."""
    _added[name] = of


def own_data(subscriber: Any) -> dict[str, Any]:
    """Return what is stored of a subscriber, table by table; amounts are minor units, times UTC."""
    customers = Customer.objects.filter(subscriber=subscriber)
    mine = {name: _rows(model, customer__in=customers.values("pk")) for name, model in OF_CUSTOMER.items()}
    mine |= {name: _rows(model, subscriber=subscriber) for name, model in OF_SUBSCRIBER.items()}
    mine |= {name: of(subscriber) for name, of in sorted(_added.items())}
    return {"customers": _rows(Customer, pk__in=customers.values("pk")), **mine}


def _rows(model: type[Model], **theirs: Any) -> Rows:
    names = [field.attname for field in model._meta.concrete_fields]
    told = [name for name in names if name not in LEFT_OUT and not name.startswith(MACHINERY)]
    return list(model._default_manager.filter(**theirs).order_by("pk").values(*told))
