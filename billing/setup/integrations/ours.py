"""This module reads what we believe of some customers in a few queries, without a call to Stripe."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import ValidationError

from billing import access
from billing.access import Access
from billing.conf import conf
from billing.models import Customer, Subscription, listed_subscribers
from billing.setup.importing.matching import field_named, subscribers

from .beliefs import Belief
from .sources import AT_ONCE, OVER

__all__ = ["OVER", "Ours", "live_customers"]


class Ours:
    """The rows of some customers, and the access of their subscribers."""

    def __init__(self, ids: Iterable[str], field: str) -> None:
        self.customers = Customer.objects.in_bulk(list(ids))
        self.rows: dict[str, list[Subscription]] = defaultdict(list)
        found = Subscription.objects.filter(customer__in=self.customers).select_related("price", "plan")
        for row in found.order_by("-counts", "line", "-pk"):
            self.rows[row.customer_id].append(row)
        keys = {row.subscriber_id for row in self.customers.values()} - {None}
        self._access = access.lines_of_all(keys)
        self.field = field_named(subscribers(), field)
        rows = listed_subscribers().filter(pk__in=keys)
        self._named = dict(rows.values_list("pk", self.field.attname))

    def subscription(self, theirs: Belief) -> Subscription:
        """Return the subscription that they name; else a live one, the one that counts first, or the last that ended. A
        placeholder stands where there is none."""
        rows = self.rows[theirs.customer] if theirs.subscription else self._best(theirs.customer)
        found = (row for row in rows if theirs.subscription in (None, row.stripe_id))
        return next(found, None) or Subscription(customer=self.customers[theirs.customer])

    def live(self, customer: str) -> list[Subscription]:
        """Return the live subscriptions of a customer, but for those to other products; the one that counts first."""
        rows = self.rows[customer]
        return [row for row in rows if row.status not in OVER and row.whose != Subscription.Whose.FOREIGN]

    def _best(self, customer: str) -> list[Subscription]:
        return self.live(customer) or [
            row for row in self.rows[customer] if row.status in OVER and row.whose != Subscription.Whose.FOREIGN
        ]

    def subscriber(self, customer: Customer) -> Any:
        """Return the subscriber's primary key, or the field that was asked for; None for nobody."""
        return self._named.get(customer.subscriber_id)

    def is_subscriber(self, customer: Customer, named: str) -> bool:
        """Return whether they mean our subscriber. A database may hold a UUID without its dashes."""
        try:
            return bool(self.field.to_python(named) == self.subscriber(customer))
        except ValidationError:
            return False

    def access(self, customer: Customer) -> Access:
        """Return the access of the customer's subscriber, in the line that gives it if one does."""
        key = customer.subscriber_id
        lines = access.lines_of_customer(customer.pk) if key is None else self._access[key]
        return max(lines.values(), key=lambda each: each.has_access, default=access.NO_SUBSCRIPTION)

    def names_of_price(self, row: Subscription) -> list[str]:
        """Return every name under which they may know the price: at Stripe, its lookup key, the plan's slug."""
        price, plan = row.price, row.plan
        names = (row.price_id, row.unmapped_price, price.lookup_key if price else "", plan.slug if plan else "")
        return [name for name in names if name]


def live_customers() -> Iterator[Subscription]:
    """Yield the live subscriptions that count, one for each customer of the key's mode."""
    rows = Subscription.objects.filter(counts=True, customer__deleted_at=None).exclude(status__in=OVER)
    rows = rows.exclude(customer__livemode=not conf.live_mode).order_by("customer_id", "line")
    last = ""
    while some := list(rows.filter(customer__gt=last)[:AT_ONCE]):
        for row in some:
            if row.customer_id != last:
                yield row
            last = row.customer_id
