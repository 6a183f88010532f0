"""A subscriber buys here: one open Checkout for each line, and never a second subscription beside a live one of a line,
whichever of their customers has it.

`start` does not write the subscription, so it does not take the lane, and no buyer waits for a drain. Nothing that
runs at the same time can do harm:

- Another click: one open attempt for each line is a unique index, and its id is the session's idempotency key.
  An attempt without a session is closed only while it has none: one that another tab has just got is expired first.
  If an attempt was closed meanwhile, the session made for it is expired: nobody has seen its address.
- A click in another currency, for which another customer buys: each looks for the other's attempt after it has opened
  its own, and gives way.
- A payment: the open session is asked for, or expired, before Stripe is asked for subscriptions. A session is complete
  and its subscription made in one moment there, so one that was paid in between is found by the later question.
- A webhook only closes attempts, each by one conditional UPDATE, of sessions that have ended at Stripe.
- A change, a cancellation: they need a live subscription, beside which nothing is sold.
- A deletion closes the open attempts in the transaction that begins it; an attempt made later is given up.

A second one that is made all the same is for `subscriptions.duplicates`. What another product sells is not in the way.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from billing import access, confirmed, stripe_account, stripe_client, subscriptions
from billing.models import Agreement, CheckoutAttempt, Customer, Price, Subscription
from billing.subscriptions import seats

from . import attempts, checkout_add_ons, codes, embedded, prices, refused_payment, tax
from .attempts import Wanted
from .checkout_session import session_params
from .coming_back import Outcome, refresh_outcome
from .customers import customer_for, refuse_if_deleting
from .refusals import (
    AccessWithheld,
    AccountClosing,
    AlreadySubscribed,
    CheckoutReplaced,
    EmailUnconfirmed,
    PriceNotOffered,
    SubscriptionPaused,
)

__all__ = [
    "AccessWithheld",
    "AlreadySubscribed",
    "CheckoutReplaced",
    "Outcome",
    "PriceNotOffered",
    "SubscriptionPaused",
    "refresh_outcome",
    "start",
]

Status = CheckoutAttempt.Status
NOT_LIVE = frozenset({Subscription.Status.NONE, *Subscription.TERMINAL})
# Stripe is asked whether the first payment was refused: then it can be tried anew.
NOT_HERE = NOT_LIVE | {Subscription.Status.INCOMPLETE}

# Stripe replays an answer, a failure too, for as long as it keeps the key: after this long without a session ask anew.
GIVE_UP_AFTER = timedelta(minutes=10)


def start(
    subscriber: Any,
    plan_slug: str,
    interval: str,
    currency: str = "",
    interval_count: int = 1,
    promotion_code: str = "",
    *,
    locale: str = "",
    add_ons: Mapping[str, int] | None = None,
) -> CheckoutAttempt:
    """Return an attempt with a Checkout session; its `url` is the page to send the buyer to, in the language `locale`.

    1. Find the price for sale, and refuse an unconfirmed address. 2. Find or make the customer.
    3. Refuse if a subscription of the plan's line is live and costs money; end one whose first payment was refused.
    4. Reuse the open attempt if it would send the same, and Stripe still has it open; close any other.
    5. Otherwise make an attempt, which remembers what is sent, and whose id is the session's idempotency key.
    6. If Stripe refuses the price since it was replaced, start again with the new one.

    `promotion_code` is the text of a code that is preset; one that cannot be used is refused, and nothing is begun.
    `add_ons`: how many of each are bought with the plan, by slug.

    Raises `PriceNotOffered`, `AddOnNotOffered`, `CodeRefused`, `EmailUnconfirmed`, `AccessWithheld`,
    `AlreadySubscribed`, `SubscriptionPaused`, `CheckoutMisconfigured`, `TrialTooLong`, `CheckoutReplaced`,
    `AccountClosing`, `StripeUnavailable`, `StripeRefused`.
    """
    return prices.with_price_for_sale(
        lambda: prices.price_of(plan_slug, interval, currency, interval_count),
        lambda price: _start(subscriber, price, currency, locale, promotion_code, add_ons or {}),
    )


def _start(
    subscriber: Any, price: Price, currency: str, locale: str, promotion_code: str, add_ons: Mapping[str, int]
) -> CheckoutAttempt:
    if confirmed.is_unconfirmed(subscriber):
        raise EmailUnconfirmed
    quantity = seats.seats_of(subscriber, price.plan)
    code = codes.named_for(promotion_code, price, currency, quantity, subscriber)
    customer = customer_for(subscriber, currency or price.currency)
    wanted = Wanted(price, currency, quantity, locale, code, checkout_add_ons.checked(add_ons, price, currency))
    draft, line = wanted.draft(customer), wanted.line
    if access.withheld(customer, customer.subscription_in(line).stripe_id):
        raise AccessWithheld
    customers = [customer, *_others_here(customer)]
    for each in customers:
        _refuse_beside(each.subscription_in(line))
    session_params(draft, is_first=True)  # a wrong setting is refused before anything is closed
    reusable = next(filter(None, [_reusable_attempt(each, wanted) for each in customers]), None)
    earlier = []
    for each in customers:
        of_line = [(row, found) for row, found in subscriptions.projected_now(each) if row.line == line]
        for row, _ in of_line:
            _refuse_beside(row)
        refused_payment.end(each, [found for row, found in of_line if row.status == Subscription.Status.INCOMPLETE])
        earlier += of_line
    is_first = all(row.is_free for row, _ in earlier) and not _has_bought_before(subscriber, line)
    if reusable:
        if _sends_the_same(reusable, is_first=is_first):
            return reusable
        _expire_unless_paid(reusable)
    attempt = _attempt_as_drafted(draft, is_first=is_first)
    _give_up_if_deleting(subscriber, attempt)
    _give_way_to_other_customers(attempt)
    _give_way_to_agreement(attempt)
    if not wanted.is_of(attempt):
        raise CheckoutReplaced
    if attempt.session_id:
        return attempt
    return _with_session(attempt, is_first=is_first)


def _others_here(customer: Customer) -> list[Customer]:
    """Return the subscriber's other customers whom our key reaches."""
    others = Customer.objects.living_of(customer.subscriber).filter(missing_since=None).exclude(pk=customer.pk)
    return [other for other in others if not stripe_account.is_elsewhere(other)]


