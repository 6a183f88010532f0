"""Every change of a live subscription goes through `change_subscription`.

1. Hold the customer's lane. 2. Ask Stripe. 3. Guard and change, outside any transaction. 4. Refresh our row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext_lazy

from billing import access, catalogue, cause, lanes, stripe_account, stripe_client, subscriptions
from billing.lanes import LaneBusy
from billing.models import MAIN_LINE, AddOnPrice, Customer, PlanChange, Price, Subscription
from billing.stripe_client import StripeUnavailable, id_of, readers
from billing.subscriptions import PendingChange, pending_change_of

from . import dropped_schedules
from .customers import refuse_if_deleting, request_key
from .refusals import NoSubscription, NotConfirmed

Found = dict[str, Any]

NOT_SHOWN = gettext_lazy("Our payment provider does not show this change yet. Please check again in a moment.")


@dataclass(frozen=True)
class Standing:
    """A standing holds a customer and the subscription that counts, as Stripe has it now: `found`."""

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
        return subscriptions.is_live_status(self.status)

    @property
    def is_trial(self) -> bool:
        return self.status == Subscription.Status.TRIALING

    @property
    def is_free(self) -> bool:
        """Return whether its price costs nothing."""
        return self.price.is_free_in(self.found["currency"])

    @property
    def has_method(self) -> bool:
        """Return whether there is a payment method that a charge would go to, as far as Stripe told."""
        return subscriptions.has_payment_method(self.found) is not False

    @property
    def is_ending(self) -> bool:
        """Return whether a cancellation is scheduled."""
        return readers.is_cancellation_scheduled(self.found)

    @cached_property
    def _plan_item(self) -> tuple[Found, Price]:
        return catalogue.plan_item(self.found["items"]["data"])

    @property
    def item(self) -> Found:
        """Return the item whose price belongs to a plan. Raises `UnmappedPrice`, like `price`."""
        return self._plan_item[0]

    @property
    def price(self) -> Price:
        return self._plan_item[1]

    @cached_property
    def add_on_items(self) -> list[tuple[Found, AddOnPrice]]:
        """Return the items that are add-ons, each with our price."""
        return catalogue.add_ons.add_on_items(self.found["items"]["data"])

    @property
    def add_ons(self) -> dict[str, int]:
        """Return how many of each add-on are paid for; what an awaited change adds is not yet."""
        if self.awaited:
            return catalogue.add_ons.quantities_in(self.awaited.previous_items)
        return catalogue.add_ons.sums(self.add_on_items)

    @property
    def coming_add_ons(self) -> dict[str, int]:
        """Return how many of each add-on there will be once the pending change has happened."""
        coming = self.pending.add_ons if self.pending else None
        return self.add_ons if coming is None else coming

    @property
    def period_end(self) -> int:
        return int(min(item["current_period_end"] for item in self.found["items"]["data"]))

    @property
    def quantity(self) -> int:
        return readers.quantity_of(self.item)

    @property
    def schedule(self) -> Found | None:
        """Return the open subscription schedule of this subscription, whether or not it holds a change."""
        return self.found["schedule"]

    @property
    def has_pending_update(self) -> bool:
        return bool(self.found["pending_update"])

    @cached_property
    def row(self) -> Subscription | None:
        """Return our row. Where Stripe is ahead of it, the answer to an earlier try was lost."""
        return Subscription.objects.filter(customer=self.customer, stripe_id=self.id).first()

    @cached_property
    def awaited(self) -> PlanChange | None:
        """Return the change that Stripe has made already, and whose payment takes days."""
        return subscriptions.awaited_change(self.found, self.row or Subscription())

    @property
    def pending(self) -> PendingChange | None:
        if self.awaited:
            add_ons = catalogue.add_ons.sums(self.add_on_items)
            return PendingChange(Subscription.Pending.AWAITED, self.awaited.price, None, add_ons=add_ons)
        return pending_change_of(self.found)

    def is_on(self, price: Price) -> bool:
        """Return whether this is the price that is paid for; an awaited change's is not yet."""
        paid = self.awaited.previous_price if self.awaited else None
        return _is_same(paid or self.price, price)

    def is_changing_to(self, price: Price) -> bool:
        return self.pending is not None and self.pending.price is not None and _is_same(self.pending.price, price)

    def write(self, path: str, verb: str, **params: Any) -> Found:
        """Make a write that may be made twice without harm, since it sets how things should be."""
        answer = stripe_client.post(path, idempotency_key=request_key(self.customer, verb), **params)
        self.written.append(path)
        return answer

    def update(self, verb: str, **params: Any) -> Found:
        return self.write(f"/v1/subscriptions/{self.id}", verb, **params)

    def release_schedule(self, *, goes_on: bool = True) -> None:
        """Release the schedule, since Stripe refuses to cancel or change a subscription that is under one. Staff are
        told what they lose by it, if the subscription `goes_on` or may do so.
        """
        if self.schedule:
            if goes_on:
                dropped_schedules.tell(self.id, id_of(self.schedule), self.pending)
            self.write(f"/v1/subscription_schedules/{id_of(self.schedule)}/release", "release")


