"""A preview says what a change of plan would cost, when it would start, and which use would exceed the new limits."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from billing import catalogue, clock, stripe_client, usage
from billing.clock import from_timestamp
from billing.models import Customer, PlanChange, Price
from billing.stripe_client import id_of, readers
from billing.subscriptions import seats

from . import add_on_items, overage_items, prices
from .change_rules import Effect, effect
from .customers import request_key
from .live_subscription import Standing, customer_of, standing_of
from .refusals import StalePreview, TaxAddressNeeded

__all__ = ["Effect", "Line", "Overflow", "Preview", "preview"]

Status = PlanChange.Status
VALID_FOR = timedelta(minutes=30)
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """A line shows one line of the invoice; `amount` is minor units, negative for unused time. Times are UTC."""

    description: str
    amount: int
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True)
class Overflow:
    """An overflow names a feature whose use in this period exceeds the new plan's limit by `over_by`."""

    feature: str
    used: int
    limit: int
    over_by: int


@dataclass(frozen=True)
class Preview:
    """A preview gives amounts in minor units of `currency`.

    `amount_due` is charged now; the invoice is over `net` and `tax`. `credit` is what unused time leaves over, and is
    taken off later invoices; `from_credit` is what an earlier credit pays. Where it is reverse charged, the buyer owes
    the tax in our place.
    `renewal_amount` is the plan's list price then, before discounts and taxes; None if it is billed by usage. `add_ons`
    says what becomes of each.
    `proration_date`, UTC seconds, is to be sent along with the change; None if it only cancels a pending one.
    """

    price: Price
    currency: str
    effect: Effect
    takes_effect_at: datetime
    amount_due: int
    net: int
    tax: int
    is_reverse_charged: bool
    credit: int
    from_credit: int
    lines: list[Line]
    renewal_amount: int | None
    renews_at: datetime
    overflows: list[Overflow]
    proration_date: int | None
    add_ons: list[add_on_items.Outlook] = field(default_factory=list)


def preview(subscriber: Any, plan_slug: str, interval: str, interval_count: int = 1) -> Preview:
    """Return what `change` would do with the same arguments. Changes nothing.

    Raises what `change` refuses, `StripeUnavailable`.
    """
    return prices.with_price_for_sale(
        lambda: prices.price_of(plan_slug, interval, interval_count=interval_count),
        lambda price: _preview(subscriber, price),
    )


def _preview(subscriber: Any, price: Price) -> Preview:
    with stripe_client.drain_reads():
        now = standing_of(customer_of(subscriber, price.plan.line), price.plan.line)
    what = effect(now, price)
    if what == Effect.TAKES_BACK:
        return _preview_of(subscriber, now, price, what, None, {})
    at = int(clock.now().timestamp())
    invoice = invoice_for(now, change_items(now, price), at) if what == Effect.NOW and not now.is_trial else {}
    _record_preview(now, price, at)
    return _preview_of(subscriber, now, price, what, at, invoice)


def preview_of_price(subscriber: Any, price: Price) -> Preview:
    """Return what a change to this price would do. Raises as `preview` does."""
    return _preview(subscriber, price)


def newest_preview(now: Standing, price: Price) -> int | None:
    """Return the date of the newest preview of this change that is still valid, None if there is none."""
    rows = PlanChange.objects.filter(
        customer=now.customer,
        subscription_id=now.id,
        price=price,
        add_ons__isnull=True,
        status=Status.PREVIEWED,
        created_at__gt=timezone.now() - VALID_FOR,
        proration_date__gte=now.item["current_period_start"],
    )
    return rows.order_by("-created_at").values_list("proration_date", flat=True).first()


def intended_change(now: Standing, price: Price, proration_date: int | None) -> PlanChange:
    """Return the row of this change, as previewed, or asked before without an answer. Its id is the idempotency key.

    Raises `StalePreview` for a date that was not previewed for this change and as many seats, or too long ago.
    """
    rows = PlanChange.objects.filter(
        customer=now.customer,
        subscription_id=now.id,
        price=price,
        quantity=quantity_for(now, price),
        add_ons__isnull=True,
        created_at__gt=timezone.now() - VALID_FOR,
    )
    return chosen_change(now, rows, proration_date) or _record_preview(now, price, int(clock.now().timestamp()))


def chosen_change(now: Standing, rows: QuerySet[PlanChange], proration_date: int | None) -> PlanChange | None:
    """Return the row among `rows` that is meant: that of the preview, or one asked before without an answer.

    Raises `StalePreview`.
    """
    if proration_date is None:
        return rows.filter(status=Status.ASKED).order_by("-created_at").first()
    open_rows = rows.filter(status__in=[Status.PREVIEWED, Status.ASKED, Status.AWAITED], proration_date=proration_date)
    found = open_rows.order_by("-created_at").first()
    if found is None or proration_date < now.item["current_period_start"]:
        raise StalePreview
    return found


def was_made(now: Standing, price: Price, proration_date: int | None) -> bool:
    """Return whether this very change was made a moment ago: by the first of two clicks, or a call whose answer was
    lost."""
    rows = PlanChange.objects.filter(
        customer=now.customer,
        subscription_id=now.id,
        price=price,
        add_ons__isnull=True,
        created_at__gt=timezone.now() - VALID_FOR,
    )
    if proration_date is None:
        return rows.filter(status=Status.ASKED).exists()
    return rows.filter(status__in=[Status.ASKED, Status.MADE], proration_date=proration_date).exists()