def _has_bought_before(subscriber: Any, line: str) -> bool:
    """Return whether a customer who was deleted at Stripe had a subscription in the line."""
    gone = Customer.objects.all_of(subscriber).filter(deleted_at__isnull=False)
    return Subscription.objects.filter(customer__in=gone.values("pk"), line=line).exists()


def _refuse_beside(row: Subscription) -> None:
    """Refuse to sell beside a subscription that would be billed too. A free one is moved on from."""
    if row.status not in NOT_HERE and not row.is_free:
        raise SubscriptionPaused if row.status == Subscription.Status.PAUSED else AlreadySubscribed


def _reusable_attempt(customer: Customer, wanted: Wanted) -> CheckoutAttempt | None:
    """Return the line's open attempt if it can be reused. Otherwise close it, at Stripe first, and return None."""
    attempt = CheckoutAttempt.objects.filter(customer=customer, line=wanted.line, status=Status.OPEN).first()
    if attempt is not None and not attempt.session_id:
        attempt = _attempt_to_expire(attempt, wanted)
    if attempt is None:
        return None
    session = stripe_client.get(f"/v1/checkout/sessions/{attempt.session_id}")
    if session["status"] == "open" and wanted.is_of(attempt) and tax.is_as_set(session):
        return attempt
    if session["status"] == "open":
        session = attempts.expire(attempt)
    attempts.close_attempt(session)
    return None


def _attempt_to_expire(attempt: CheckoutAttempt, wanted: Wanted) -> CheckoutAttempt | None:
    """Close an attempt without a session, unless it is fresh: then another tab may be making its session.

    Returns the attempt only if its session was made in this very moment: its page was shown, so it must be expired.
    """
    is_fresh = attempt.created_at >= timezone.now() - GIVE_UP_AFTER
    if (wanted.is_of(attempt) and is_fresh) or attempts.close_without_session(attempt):
        return None
    attempt.refresh_from_db()
    return attempt if attempt.status == Status.OPEN else None


def _sends_the_same(attempt: CheckoutAttempt, *, is_first: bool) -> bool:
    """Return whether the attempt's session would be made now as it was; one that has sent nothing yet would be."""
    return not attempt.params or attempt.params == session_params(attempt, is_first=is_first)


def _expire_unless_paid(attempt: CheckoutAttempt) -> None:
    """Expire a session that another one replaces. Raises `AlreadySubscribed` if it was paid at the last moment."""
    session = attempts.expire(attempt)
    attempts.close_attempt(session)
    if session["status"] == "complete":
        raise AlreadySubscribed


