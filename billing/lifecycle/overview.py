"""The overview gathers what the API and the account page show a subscriber of their subscription."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from billing import access, usage
from billing.conf import conf
from billing.models import Customer, Hold, Plan, Price, Subscription

from .owed import Owed, owed_by


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

    @property
    def plan(self) -> str:
        return self.price.plan.slug if self.price else ""

    @property
    def interval(self) -> str:
        return self.price.interval if self.price else ""

    @property
    def effective_at(self) -> datetime | None:
        return self.at if self.kind == Subscription.Pending.SCHEDULED else None

    @property
    def expires_at(self) -> datetime | None:
        return self.at if self.kind == Subscription.Pending.UPDATE else None


@dataclass(frozen=True)
class Overview:
    """An overview names the effective `plan`, the free one without access. Times are UTC, None if they do not apply."""

    decided: access.Access
    effective_plan: Plan | None
    holds: list[Hold]
    usage: dict[str, usage.Quota]
    resets_at: datetime
    pending_change: PendingChange | None = None
    owed: list[Owed] = field(default_factory=list)

    @property
    def unpaid(self) -> Owed | None:
        """Return the invoice that access depends on, if it waits for money."""
        return next((owed for owed in self.owed if owed.access_depends), None)

    @property
    def subscription(self) -> Subscription | None:
        return self.decided.subscription

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
    def is_comped(self) -> bool:
        """Return whether staff gave the plan in effect."""
        return self.has_access and not self.decided.is_paid

    @property
    def comp_ends_at(self) -> datetime | None:
        return self.decided.comp.until if self.decided.comp and self.is_comped else None

    @property
    def current_period_end(self) -> datetime | None:
        return self.subscription.current_period_end if self.subscription else None

    @property
    def cancel_at(self) -> datetime | None:
        return self.subscription.cancel_at if self.subscription else None

    @property
    def trial_end(self) -> datetime | None:
        return self.subscription.trial_end if self.subscription else None

    @property
    def grace_ends_at(self) -> datetime | None:
        return self.decided.grace_ends_at

    def to_look_at(self) -> "Overview":
        """Return a copy without payment pages, for members who may not manage the subscription."""
        pending = self.pending_change and replace(self.pending_change, confirm_url="")
        return replace(self, pending_change=pending, owed=[replace(owed, page="") for owed in self.owed])


def overview_of(subscriber: Any) -> Overview:
    """Return the overview of a subscriber. None, a user whom nobody pays for, has the free plan with nothing used."""
    decided = access.NO_SUBSCRIBER if subscriber is None else access.of(subscriber)
    granted = usage.allowance(subscriber, decided)
    customer = decided.subscription.customer if decided.subscription else None
    holds = list(Hold.objects.active().filter(customer=customer).order_by("placed_at")) if customer else []
    used, pending = usage.summary(subscriber, granted), _pending_change(decided.subscription)
    owed = owed_by(customer or Customer.objects.of(subscriber), decided.subscription)
    return Overview(decided, granted.plan, holds, used, granted.period_end, pending, owed)


def _pending_change(subscription: Subscription | None) -> PendingChange | None:
    if subscription is None or not subscription.pending_kind:
        return None
    price = Price.objects.select_related("plan").filter(pk=subscription.pending_price_id).first()
    return PendingChange(subscription.pending_kind, price, subscription.pending_at, subscription.pending_url)
