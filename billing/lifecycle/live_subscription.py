"""How a subscriber stands at Stripe, asked under their lane, and the one way to change it.

1. Hold the lane. 2. Ask Stripe. 3. Guard and change, outside any transaction. 4. Ask again, project and announce.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from billing import catalogue, cause, lanes, stripe_client, subscriptions
from billing.lanes import LaneBusy
from billing.models import Customer, Price, Subscription
from billing.stripe_client import StripeUnavailable, fetch, id_of, readers
from billing.subscriptions import PendingChange, pending_change_of

from .customers import refuse_if_deleting, request_key
from .refusals import NoSubscription, NotConfirmed

Found = dict[str, Any]

NOT_SHOWN = "Our payment provider was asked, and does not show it yet. Look again in a moment."


@dataclass(frozen=True)
class Standing:
    """A customer and the subscription of theirs that counts, as Stripe has it now: `found`."""

    customer: Customer
    found: Found
    written: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.found["id"])

    @property
    def status(self) -> str:
        return str(self.found["status"])

    @property
    def is_live(self) -> bool:
        return self.status in subscriptions.LIVE

    @property
    def is_trial(self) -> bool:
        return self.status == Subscription.Status.TRIALING

    @property
    def is_ending(self) -> bool:
        """A cancellation is scheduled, by whichever field."""
        return readers.is_cancellation_scheduled(self.found)

    @cached_property
    def _plan_item(self) -> tuple[Found, Price]:
        return catalogue.plan_item(self.found["items"]["data"])

    @property
    def item(self) -> Found:
        """The item that is a plan. Raises `UnmappedPrice`, like `price`."""
        return self._plan_item[0]

    @property
    def price(self) -> Price:
        return self._plan_item[1]

    @property
    def period_end(self) -> int:
        return int(min(item["current_period_end"] for item in self.found["items"]["data"]))

    @property
    def quantity(self) -> int:
        return readers.quantity_of(self.item)

    @property
    def schedule(self) -> Found | None:
        """The open subscription schedule it is under, be there a change in it or not."""
        return self.found["schedule"]

    @property
    def has_pending_update(self) -> bool:
        return bool(self.found["pending_update"])

    @cached_property
    def row(self) -> Subscription | None:
        """What we have of it. Where Stripe is further than that, the answer to an earlier try was lost."""
        return Subscription.objects.filter(customer=self.customer, stripe_id=self.id).first()

    @property
    def pending(self) -> PendingChange | None:
        return pending_change_of(self.found)

    def is_on(self, price: Price) -> bool:
        return _is_same(self.price, price)

    def is_changing_to(self, price: Price) -> bool:
        return self.pending is not None and self.pending.price is not None and _is_same(self.pending.price, price)

    def write(self, path: str, verb: str, **params: Any) -> Found:
        """A write that may be made twice without harm: it sets how things should be."""
        answer = stripe_client.post(path, idempotency_key=request_key(self.customer, verb), **params)
        self.written.append(path)
        return answer

    def update(self, verb: str, **params: Any) -> Found:
        return self.write(f"/v1/subscriptions/{self.id}", verb, **params)

    def release_schedule(self) -> None:
        """The subscription goes on by itself: while under a schedule, Stripe refuses to cancel or change it."""
        if self.schedule:
            self.write(f"/v1/subscription_schedules/{id_of(self.schedule)}/release", "release")


def _is_same(one: Price, other: Price) -> bool:
    """Prices replace each other; a plan by an interval is what people choose."""
    return (one.plan_id, one.interval, one.interval_count) == (other.plan_id, other.interval, other.interval_count)


def standing_of(customer: Customer) -> Standing:
    """Ask Stripe now. Raises `NoSubscription` where there never was one, `StripeUnavailable`."""
    found = subscriptions.current_subscription(fetch.subscriptions(customer.pk))
    if found is None:
        raise NoSubscription
    return Standing(customer, found)


def customer_of(subscriber: Any) -> Customer:
    """Raises `NoSubscription`, `AccountClosing`."""
    refuse_if_deleting(subscriber)
    customer = Customer.objects.of(subscriber)
    if customer is None:
        raise NoSubscription
    return customer


def change_subscription(
    subscriber: Any, work: Callable[[Standing], None], is_shown: Callable[[Subscription], bool] = lambda row: True
) -> Subscription:
    """Do `work` at Stripe with what it says now, alone with this subscriber's state; then project what came of it.

    `is_shown` says whether it came of it what was asked for: an answer alone is no proof, Stripe may replay an old one.

    Raises what `work` refuses; `NoSubscription`, `AccountClosing`; `LaneBusy`, nothing is changed then;
    `StripeUnavailable`, when Stripe may have done what was asked: to ask again is safe; and `NotConfirmed` where it did
    a part, stopped answering before we could project, or shows the same subscription without what was asked for.
    """
    customer = customer_of(subscriber)
    with lanes.hold(customer.pk) as commit:
        # What is read to decide must not be what is projected after: these reads are the decision's alone.
        with stripe_client.drain_reads():
            now = standing_of(customer)
            _do(work, now)
        try:
            with cause.recorded_by_default_as("subscriber"):
                row = commit(lambda: subscriptions.refresh(customer))
        except (StripeUnavailable, LaneBusy) as error:
            raise NotConfirmed from error
    if row.stripe_id == now.id and not is_shown(row):
        raise NotConfirmed(NOT_SHOWN)
    return row


def _do(work: Callable[[Standing], None], now: Standing) -> None:
    """An outage between two writes is told apart: a part is done for sure."""
    try:
        work(now)
    except StripeUnavailable as error:
        if now.written:
            raise NotConfirmed from error
        raise