def _attempt_as_drafted(draft: CheckoutAttempt, *, is_first: bool) -> CheckoutAttempt:
    """Return the line's open attempt. One without a session that would send something else now is closed before: its
    key takes nothing else."""
    draft.params = session_params(draft, is_first=is_first)
    attempt = attempts.open_attempt(draft)
    is_new = attempt.pk == draft.pk
    is_stale = not is_new and not attempt.session_id and not _sends_the_same(attempt, is_first=is_first)
    return attempts.open_attempt(draft) if is_stale and attempts.close_without_session(attempt) else attempt


def _give_up_if_deleting(subscriber: Any, attempt: CheckoutAttempt) -> None:
    """Close an attempt that was made after the account's deletion began. Raises `AccountClosing`."""
    try:
        refuse_if_deleting(subscriber)
    except AccountClosing:
        # With a session too: the deletion expires every one that is open at Stripe.
        CheckoutAttempt.objects.filter(pk=attempt.pk, status=Status.OPEN).update(status=Status.EXPIRED)
        raise


def _give_way_to_other_customers(attempt: CheckoutAttempt) -> None:
    """Give way to another tab that has just begun to buy in this line by another customer. Raises `CheckoutReplaced`.

    Each looks after it has opened its own, so at most one goes on.
    """
    others = CheckoutAttempt.objects.filter(line=attempt.line, status=Status.OPEN)
    if others.filter(customer__in=_others_here(attempt.customer)).exists():
        attempts.close_without_session(attempt)
        raise CheckoutReplaced


def _give_way_to_agreement(attempt: CheckoutAttempt) -> None:
    """Give way to an agreement whose subscription is being started in this line, or lives. Raises `AlreadySubscribed`.

    Each looks after it has written its own row, so at most one goes on.
    """
    theirs = Agreement.objects.filter(subscriber=attempt.customer.subscriber_id, line=attempt.line)
    made = theirs.exclude(subscription_id="").values("subscription_id")
    live = Subscription.objects.filter(stripe_id__in=made, status__in=subscriptions.LIVE)
    if theirs.starting().exists() or live.exists():
        attempts.close_without_session(attempt)
        raise AlreadySubscribed


def make_way(customer: Customer, line: str, is_own: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    """Expire every open Checkout of the subscriber in a line, for a subscription that staff start there. Returns the
    subscription at Stripe that `is_own`, if an earlier try made it.

    Raises `AlreadySubscribed`, `SubscriptionPaused` beside any other that is live and costs money.
    """
    customers = [customer, *_others_here(customer)]
    for attempt in CheckoutAttempt.objects.filter(customer__in=customers, line=line, status=Status.OPEN):
        _withdraw(attempt)
    of_line = [(each, *pair) for each in customers for pair in subscriptions.projected_now(each)]
    of_line = [entry for entry in of_line if entry[1].line == line]
    if own := next((found for _, _, found in of_line if is_own(found)), None):
        return own
    for each, row, found in of_line:
        _refuse_beside(row)
        if row.status == Subscription.Status.INCOMPLETE:
            refused_payment.end(each, [found])
    return None


def _withdraw(attempt: CheckoutAttempt) -> None:
    """Close an attempt, so that nobody can pay it; one that is being paid is found by the question that follows."""
    if not attempt.session_id and attempts.close_without_session(attempt):
        return
    attempt.refresh_from_db()
    if attempt.status == Status.OPEN:
        session = attempts.expire(attempt)
        attempts.close_attempt(session)
        if session["status"] == "open":
            raise AlreadySubscribed


def _with_session(attempt: CheckoutAttempt, *, is_first: bool) -> CheckoutAttempt:
    """Make the session. If the attempt was closed meanwhile, expire the session so that nobody can pay it."""
    if not attempt.params:
        attempt.params = session_params(attempt, is_first=is_first)
        CheckoutAttempt.objects.filter(pk=attempt.pk).update(params=attempt.params)
    try:
        session = stripe_client.post("/v1/checkout/sessions", idempotency_key=str(attempt.pk), **attempt.params)
    except stripe_client.StripeRefused as error:
        attempts.close_without_session(attempt)
        codes.raise_if_about_a_code(attempt, error)
        raise
    attempt.session_id = session["id"]
    attempt.url = session.get("url") or embedded.address_of(attempt)
    is_still_open = CheckoutAttempt.objects.filter(pk=attempt.pk, status=Status.OPEN).update(
        session_id=attempt.session_id, url=attempt.url
    )
    if not is_still_open:
        attempts.expire(attempt)
        raise CheckoutReplaced
    return attempt