def change_items(now: Standing, price: Price) -> list[dict[str, Any]]:
    """Return the `items` that put the plan's item on another price, with its add-ons, at prices beside it or dropped,
    and the metered items of its limits. Others stay as they are."""
    plan = {"id": now.item["id"], "price": price.pk, "quantity": quantity_for(now, price)}
    return [plan, *add_on_items.beside(now, price), *overage_items.beside(now, price)]


def quantity_for(now: Standing, price: Price) -> int:
    """Return the seats that are billed at another price: of a plan with a minimum, at least that many."""
    if not seats.is_counted() or max(now.price.plan.min_seats, price.plan.min_seats) == 1:
        return now.quantity
    return seats.seats_of(now.customer.subscriber, price.plan)


def _record_preview(now: Standing, price: Price, at: int) -> PlanChange:
    delete_old(now.customer)
    return PlanChange.objects.create(
        customer=now.customer,
        subscription_id=now.id,
        price=price,
        quantity=quantity_for(now, price),
        proration_date=at,
        status=Status.PREVIEWED,
    )


def delete_old(customer: Customer) -> None:
    old = PlanChange.objects.filter(customer=customer, created_at__lt=timezone.now() - KEPT_FOR)
    old.filter(status=Status.PREVIEWED).delete()


def invoice_for(now: Standing, items: list[dict[str, Any]], at: int) -> dict[str, Any]:
    """Return what Stripe would bill. Raises `TaxAddressNeeded` where it leaves out the tax, for want of an address."""
    found = stripe_client.post(
        "/v1/invoices/create_preview",
        idempotency_key=request_key(now.customer, "preview"),
        customer=now.customer.pk,
        subscription=now.id,
        subscription_details={
            "items": items,
            "proration_behavior": "always_invoice",
            "proration_date": at,
        },
    )
    if readers.is_tax_unknown(found):
        raise TaxAddressNeeded
    return found


def _preview_of(
    subscriber: Any, now: Standing, price: Price, what: Effect, at: int | None, invoice: dict[str, Any]
) -> Preview:
    currency, period_end = str(now.found["currency"]), from_timestamp(now.period_end)
    add_ons = [] if what == Effect.TAKES_BACK else add_on_items.outlooks(now, price)
    lines = [line_in(line) for line in invoice["lines"]["data"]] if invoice else []
    # Credited time may reach far beyond the next renewal, so only what the new price bills tells when that is.
    billed = [line for line in invoice["lines"]["data"] if _price_of(line) == price.pk] if invoice else []
    renews_at = max((from_timestamp(line["period"]["end"]) for line in billed), default=period_end)
    return Preview(
        price=price,
        currency=currency,
        effect=what,
        takes_effect_at=period_end if what == Effect.PERIOD_END else clock.now(),
        amount_due=invoice["amount_due"] if invoice else 0,
        net=invoice["total"] - tax_in(invoice) if invoice else 0,
        tax=tax_in(invoice) if invoice else 0,
        is_reverse_charged=bool(invoice) and readers.is_reverse_charged(invoice),
        credit=max(-invoice["total"], 0) if invoice else 0,
        from_credit=max(invoice["total"] - max(invoice["amount_due"], 0), 0) if invoice else 0,
        lines=lines,
        add_ons=add_ons,
        renewal_amount=catalogue.amounts.cost(price, currency, quantity_for(now, price)),
        renews_at=renews_at if what == Effect.NOW else period_end,
        overflows=[] if what == Effect.TAKES_BACK else _overflows(subscriber, price, add_ons),
        proration_date=at,
    )


def _price_of(line: dict[str, Any]) -> str:
    return id_of(((line.get("pricing") or {}).get("price_details") or {}).get("price"))


def tax_in(invoice: dict[str, Any]) -> int:
    """Return the tax in an invoice's total; without tax, Stripe leaves out the sum before it."""
    without = invoice.get("total_excluding_tax")
    return 0 if without is None else int(invoice["total"] - without)


def line_in(line: dict[str, Any]) -> Line:
    period = line["period"]
    return Line(
        line["description"] or "", line["amount"], from_timestamp(period["start"]), from_timestamp(period["end"])
    )


def _overflows(subscriber: Any, price: Price, add_ons: list[add_on_items.Outlook]) -> list[Overflow]:
    kept = {row.slug: row.quantity for row in add_ons if row.is_kept}
    limits: dict[str, int | None] = {row.feature: row.quantity for row in price.plan.limits.all()}
    for feature, more in catalogue.add_ons.limits_of(kept):
        before = limits.get(feature, 0)
        limits[feature] = None if before is None or more is None else before + more
    return overflows(subscriber, limits)


def overflows(subscriber: Any, limits: dict[str, int | None]) -> list[Overflow]:
    """Return the features of which more was used in this period than these limits allow."""
    found = []
    for feature, quota in usage.summary(subscriber).items():
        limit = limits.get(feature, 0)
        if limit is not None and quota.used > limit:
            found.append(Overflow(feature, quota.used, limit, quota.used - limit))
    return found
