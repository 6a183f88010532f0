"""Staff ask this of Stripe for a subscriber: give and end discounts, make a link with one, pause and resume payments.

Each function is given the customer and the form's answers, holding the lane, with no transaction open. What it returns
says what was done; a refusal of `lifecycle` is shown to the member of staff, and nothing was changed.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from billing import clock, site
from billing.access import moment
from billing.lifecycle import discounting, live_subscription, pausing, refusals
from billing.lifecycle.live_subscription import Standing
from billing.models import Customer, Subscription
from billing.money import format_amount
from billing.stripe_client import StripeRefused
from billing.subscriptions import LIVE, renewals

Given = dict[str, Any]

NOTHING_UPCOMING = "invoice_upcoming_none"
KINDS = {
    Subscription.VOIDED: "Access ends with what is paid",
    "mark_uncollectible": "Access goes on, for nothing",
}


def live_rows(customer: Customer) -> list[Subscription]:
    """Return the subscriptions of ours that are billed, the one that counts first."""
    rows = customer.subscriptions.filter(status__in=LIVE, whose=Subscription.Whose.OURS).select_related("plan", "price")
    return list(rows.order_by("-counts", "line", "pk"))


def has_live(customer: Customer) -> bool:
    return customer.deleted_at is None and bool(live_rows(customer))


def has_discount(customer: Customer) -> bool:
    return has_live(customer) and customer.discounts.filter(is_of_customer=False).exists()


def has_pause(customer: Customer) -> bool:
    return customer.deleted_at is None and any(row.collection_paused for row in live_rows(customer))


def may_pause(customer: Customer) -> bool:
    return customer.deleted_at is None and any(_is_pausable(row) for row in live_rows(customer))


def may_buy(customer: Customer) -> bool:
    return customer.deleted_at is None and customer.subscriber_id is not None and customer.missing_since is None


def _is_pausable(row: Subscription) -> bool:
    return row.status == Subscription.Status.ACTIVE and not row.is_free


# Discounts


def about_discount(customer: Customer) -> list[str]:
    return [
        "The discount is taken off the next invoice and those after it, as its coupon says.",
        "Past payments stay as they are.",
        "The subscription keeps its other discounts.",
    ]


def preview_discount(customer: Customer, given: Given) -> list[str]:
    now = _standing(customer, given["subscription"])
    discounting.check_discountable(now)
    entry = discounting.entry_named(given["coupon"], now.found["currency"])
    return _costs(now, discounting.with_it(now, entry))


def give_discount(customer: Customer, given: Given) -> str:
    now = _standing(customer, given["subscription"])
    discounting.give(now, discounting.entry_named(given["coupon"], now.found["currency"]))
    return f"Gave the discount {given['coupon'].strip()}"


def about_end_of_discount(customer: Customer) -> list[str]:
    return ["It ends now: the next invoice is for the full price. Past invoices stay as they are."]


def preview_end_of_discount(customer: Customer, given: Given) -> list[str]:
    discount = given["discount"]
    now = _standing(customer, discount.subscription.stripe_id)
    discounting.check_discountable(now)
    return [] if discount.item else _costs(now, discounting.without_it(now, discount.stripe_id))


def end_discount(customer: Customer, given: Given) -> str:
    discount = given["discount"]
    discounting.take_away(_standing(customer, discount.subscription.stripe_id), discount.stripe_id)
    return f"Ended the discount {discount.code or discount.name or discount.coupon or discount.stripe_id}"


def about_link(customer: Customer) -> list[str]:
    at_stripe = "Stripe makes a promotion code for this customer alone, for one use."
    link = "The link shows prices with the discount, and applies it at checkout."
    return [f"{at_stripe} {link}", "Send the link yourself: it is shown here once, and stays in the log."]


def make_link(customer: Customer, given: Given) -> str:
    text = discounting.make_code(customer, given["coupon"].strip(), given["until"])
    return f"Made the link {site.absolute(site.path_of('prices'))}?{urlencode({'code': text})}"


def _costs(now: Standing, discounts: list[dict[str, str]]) -> list[str]:
    """Return what the next invoice comes to as things stand, and with other discounts."""
    try:
        before, after = discounting.previewed(now), discounting.previewed(now, discounts)
    except StripeRefused as error:
        if getattr(error, "code", "") != NOTHING_UPCOMING:
            raise
        return ["Stripe expects no further invoice, so nothing changes unless the subscription continues."]
    was, becomes = (format_amount(invoice["amount_due"], now.found["currency"]) for invoice in (before, after))
    if was == becomes:
        return [f"The next invoice comes to {was}, as before."]
    return [f"The next invoice comes to {becomes} instead of {was}."]


# Pauses


def about_pause(customer: Customer) -> list[str]:
    return [
        "Nothing is charged until the first renewal after the day that you choose. The subscriber gets a mail.",
        "An invoice that is open already stays as it is.",
    ]


def preview_pause(customer: Customer, given: Given) -> list[str]:
    row = _row(customer, given["subscription"])
    until, paid = _until(row, given["until"]), row.paid_until or row.current_period_end
    again = f"on {moment(until)}" if until else "once somebody resumes the payments"
    said = [f"Payments are charged again {again}."]
    if given["access"] == Subscription.VOIDED:
        return [*said, f"Access lasts until {moment(paid)}, which is paid, and comes back with the payments."]
    return [*said, "Access goes on meanwhile, and nobody pays for it."]


def pause(customer: Customer, given: Given) -> str:
    now = _standing(customer, given["subscription"])
    pausing.check_pausable(now)
    until = _until(_row(customer, given["subscription"]), given["until"])
    pausing.pause_until(now, until - pausing.BEFORE_RENEWAL if until else None, given["access"])
    return f"Paused payments {f'until {moment(until)}' if until else 'until somebody resumes them'}"


def about_resuming(customer: Customer) -> list[str]:
    return [
        "Payments are charged again from now on. The subscriber gets a mail.",
        "If access has ended meanwhile, a new period begins now, and Stripe charges it at once.",
    ]


def resume(customer: Customer, given: Given) -> str:
    pausing.resume_now(_standing(customer, given["subscription"]))
    return "Resumed payments"


def _until(row: Subscription, until: datetime | None) -> datetime | None:
    """Return the renewal that is charged again. Raises `PauseTooSoon` if nothing would be left out, `PauseTooLong`."""
    if until is None:
        return None
    if until > clock.now() + pausing.LONGEST_BY_STAFF:
        raise refusals.PauseTooLong("Choose a day in the next two years.")
    renewal = renewals.first_from(row, until)
    if renewal is None:
        raise refusals.NotPausable("We don't know when this subscription renews. Refresh it from Stripe first.")
    if row.current_period_end and renewal <= (row.paid_until or row.current_period_end):
        raise refusals.PauseTooSoon(f"Nothing is charged before {moment(renewal)} anyway. Choose that day, or later.")
    return renewal


def _row(customer: Customer, subscription_id: str) -> Subscription:
    row = next((row for row in live_rows(customer) if row.stripe_id == subscription_id), None)
    if row is None:
        raise refusals.NoSubscription("This subscription has ended. Nothing was changed.")
    return row


def _standing(customer: Customer, subscription_id: str) -> Standing:
    return live_subscription.standing_with(customer, subscription_id)
