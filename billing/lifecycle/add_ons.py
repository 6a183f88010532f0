"""A subscriber has more or fewer of an add-on here: more is paid at once, less waits for the end of the period.

As a change of plan it is a row (`PlanChange`) whose id is the idempotency key of each call, and Stripe is asked for the
current state before anything is done. A number is asked for, not a difference, so asking twice changes once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from billing import access, catalogue, clock, stripe_client, usage
from billing.clock import from_timestamp
from billing.models import AddOn, AddOnPrice, PlanChange, Subscription
from billing.stripe_client import StripeRefused, readers

from . import add_on_items, previews, scheduling, tax
from .add_on_rules import add_on_named, check_offered, effect, price_to_pay
from .change import make_now, mark, refuse_unanswered, take_back_of
from .change_rules import Effect
from .live_subscription import Standing, change_subscription, customer_of, line_of, standing_of
from .refusals import ChangePending, PaymentDeclined

__all__ = ["AddOnPreview", "change_quantity", "check_offered", "preview", "set_quantity"]

Status = PlanChange.Status


@dataclass(frozen=True)
class AddOnPreview:
    """A preview gives amounts in minor units of `currency`.

    `effect` is None where there is nothing to change. `amount_due` is charged now; the invoice is over `net` and `tax`.
    `credit` is what is taken off later invoices. `renewal_amount` is what so many cost at each renewal, before
    discounts and taxes. `proration_date`, UTC seconds, is to be sent along with the change; None where nothing is
    charged.
    """

    add_on: AddOn
    price: AddOnPrice
    quantity: int
    had: int
    currency: str
    effect: Effect | None
    takes_effect_at: datetime
    amount_due: int
    net: int
    tax: int
    is_reverse_charged: bool
    credit: int
    lines: list[previews.Line]
    renewal_amount: int | None
    renews_at: datetime
    overflows: list[previews.Overflow]
    proration_date: int | None


def preview(subscriber: Any, slug: str, quantity: int, line: str = "") -> AddOnPreview:
    """Return what `set_quantity` would do with the same arguments. Changes nothing.

    Raises what `set_quantity` refuses, `StripeUnavailable`.
    """
    add_on = add_on_named(slug)
    line = line_for(subscriber, add_on, line)
    with stripe_client.drain_reads():
        now = standing_of(customer_of(subscriber, line), line)
        return preview_of(subscriber, now, add_on, quantity)


def set_quantity(
    subscriber: Any, slug: str, quantity: int, proration_date: int | None = None, line: str = ""
) -> Subscription:
    """Have the subscription bill so many of an add-on; 0 removes it. Returns the refreshed row.

    More is charged now and counts when it is paid: if the cardholder must confirm (3D Secure), `pending_kind` is
    `pending_update`, and `pending_url` is the page to send the subscriber to. Less is `scheduled` for the end of the
    period. The number that they have cancels what was to change it. `line`: by default the only one whose plan can
    have the add-on.

    Raises `AddOnNotOffered`, `NoSubscription`, `PaymentOverdue`, `SubscriptionPaused`, `CancellationScheduled`,
    `ChangePending`, `StalePreview`, `TaxAddressNeeded`, `PaymentDeclined`, `AccessWithheld`, and the errors of
    `live_subscription.change_subscription`.
    """
    add_on = add_on_named(slug)
    line = line_for(subscriber, add_on, line)
    return change_subscription(
        subscriber, lambda now: change_quantity(now, add_on, quantity, proration_date), line=line
    )


def line_for(subscriber: Any, add_on: AddOn, line: str = "") -> str:
    """Return the line that is meant: by default the only one with the add-on, or with a plan that can have it."""
    if line:
        return line
    held = [(name, now.subscription) for name, now in access.lines_of(subscriber).items() if now.subscription]
    for fits in (
        [name for name, row in held if add_on.slug in row.add_ons],
        [name for name, row in held if row.plan and add_on.is_sold_with(row.plan.slug)],
    ):
        if len(fits) == 1:
            return fits[0]
    return line_of(subscriber)


def change_quantity(now: Standing, add_on: AddOn, quantity: int, proration_date: int | None = None) -> None:
    """Change how many of an add-on a subscription has, holding the lane, with no transaction open."""
    what = effect(now, add_on, quantity)
    if what is None:
        return
    if what == Effect.TAKES_BACK:
        _take_back(now, add_on)
        return
    if what == Effect.NOW and not now.is_trial:
        tax.refuse_without_place(now.found)
    intent = _intended(now, add_on, quantity, proration_date)
    refuse_unanswered(now)
    mark(intent, Status.ASKED)
    try:
        if what == Effect.NOW:
            make_now(now, intent, add_on_items.with_quantity(now, price_to_pay(now, add_on), quantity))
        else:
            _schedule(now, str(intent.pk), intent.add_ons)
    except (PaymentDeclined, *StripeRefused):
        mark(intent, Status.REFUSED)
        raise
    PlanChange.objects.filter(pk=intent.pk, status=Status.ASKED).update(status=Status.MADE)


def _schedule(now: Standing, key: str, add_ons: dict[str, int]) -> None:
    """Have the next period bill so many of each add-on; a scheduled change of plan stays."""
    price = now.pending.price if now.pending and now.pending.price else now.price
    then = add_on_items.after(now, price, add_ons)
    scheduling.schedule_items(now, key, then(previews.quantity_for(now, price)))


def _take_back(now: Standing, add_on: AddOn) -> None:
    """Cancel what was to change this add-on; what else is scheduled stays."""
    pending = now.pending
    if pending is None or pending.kind != Subscription.Pending.SCHEDULED:
        take_back_of(now)
        return
    add_ons = _with(now.coming_add_ons, add_on.slug, now.add_ons.get(add_on.slug, 0))
    if (pending.price is None or now.is_on(pending.price)) and add_ons == now.add_ons:
        take_back_of(now)
        return
    if pending.price and not catalogue.add_ons.is_allowed(add_on, pending.price):
        words = _("{add_on} ends with your change to {plan}. Cancel that first.")
        raise ChangePending(words.format(add_on=add_on.name, plan=pending.price.plan.name))
    _schedule(now, str(_record(now, add_ons, Status.MADE).pk), add_ons)


def _intended(now: Standing, add_on: AddOn, quantity: int, proration_date: int | None) -> PlanChange:
    """Return the row of this change, as previewed, or asked before without an answer. Raises `StalePreview`."""
    wanted = _with(now.coming_add_ons, add_on.slug, quantity)
    recent = PlanChange.objects.filter(
        customer=now.customer, subscription_id=now.id, created_at__gt=timezone.now() - previews.VALID_FOR
    ).exclude(add_ons__isnull=True)
    same = [row.pk for row in recent if row.add_ons == wanted]
    rows = PlanChange.objects.filter(pk__in=same)
    return previews.chosen_change(now, rows, proration_date) or _record(now, wanted, Status.PREVIEWED)


def _record(now: Standing, add_ons: dict[str, int], status: PlanChange.Status, at: int | None = None) -> PlanChange:
    previews.delete_old(now.customer)
    return PlanChange.objects.create(
        customer=now.customer,
        subscription_id=now.id,
        price=now.price,
        quantity=now.quantity,
        add_ons=add_ons,
        proration_date=int(clock.now().timestamp()) if at is None else at,
        status=status,
    )


def _with(add_ons: dict[str, int], slug: str, quantity: int) -> dict[str, int]:
    return dict(sorted((name, count) for name, count in {**add_ons, slug: quantity}.items() if count))


def preview_of(subscriber: Any, now: Standing, add_on: AddOn, quantity: int) -> AddOnPreview:
    """Return what `change_quantity` would do. Asks Stripe what it would charge now, and changes nothing."""
    what, price = effect(now, add_on, quantity), price_to_pay(now, add_on)
    at: int | None = None
    invoice: dict[str, Any] = {}
    if what == Effect.NOW and not now.is_trial:
        at = int(clock.now().timestamp())
        invoice = previews.invoice_for(now, add_on_items.with_quantity(now, price, quantity), at)
        _record(now, _with(now.coming_add_ons, add_on.slug, quantity), Status.PREVIEWED, at)
    period_end, had = from_timestamp(now.period_end), now.add_ons.get(add_on.slug, 0)
    currency, tax_of = str(now.found["currency"]), previews.tax_in
    return AddOnPreview(
        add_on=add_on,
        price=price,
        quantity=quantity,
        had=had,
        currency=currency,
        effect=what,
        takes_effect_at=period_end if what == Effect.PERIOD_END else clock.now(),
        amount_due=invoice["amount_due"] if invoice else 0,
        net=invoice["total"] - tax_of(invoice) if invoice else 0,
        tax=tax_of(invoice) if invoice else 0,
        is_reverse_charged=bool(invoice) and readers.is_reverse_charged(invoice),
        credit=max(-invoice["total"], 0) if invoice else 0,
        lines=[previews.line_in(line) for line in invoice["lines"]["data"]] if invoice else [],
        renewal_amount=catalogue.add_ons.cost_of(price, currency, quantity),
        renews_at=period_end,
        overflows=_overflows(subscriber, add_on, quantity - had) if quantity < had else [],
        proration_date=at,
    )


def _overflows(subscriber: Any, add_on: AddOn, more: int) -> list[previews.Overflow]:
    """Return the features of which more was used than there will be with so many `more` (or fewer) of an add-on."""
    limits = {feature: quota.limit for feature, quota in usage.summary(subscriber).items()}
    for feature, each in add_on.limits.items():
        before = limits.get(feature)
        limits[feature] = None if before is None or each is None else max(before + each * more, 0)
    return previews.overflows(subscriber, limits)
