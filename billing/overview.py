"""All a subscriber is shown of what they have, gathered once for the API and the billing page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import access, usage
from billing.conf import conf
from billing.models import Hold, Plan, Subscription


@dataclass(frozen=True)
class Overview:
    """`plan` is the effective one: the free plan without access. Times are UTC, None where they do not apply."""

    decided: access.Access
    effective_plan: Plan | None
    holds: list[Hold]
    usage: dict[str, usage.Quota]

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

    @property
    def pending_change(self) -> None:
        """Nothing schedules a change yet."""
        return


def of(subscriber: Any) -> Overview:
    decided = access.of(subscriber)
    granted = usage.allowance(subscriber, decided)
    customer = decided.subscription.customer if decided.subscription else None
    holds = list(Hold.objects.active().filter(customer=customer).order_by("placed_at")) if customer else []
    return Overview(decided, granted.plan, holds, usage.summary(subscriber, granted))