def _is_same(one: Price, other: Price) -> bool:
    """Compare plan and interval, which people choose; one price may have replaced the other."""
    return (one.plan_id, one.interval, one.interval_count) == (other.plan_id, other.interval, other.interval_count)


def standing_of(customer: Customer, line: str = MAIN_LINE) -> Standing:
    """Ask Stripe now. Raises `NoSubscription` if there never was a subscription in the line, `StripeUnavailable`."""
    for row, found in subscriptions.projected_now(customer):
        if row.counts and row.line == line:
            return Standing(customer, found)
    raise NoSubscription


def standing_with(customer: Customer, subscription_id: str) -> Standing:
    """Ask Stripe now for one of a customer's subscriptions. Raises `NoSubscription` if it is none of ours."""
    for row, found in subscriptions.projected_now(customer):
        if row.stripe_id == subscription_id and row.is_ours:
            return Standing(customer, found)
    raise NoSubscription


def standings_of(customer: Customer) -> list[Standing]:
    """Ask Stripe now; return the subscription of ours that counts in each line, `main` first."""
    counting = [(row, found) for row, found in subscriptions.projected_now(customer) if row.counts and row.is_ours]
    counting.sort(key=lambda pair: (pair[0].line != MAIN_LINE, pair[0].line))
    return [Standing(customer, found) for _, found in counting]


def line_of(subscriber: Any, line: str = "") -> str:
    """Return the line that is meant: by default the only live line, else the subscriber's only line, else `main`."""
    if line:
        return line
    rows = Subscription.objects.filter(customer__in=Customer.objects.living_of(subscriber), counts=True)
    lives: dict[str, bool] = {}
    for name, status in rows.order_by("line").values_list("line", "status"):
        lives[name] = lives.get(name, False) or status in subscriptions.LIVE
    return access.line_meant(lives)


def customer_of(subscriber: Any, line: str = "") -> Customer:
    """Return the customer whose subscription counts in a line; the current customer if no line is given, or none counts
    in it.

    Raises `NoSubscription`, `AccountClosing`, `OfAnotherAccount`.
    """
    refuse_if_deleting(subscriber)
    customers = list(Customer.objects.living_of(subscriber))
    if not customers:
        raise NoSubscription
    customer = customers[0]
    if line and len(customers) > 1:
        held = access.of(subscriber, line).subscription
        customer = next((each for each in customers if held and each.pk == held.customer_id), customer)
    stripe_account.refuse_if_elsewhere(customer)
    return customer


def change_subscription(
    subscriber: Any,
    work: Callable[[Standing], None],
    is_shown: Callable[[Subscription], bool] = lambda row: True,
    line: str = "",
) -> Subscription:
    """Do `work` at Stripe while holding the customer's lane, then refresh our row from Stripe, and return it.

    `line`: as in `line_of`, the line whose subscription is changed.

    `is_shown` says whether the refreshed row shows the change. An answer is no proof: Stripe may replay an old one.

    Raises what `work` refuses; `NoSubscription`, `AccountClosing`, `OfAnotherAccount`; `LaneBusy`, after which nothing
    has changed; `StripeUnavailable`, when Stripe may have made the change, and asking again is safe; and `NotConfirmed`
    if Stripe made a part of it, stopped answering before we could refresh, or does not show the change.
    """
    line = line_of(subscriber, line)
    customer = customer_of(subscriber, line)
    with lanes.exclusive(customer.pk) as commit:
        # The refresh below must not reuse what was read to decide, so these reads have a cache of their own.
        with stripe_client.drain_reads():
            now = standing_of(customer, line)
            _do(work, now)
        try:
            with cause.recorded_by_default_as("subscriber"):
                row = commit(lambda: _refreshed(customer, now.id))
        except (StripeUnavailable, LaneBusy) as error:
            raise NotConfirmed from error
    if row.stripe_id == now.id and not is_shown(row):
        raise NotConfirmed(str(NOT_SHOWN))
    return row


def _refreshed(customer: Customer, subscription_id: str) -> Subscription:
    subscriptions.refresh(customer)
    return subscriptions.row_for(customer, subscription_id)


def _do(work: Callable[[Standing], None], now: Standing) -> None:
    """Do the work. After an outage between two writes raise `NotConfirmed`, since a part is done for sure."""
    try:
        work(now)
    except StripeUnavailable as error:
        if now.written:
            raise NotConfirmed from error
        raise
