"""The overview gathers what the API and the account page show a subscriber of their subscription."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from billing import access, subscriptions, usage
from billing.conf import conf
from billing.lanes import writes
from billing.models import Discount, Hold, Invoice, NextCharge, Plan, Price, PriceMoveRow, Subscription
from billing.usage import Spending

from . import price_moves
from .held_add_ons import HeldAddOn, held_by
from .owed import Owed, lacks_address, owed_in, unpaid_of


@dataclass(frozen=True)
class PendingChange:
    """A `scheduled` change happens at `effective_at`; a `pending_update` happens once it is paid at `confirm_url`.

    A `pending_update` lapses at `expires_at`. `plan` is empty for a price that belongs to no plan of ours.

    Times are UTC.
    """

    kind: str
    price: Price | None
    at: datetime | None
    confirm_url: str
    add_ons: dict[str, int] | None = None

    @property
    def plan(self) -> str:
        return self.price.plan.slug if self.price else ""

    @property
    def interval(self) -> str:
        return self.price.interval if self.price else ""

    @property
    def interval_count(self) -> int:
        return self.price.interval_count if self.price else 1

    @property
    def effective_at(self) -> datetime | None:
        return self.at if self.kind == Subscription.Pending.SCHEDULED else None

    @property
    def expires_at(self) -> datetime | None:
        return self.at if self.kind == Subscription.Pending.UPDATE else None


@dataclass(frozen=True)
class Credit:
    """A credit counts minor units of `currency`."""

    amount: int
    currency: str


@dataclass(frozen=True)
class CollectionPause:
    """A pause of payments ends with the renewal at `until`, or when somebody resumes them.

    `access_until` is the end of what was paid; None if access goes on meanwhile.
    """

    until: datetime | None
    access_until: datetime | None


@dataclass(frozen=True)
class Overview:
    """An overview names the effective `plan`, the free one without access. Times are UTC, None if they do not apply."""

    decided: access.Access
    effective_plan: Plan | None
    holds: list[Hold]
    usage: dict[str, usage.Quota]
    resets_at: datetime
    pending_change: PendingChange | None = None
    coming_price: PriceMoveRow | None = None  # of a price move that the subscriber was told of
    next_charge: NextCharge | None = None
    owed: list[Owed] = field(default_factory=list)
    discounts: list[Discount] = field(default_factory=list)
    spending: Spending | None = None  # beyond the limits, over all lines; None where nothing is paid by use
    lacks_address: bool = False  # an invoice, or the tax of a subscription, waits for the subscriber's address
    is_cancelling: bool = False  # by us, for a refund or a dispute: it ends in a moment

    @property
    def unpaid(self) -> Owed | None:
        """Return the invoice that access depends on, if it waits for money."""
        return next((owed for owed in self.owed if owed.access_depends), None)

    @property
    def subscription(self) -> Subscription | None:
        return self.decided.subscription

    @cached_property
    def add_ons(self) -> list[HeldAddOn]:
        """Return what the subscription bills of add-ons."""
        return held_by(self.subscription)

    @property
    def line(self) -> str:
        return self.decided.line

    @property
    def plan(self) -> str:
        return self.effective_plan.slug if self.effective_plan else conf.free_plan

    @property
    def status(self) -> str:
        return self.subscription.status if self.subscription else Subscription.Status.NONE.value

    @property
    def has_access(self) -> bool:
        return self.decided.has_access

    @property
    def reason(self) -> str:
        return self.decided.reason

    @property
    def is_by_grant(self) -> bool:
        """Return whether a grant gives the plan in effect."""
        return self.decided.is_by_grant

    @property
    def grant_ends_at(self) -> datetime | None:
        """Return when the plan in effect ends, if a grant gives it; None for one that is for good."""
        return self.decided.grant.until if self.decided.grant and self.is_by_grant else None

    @property
    def current_period_end(self) -> datetime | None:
        return self.subscription.current_period_end if self.subscription else None

    @property
    def cancel_at(self) -> datetime | None:
        return self.subscription.cancel_at if self.subscription else None

    @property
    def access_ends_at(self) -> datetime | None:
        """Return when access really ends, by whatever ends it first; None while nothing does."""
        return access.access_ends_at(self.decided)

    @property
    def renews_before_end(self) -> bool:
        """Return whether a cancellation is scheduled for later than this period: renewals are charged until then."""
        end = self.current_period_end
        return bool(self.cancel_at and end and self.cancel_at > end)

    @property
    def needs_card(self) -> bool:
        """Return whether a coming charge, or a paused trial, lacks a payment method."""
        row, charged = self.subscription, {Subscription.Status.TRIALING, Subscription.Status.ACTIVE}
        if row is None or row.has_payment_method is not False:
            return False
        is_charged = self.status in charged and row.collection_method != Invoice.SENT and not row.is_free
        return is_charged or self.status == Subscription.Status.PAUSED

    @property
    def credit(self) -> Credit | None:
        """Return the credit that later invoices are reduced by."""
        customer = self.subscription.customer if self.subscription else None
        return Credit(customer.credit, customer.currency) if customer and customer.credit else None

    @property
    def collection_paused(self) -> CollectionPause | None:
        """Return until when payments are paused, and access lasts; None while they are collected."""
        row = self.subscription
        if row is None or not row.collection_paused or row.status in Subscription.TERMINAL:
            return None
        until = row.collection_resumes_at
        renewal = subscriptions.renewals.first_from(row, until) if until else None
        return CollectionPause(renewal or until, row.paid_until)

    @property
    def trial_end(self) -> datetime | None:
        return self.subscription.trial_end if self.subscription else None

    @property
    def grace_ends_at(self) -> datetime | None:
        return self.decided.grace_ends_at

    def to_look_at(self) -> "Overview":
        """Return a copy without payment pages, for members who may not manage the subscription."""
        pending = self.pending_change and replace(self.pending_change, confirm_url="")
        return replace(self, pending_change=pending, owed=[replace(owed, page="", pdf="") for owed in self.owed])


def overview_of(subscriber: Any, line: str = "") -> Overview:
    """Return the overview of a subscriber in a line, by default in the only one that they have, else in `main`.

    None, a user whom nobody pays for, has the free plan with nothing used.
    """
    if subscriber is None:
        return _overview(subscriber, access.NO_SUBSCRIBER, {}, [], [])
    lines = access.lines_of(subscriber)
    return _overview(subscriber, access.access_in(lines, line), lines, _holds(subscriber), unpaid_of(subscriber))


def overviews_of(subscriber: Any) -> list[Overview]:
    """Return the overview of each line that a subscriber has, the one meant by default first; at least one."""
    if subscriber is None:
        return [overview_of(None)]
    lines = access.lines_of(subscriber)
    first, holds, unpaid = access.access_in(lines), _holds(subscriber), unpaid_of(subscriber)
    others = [decided for line, decided in lines.items() if line != first.line and decided.is_live]
    return [_overview(subscriber, decided, lines, holds, unpaid) for decided in (first, *others)]


def _overview(
    subscriber: Any, decided: access.Access, lines: dict[str, access.Access], holds: list[Hold], unpaid: list[Invoice]
) -> Overview:
    granted = usage.allowance(subscriber, lines)
    held = decided.subscription
    theirs = [hold for hold in holds if hold.subscription_id in ("", held.stripe_id if held else "")]
    plan = decided.plan or usage.free_plan_in(decided.line)
    used = usage.summary(subscriber, granted)
    is_cancelling = held is not None and _is_cancelling(held)
    charge = None if is_cancelling else subscriptions.next_charges.next_charge_of(held)
    change = None if is_cancelling else _pending_change(held)
    owed = owed_in(decided.line, lines, unpaid)
    coming = None if is_cancelling else price_moves.coming_of(held)
    less = subscriptions.discounts.discounts_of(held) if held and subscriptions.is_live_status(held.status) else []
    spending = usage.spending_of(subscriber, granted)
    charge = charge or (None if is_cancelling else _last_charge(held, granted, spending))
    lacks = subscriber is not None and lacks_address(subscriber)
    known = (decided, plan, theirs, used, granted.period_end, change, coming, charge, owed, less)
    return Overview(*known, spending, lacks, is_cancelling)


def _last_charge(
    held: Subscription | None, granted: usage.Allowance, spending: usage.Spending | None
) -> NextCharge | None:
    """Return what the last invoice of a subscription that ends with its period bills for use beyond the limits, so far
    and before tax. Stripe previews no invoice of such a one."""
    if held is None or spending is None or held.cancel_at is None or held.current_period_end is None:
        return None
    ends_now = held.status in ("active", "trialing") and held.cancel_at <= held.current_period_end
    billed = [each.amount for each in spending.features if granted.overage.get(each.feature) == held]
    if not ends_now or not sum(billed):
        return None
    return NextCharge(subscription=held, amount=sum(billed), currency=spending.currency, at=held.current_period_end)


def _is_cancelling(held: Subscription) -> bool:
    lives = held.pk is not None and subscriptions.is_live_status(held.status)
    return lives and writes.is_cancelling(held.stripe_id)


def _holds(subscriber: Any) -> list[Hold]:
    return list(Hold.objects.active().filter(customer__subscriber=subscriber.pk).order_by("placed_at"))


def _pending_change(subscription: Subscription | None) -> PendingChange | None:
    if subscription is None or not subscription.pending_kind:
        return None
    price = Price.objects.select_related("plan").filter(pk=subscription.pending_price_id).first()
    row = subscription
    return PendingChange(row.pending_kind, price, row.pending_at, row.pending_url, row.pending_add_ons)
