"""Staff cancel a subscription, resume it, and change its plan or quantity, by the rules that subscribers have.

Each function is given the customer and the form's answers, holding the lane, with no transaction open.
"""

from billing import catalogue
from billing.access import moment
from billing.lifecycle import Effect, Outlook, cancel, change, live_subscription, previews, seats_by_staff
from billing.lifecycle.previews import Preview
from billing.models import Customer, Subscription
from billing.money import format_amount
from billing.subscriptions import seats

from . import at_stripe, plan_forms
from .action import Given
from .refused import Refused

UNPAID = "Something is unpaid, so it can only end now. Choose “Now”, which closes the unpaid invoices too."


# Cancelling


def may_cancel(customer: Customer) -> bool:
    return at_stripe.has_live(customer)


def about_cancelling(customer: Customer) -> list[str]:
    return [
        "At the end of the period, access lasts until then and nothing more is charged. Now, access ends at once.",
        "Nothing is refunded: use “Refund” for that. The subscriber gets a mail.",
    ]


def preview_cancelling(customer: Customer, given: Given) -> list[str]:
    found = cancel.outlook_of(live_subscription.standing_with(customer, given["subscription"]))
    if given["when"] == "now":
        return ["The subscription and its access end now.", *_closed(found)]
    if found.ends_at is None:
        raise Refused(UNPAID)
    return [f"The subscription and its access end on {moment(found.ends_at)}. Nothing more is charged for it."]


def _closed(found: Outlook) -> list[str]:
    closed = [format_amount(owed.amount, owed.currency) for owed in found.charged]
    said = [f"The unpaid invoices are closed: {', '.join(closed)}."] if closed else []
    under_way = [format_amount(owed.amount, owed.currency) for owed in found.under_way]
    return said + ([f"A bank is paying {', '.join(under_way)} already, which goes on."] if under_way else [])


def cancel_it(customer: Customer, given: Given) -> str:
    now = live_subscription.standing_with(customer, given["subscription"])
    cancel.cancel_of(now, given["when"])
    return f"Cancelled {now.id} {'now' if given['when'] == 'now' else 'at the end of its period'}"


def is_cancelled(customer: Customer) -> bool:
    return customer.deleted_at is None and bool(plan_forms.cancelled_rows(customer))


def about_resuming(customer: Customer) -> list[str]:
    return ["The cancellation is undone: the subscription renews as before. Nothing is charged now."]


def resume(customer: Customer, given: Given) -> str:
    now = live_subscription.standing_with(customer, given["subscription"])
    cancel.resume_of(now)
    return f"Undid the cancellation of {now.id}"


# Another plan


def may_change(customer: Customer) -> bool:
    return customer.subscriber is not None and customer.deleted_at is None and bool(_rows(customer))


def about_change(customer: Customer) -> list[str]:
    held = [f"{row.plan}, {row.quantity} × {row.price}" for row in _rows(customer)]
    return [
        f"Current plan: {'; '.join(held)}.",
        "A higher plan, or a longer interval, is charged at once and counts when it is paid.",
        "A lower plan begins with the next period.",
    ]


def preview_change(customer: Customer, given: Given) -> list[str]:
    found = previews.preview_of_price(customer.subscriber, given["price"])
    if found.effect == Effect.TAKES_BACK:
        return ["The pending change is cancelled. Nothing is charged."]
    return [*_what_it_costs(found), *(_over(row) for row in found.overflows)]


def _what_it_costs(found: Preview) -> list[str]:
    at = f"on {moment(found.takes_effect_at)}" if found.effect == Effect.PERIOD_END else "now"
    said = [f"{found.price.plan} begins {at}. {format_amount(found.amount_due, found.currency)} is charged now."]
    if found.credit:
        said.append(f"{format_amount(found.credit, found.currency)} is left over, and reduces later invoices.")
    if found.renewal_amount is not None:
        costs = format_amount(found.renewal_amount, found.currency)
        said.append(f"From {moment(found.renews_at)} on, each renewal costs {costs}, before discounts and taxes.")
    return said


def _over(row: previews.Overflow) -> str:
    return f"{row.used} of {row.feature} are used in this period, {row.over_by} more than there would be."


def change_it(customer: Customer, given: Given) -> str:
    now = live_subscription.standing_with(customer, given["subscription"])
    before = now.price
    change.change_of(now, given["price"])
    return f"Changed the plan from {before} to {given['price']}"


# Another quantity


def may_set_quantity(customer: Customer) -> bool:
    return not seats.is_counted() and customer.deleted_at is None and bool(_rows(customer))


def about_quantity(customer: Customer) -> list[str]:
    held = ", ".join(f"{row.quantity} of {row.plan}" for row in _rows(customer))
    return [f"Current quantity: {held}.", "The difference for the running period stands on the next invoice."]


def preview_quantity(customer: Customer, given: Given) -> list[str]:
    now = live_subscription.standing_with(customer, given["subscription"])
    seats_by_staff.check(now, given["quantity"])
    said = [f"The quantity changes from {now.quantity} to {given['quantity']} now."]
    costs = catalogue.amounts.cost(now.price, now.found["currency"], given["quantity"])
    if costs is not None:
        words = format_amount(costs, now.found["currency"])
        said.append(f"Each renewal costs {words} then, before discounts and taxes.")
    return said


def set_quantity(customer: Customer, given: Given) -> str:
    now = live_subscription.standing_with(customer, given["subscription"])
    seats_by_staff.set_quantity(now, given["quantity"], f"quantity:{given['once']}")
    return f"Changed the quantity of {now.id} from {now.quantity} to {given['quantity']}"


def _rows(customer: Customer) -> list[Subscription]:
    return plan_forms.changeable_rows(customer)
