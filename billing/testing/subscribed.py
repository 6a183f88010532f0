"""A test's subscriber is kept with their ids at Stripe, and shows our rows about them."""

from dataclasses import dataclass
from typing import Any

from billing import access
from billing.access import Access
from billing.models import Customer, Payment, Subscription


@dataclass
class Subscribed:
    """This is a subscriber of a test; `subscription` is empty if the card was declined at Checkout."""

    subscriber: Any
    customer: str
    subscription: str = ""

    @property
    def row(self) -> Subscription:
        """Return the row of the subscription that counts in the line `main`, or a placeholder."""
        return Customer.objects.get(pk=self.customer).subscription

    def row_in(self, line: str) -> Subscription:
        """Return the row of the subscription that counts in a line, or a placeholder."""
        return Customer.objects.get(pk=self.customer).subscription_in(line)

    def access_in(self, line: str) -> Access:
        return access.of(self.subscriber, line)

    @property
    def access(self) -> Access:
        return access.of(self.subscriber)

    @property
    def last_payment(self) -> Payment:
        return Payment.objects.filter(customer=self.customer).latest("paid_at")
