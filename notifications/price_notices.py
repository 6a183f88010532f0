"""The mails about a coming price are true and in time, or are not sent; `billing` asks here whether one went out."""

from typing import Any

from billing import clock
from billing.lifecycle import price_moves
from billing.models import PriceMoveRow, Subscription

from . import facts as facts_of
from .conf import conf
from .models import Mail

Status = PriceMoveRow.Status

TOO_LATE = "It would come too late for the days of notice: the subscriber is told of a later renewal."
NOT_MOVED = "The subscriber is not moved to that price any more, or on another day."
MOVED_AFTER_ALL = "The subscriber is moved after all."
NEVER_TOLD = "No mail has told the subscriber of another price."
WAITS = "Its mail is in the queue."

ON_THE_WAY = frozenset({Mail.Status.QUEUED, Mail.Status.SENDING})
# A mail that is still queued will not be sent any more, since the price stays.
NOT_SENT = frozenset({Mail.Status.QUEUED, Mail.Status.SKIPPED, Mail.Status.FAILED, Mail.Status.BOUNCED})


def not_to_announce(row: Subscription, told: dict[str, Any]) -> str:
    """Return why a change of price is not announced: the notice counts from the moment at which the mail is sent."""
    change = PriceMoveRow.objects.select_related("move", "subscription").filter(pk=told["change"]).first()
    is_to_come = change is not None and change.status in (Status.TOLD, Status.OWED) and change.move.is_running
    if change is None or not is_to_come or facts_of.iso(change.moves_at) != told["changes_at"]:
        return NOT_MOVED
    if not price_moves.stays_until(row, change):
        return NOT_MOVED
    return "" if price_moves.is_in_time(change, clock.now()) else TOO_LATE


def not_to_withdraw(told: dict[str, Any]) -> str:
    """Return why nobody is told that the price stays: they never heard of another one, or are moved after all."""
    change = PriceMoveRow.objects.select_related("subscription").filter(pk=told["change"]).first()
    if change is None or change.status not in (Status.STOPPED, Status.KEPT):
        return MOVED_AFTER_ALL
    announced = Mail.objects.filter(key=facts_of.price_change_key(change))
    return NEVER_TOLD if announced.filter(status__in=NOT_SENT).exists() else ""


def was_told(told: dict[str, Any]) -> bool:
    """Return whether the subscriber was told of a price before by a price move, of which another mail speaks."""
    rows = PriceMoveRow.objects.filter(subscription__stripe_id=told["subscription"], told_at__isnull=False)
    return rows.filter(move__new_price=told["price"]).exists()


def witness(change: PriceMoveRow) -> tuple[price_moves.Notice, str]:
    """Return how the mail about a change of price stands. Where a project sends its own, we know of none."""
    mail = Mail.objects.filter(key=facts_of.price_change_key(change)).first()
    if mail is None or mail.kind in conf.off | conf.by_stripe or mail.status in Mail.ARRIVED:
        return price_moves.Notice.TOLD, ""
    if mail.status in ON_THE_WAY:
        return price_moves.Notice.ON_ITS_WAY, WAITS
    if mail.error in (TOO_LATE, NOT_MOVED):
        return price_moves.Notice.TOO_LATE, mail.error
    return price_moves.Notice.FAILED, f"The mail is {mail.get_status_display().lower()}: {mail.error}".rstrip(": ")
