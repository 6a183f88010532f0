"""A Checkout attempt is what a buyer wants in a line: one is open at a time, and it is closed when its session ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError

from billing import stripe_client
from billing.models import CheckoutAttempt, Customer, Price
from billing.stripe_client import fetch, readers
from billing.subscriptions import ATTEMPT_KEY

from .refusals import CheckoutReplaced

Status = CheckoutAttempt.Status
ENDS = {"complete": Status.COMPLETED, "expired": Status.EXPIRED}


@dataclass(frozen=True)
class Wanted:
    """A buyer wants a price in a currency and a quantity; if the open attempt differs, a new one is made."""

    price: Price
    currency: str
    quantity: int
    locale: str = ""
    promotion_code: str = ""
    add_ons: Mapping[str, int] = field(default_factory=dict)

    @property
    def line(self) -> str:
        return self.price.plan.line

    def is_of(self, attempt: CheckoutAttempt) -> bool:
        bought = (attempt.price_id, attempt.currency, attempt.quantity, attempt.locale, attempt.promotion_code)
        wanted = (self.price.pk, self.currency, self.quantity, self.locale, self.promotion_code)
        return bought == wanted and attempt.add_ons == self.add_ons

    def draft(self, customer: Customer) -> CheckoutAttempt:
        """Return an attempt that is not saved yet."""
        wanted: dict[str, Any] = {
            "price": self.price,
            "currency": self.currency,
            "quantity": self.quantity,
            "locale": self.locale,
        }
        wanted |= {"add_ons": self.add_ons, "promotion_code": self.promotion_code}
        return CheckoutAttempt(customer=customer, line=self.line, **wanted)


def open_attempt(draft: CheckoutAttempt) -> CheckoutAttempt:
    """Return the line's open attempt, made if there is none; another tab may open or close it at the same moment."""
    columns = ("id", "price", "currency", "quantity", "locale", "promotion_code", "add_ons", "params")
    try:
        attempt, _ = CheckoutAttempt.objects.select_related("customer", "price__plan").get_or_create(
            customer=draft.customer,
            line=draft.line,
            status=Status.OPEN,
            defaults={name: getattr(draft, name) for name in columns},
        )
    except IntegrityError as error:
        raise CheckoutReplaced from error
    return attempt


def refresh_attempt(customer: Customer, session_id: str) -> None:
    """Close the open attempt of a session that has ended, if there is one. Stripe is asked how the session ended.

    A subscription that names the attempt was bought by it, and subscriptions are read in any case.
    """
    attempt = customer.checkout_attempts.filter(session_id=session_id, status=Status.OPEN).first()
    if attempt is None:
        return
    bought_by = {readers.metadata_of(found).get(ATTEMPT_KEY) for found in fetch.subscriptions(customer.pk)}
    if str(attempt.pk) in bought_by:
        close_attempt({"id": session_id, "status": "complete"})
    else:
        close_attempt(fetch.checkout_session(session_id, customer.pk))


def close_attempt(session: dict[str, Any]) -> None:
    """Close the open attempt of a session that is complete or expired, which are final at Stripe."""
    ended = ENDS.get(session["status"])
    if ended:
        CheckoutAttempt.objects.filter(session_id=session["id"], status=Status.OPEN).update(status=ended)


def expire(attempt: CheckoutAttempt) -> dict[str, Any]:
    """Expire the session and return it. A session paid at the last moment refuses to expire."""
    path = f"/v1/checkout/sessions/{attempt.session_id}"
    try:
        return stripe_client.post(f"{path}/expire", idempotency_key=f"expire:{attempt.pk}")
    except stripe_client.StripeRefused:
        return stripe_client.get(path)


def close_without_session(attempt: CheckoutAttempt) -> bool:
    """Close an attempt without a session. Returns False if another tab has given it one meanwhile."""
    has_none = CheckoutAttempt.objects.filter(pk=attempt.pk, status=Status.OPEN, session_id="")
    return bool(has_none.update(status=Status.EXPIRED))
