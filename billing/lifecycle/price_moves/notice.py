"""Witnesses know whether somebody was really told: an app that sends the mail adds one.

Nobody is charged a price whose mail did not go out. Without a witness the signal counts as told.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from billing.models import PriceMove, PriceMoveRow

# A mail may wait so long in the queue and still be in time.
QUEUED_FOR = timedelta(hours=1)
WRITTEN_AHEAD = timedelta(days=1)


class Notice(StrEnum):
    """A notice tells how the mail of a row stands."""

    TOLD = "told"
    ON_ITS_WAY = "on its way"
    TOO_LATE = "too late"
    FAILED = "failed"


Witness = Callable[[PriceMoveRow], tuple[Notice, str]]

_witnesses: dict[str, Witness] = {}


def add_witness(name: str, witness: Witness) -> None:
    """Add a function that tells how the notice of a row stands, with the reason in words for staff."""
    _witnesses[name] = witness


def remove_witness(name: str) -> None:
    """Forget a witness, so that it is not asked any more."""
    _witnesses.pop(name, None)


def notice_of(row: PriceMoveRow) -> tuple[Notice, str]:
    """Return the worst of what the witnesses say."""
    if row.is_confirmed or row.is_same_amount:
        return Notice.TOLD, ""
    said = [witness(row) for witness in _witnesses.values()]
    order = (Notice.FAILED, Notice.TOO_LATE, Notice.ON_ITS_WAY)
    return next((each for kind in order for each in said if each[0] == kind), (Notice.TOLD, ""))


def earliest_charge(move: PriceMove, told_at: datetime) -> datetime:
    """Return the moment from which a renewal may charge the new price, if the mail is reserved at `told_at`."""
    return told_at + timedelta(days=move.notice_days) + QUEUED_FOR


def is_in_time(row: PriceMoveRow, sent_at: datetime) -> bool:
    """Return whether a mail that goes out at `sent_at` leaves the days of notice that were promised."""
    return row.moves_at is not None and sent_at + timedelta(days=row.move.notice_days) <= row.moves_at


def writes_from(row: PriceMoveRow) -> datetime | None:
    """Return when Stripe may be told: a day before the renewal, or, without `at_renewal`, once the notice is over."""
    if row.moves_at is None or row.told_at is None:
        return None
    ahead = row.moves_at - WRITTEN_AHEAD
    return ahead if row.move.at_renewal else min(ahead, earliest_charge(row.move, row.told_at))
