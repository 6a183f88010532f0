"""One subscription is told of its new price, in its lane: in the same transaction its row says so and the mail is
reserved.

Who cannot be told yet waits, with the reason in the row: a mail about a charge that will not be would be untrue.
"""

from datetime import datetime, timedelta

from billing import clock, signals, stripe_account
from billing.catalogue import amounts
from billing.lanes import standing_writes
from billing.models import PriceMoveRow, StripeWrite, Subscription
from billing.monitoring import alerts
from billing.subscriptions import coming_prices

from .changes import stays_until
from .notice import Notice, earliest_charge, notice_of, writes_from
from .renewals import first_renewal

Status = PriceMoveRow.Status
CHARGED = frozenset({Subscription.Status.ACTIVE, Subscription.Status.TRIALING, Subscription.Status.PAST_DUE})
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


def tell(row: PriceMoveRow) -> None:
    """Tell a subscriber, or note why not yet."""
    if row.status != Status.LISTED or not row.move.is_running:
        return
    if why := plan(row, clock.now()):
        wait_for(row, why)
        return
    if row.new_amount is None:
        need_staff(row, Status.UNTOLD, f"{row.move.new_price} has no amount in {row.currency.upper()}.")
        return
    row.status, row.told_at, row.is_confirmed, row.reason = Status.TOLD, clock.now(), False, ""
    row.tellings, row.attempts = row.tellings + 1, 0
    row.due_at = min(clock.now() + A_DAY, writes_from(row) or clock.now())
    row.save()
    coming_prices.expect(row.subscription, row.move.old_price, row.move.new_price, row.moves_at or clock.now())
    if not row.is_same_amount:
        signals.price_change_coming.send(sender=PriceMoveRow, subscription=row.subscription, change=row)


def plan(row: PriceMoveRow, told_at: datetime) -> str:
    """Fill in the amounts and the renewal that charges the new one; return why that cannot be said yet, or ""."""
    subscription, move = row.subscription, row.move
    item = next((each for each in subscription.items.all() if each.stripe_price == move.old_price_id), None)
    if item is None:
        return "It has no item at the old price any more."
    row.quantity, row.currency = item.quantity or 1, subscription.currency
    row.old_amount = amounts.cost(move.old_price, row.currency, row.quantity)
    row.new_amount = amounts.cost(move.new_price, row.currency, row.quantity)
    if why := _why_not_charged(subscription):
        return why
    row.moves_at = first_renewal(subscription, move.old_price.cadence, earliest_charge(move, told_at))
    return "" if stays_until(subscription, row) else "It ends, or changes to another price, before it would be moved."


def _why_not_charged(subscription: Subscription) -> str:
    """Return why nobody can say now which renewal will be charged."""
    if subscription.status not in CHARGED:
        return f"It is {subscription.status}: nothing is charged."
    if subscription.collection_paused:
        return "Its collection is paused: nothing is charged."
    if subscription.pending_kind in (Subscription.Pending.UPDATE, Subscription.Pending.AWAITED):
        return "A change of plan waits for its payment."
    if subscription.current_period_end is None or subscription.current_period_end <= clock.now():
        return "Its period is over: the renewal is under way."
    if stripe_account.is_elsewhere(subscription.customer):
        return "It is in another Stripe account than our key."
    return ""


def look(row: PriceMoveRow) -> None:
    """Look at a subscription that was told: whether the mail went out, and whether Stripe is to be asked now."""
    if row.status != Status.TOLD or not row.move.is_running:
        return
    now, (notice, why) = clock.now(), notice_of(row)
    if row.moves_at is None or row.moves_at <= now:
        tell_anew(row, "Its renewal came before Stripe had been asked, so it is told of a later one.")
    elif notice == Notice.FAILED:
        need_staff(row, Status.UNTOLD, why)
    elif notice == Notice.TOO_LATE:
        tell_anew(row, why)
    elif notice == Notice.ON_ITS_WAY:
        wait_for(row, why, AN_HOUR)
    else:
        _confirm(row, now)


def _confirm(row: PriceMoveRow, now: datetime) -> None:
    """Note that it is told for sure, and owe Stripe the new price once it is time."""
    row.is_confirmed, row.reason = True, ""
    row.due_at = writes_from(row)
    if row.due_at is None or row.due_at <= now:
        row.status, row.due_at = Status.OWED, None
        standing_writes.owe(row.subscription.customer, StripeWrite.Action.MOVE_PRICE, row.subscription.stripe_id)
    row.save()


def withdraw(row: PriceMoveRow) -> None:
    """Tell a subscriber of a stopped move that the price stays, if another one was announced."""
    if row.status not in PriceMoveRow.OPEN:
        return
    was_told = row.told_at is not None
    row.status, row.due_at, row.reason = Status.STOPPED, None, ""
    row.save()
    _announce_that_it_stays(row, was_told=was_told)


def _announce_that_it_stays(row: PriceMoveRow, *, was_told: bool) -> None:
    coming_prices.forget(row.subscription, row.move.old_price, row.move.new_price)
    if was_told and not row.is_same_amount:
        signals.price_change_withdrawn.send(sender=PriceMoveRow, subscription=row.subscription, change=row)


def tell_anew(row: PriceMoveRow, why: str) -> None:
    """Have it told again, of a later renewal and with the whole notice."""
    row.status, row.due_at, row.reason, row.moves_at = Status.LISTED, clock.now(), why, None
    row.is_confirmed = False
    row.save()


def wait_for(row: PriceMoveRow, why: str, wait: timedelta = A_DAY) -> None:
    row.reason, row.due_at = why, clock.now() + wait
    row.save()


def need_staff(row: PriceMoveRow, status: PriceMoveRow.Status, why: str) -> None:
    """Leave the row to a person; the others go on."""
    row.status, row.reason, row.due_at = status, why, None
    row.save()
    alerts.alert_staff(
        f"price_move:{row.move_id}",
        f"The price move {row.move} needs a person",
        f"{row.subscription.stripe_id} {row.get_status_display()}, so it keeps the old price. The admin shows the "
        "reason, under Subscriptions of price moves, and what you can do there.",
    )


# What staff decide


def decide_told(row: PriceMoveRow) -> bool:
    """Take it as told in another way; return whether it waited for that."""
    if row.status != Status.UNTOLD or row.moves_at is None:
        return False
    row.status, row.is_confirmed, row.reason, row.due_at = Status.TOLD, True, "", clock.now()
    row.save()
    return True


def try_again(row: PriceMoveRow) -> bool:
    """Have it told again, after the address or what Stripe refused was corrected; return whether it waited for that."""
    if row.status not in PriceMoveRow.FOR_STAFF:
        return False
    tell_anew(row, "")
    return True


def decide_to_keep(row: PriceMoveRow) -> bool:
    """Leave it at the old price for good; return whether it was to be moved. Who was told is told that."""
    if row.status not in PriceMoveRow.OPEN:
        return False
    was_told = row.told_at is not None
    row.status, row.due_at, row.reason = Status.KEPT, None, ""
    row.save()
    _announce_that_it_stays(row, was_told=was_told)
    return True
