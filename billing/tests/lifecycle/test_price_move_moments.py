"""A coming price is said while it will come, and is written at Stripe at its moment, from both sides of each bound."""

import pytest

from billing.lifecycle.price_moves import changes, writing
from billing.models import PriceMove, PriceMoveRow, Subscription

from . import test_price_move_telling as told
from .test_price_move_telling import DAY, HOUR, NOW, RENEWAL, SECOND, TOLD, row_of

pytestmark = pytest.mark.django_db

_noon, plan, move, ben = told._noon, told.plan, told.move, told.ben


# What pages and mails say of it


@pytest.mark.parametrize(
    ("columns", "changed", "is_said"),
    [
        *(({}, {"status": status}, True) for status in ("told", "owed", "moved")),
        *(({}, {"status": status}, False) for status in ("listed", "untold", "stopped", "kept")),
        ({}, {"moves_at": NOW}, False),
        ({}, {"moves_at": NOW + SECOND}, True),
        ({}, {"old_amount": 2}, False),
        ({"cancel_at": RENEWAL}, {}, False),
        ({"cancel_at": RENEWAL + SECOND}, {}, True),
        ({"pending_at": RENEWAL}, {}, True),
        ({"pending_at": RENEWAL, "pending_price_id": "price_old"}, {}, False),
        ({"pending_at": RENEWAL, "pending_price_id": "price_new"}, {}, True),
        ({"pending_at": RENEWAL + SECOND, "pending_price_id": "price_old"}, {}, True),
        ({"pending_at": RENEWAL, "pending_price_id": "price_new", "cancel_at": RENEWAL - SECOND}, {}, False),
    ],
)
def test_a_coming_price_is_said_while_it_will_come(move, ben, columns, changed, is_said):
    row = row_of(move, columns=columns, **{**TOLD, **changed})
    assert changes.coming_of(row.subscription) == (row if is_said else None)
    assert changes.coming_of(ben.subscription) is changes.coming_of(None) is changes.coming_of(Subscription()) is None
    PriceMove.objects.update(stopped_at=NOW)
    assert changes.coming_of(row.subscription) is None


@pytest.mark.parametrize(("at", "price"), [
    (RENEWAL + 9 * DAY, "new"), (RENEWAL, "new"), (RENEWAL - DAY + SECOND, "new"), (RENEWAL - DAY, "old"),
])  # fmt: skip
def test_a_charge_is_reckoned_by_the_price_that_has_come_by_then(move, ben, at, price):
    row = row_of(move, columns={"price": move.old_price}, **TOLD)
    assert changes.price_charged_at(row.subscription, at).pk == f"price_{price}"
    assert changes.price_charged_at(ben.subscription, at) is None


# Written at Stripe


def at_stripe(end=RENEWAL, **changed):
    usual = {"status": "active", "cancel_at": None, "cancel_at_period_end": False, "schedule": None}
    return {**usual, **changed}, {"current_period_end": int(end.timestamp())}


@pytest.mark.parametrize(
    ("moves_at", "end", "status", "becomes"),
    [
        (RENEWAL, RENEWAL, "active", "owed"),
        (RENEWAL, RENEWAL + DAY - SECOND, "active", "owed"),
        (RENEWAL, RENEWAL - DAY + SECOND, "past_due", "owed"),
        (RENEWAL, RENEWAL + DAY, "active", "listed"),
        (None, RENEWAL, "active", "listed"),
        (RENEWAL, RENEWAL - DAY, "active", "an earlier one"),
        (RENEWAL, RENEWAL, "unpaid", "nothing is charged"),
    ],
)
def test_stripe_is_written_to_before_the_renewal_that_was_named(move, moves_at, end, status, becomes):
    row = row_of(move, **{**TOLD, "status": "owed", "moves_at": moves_at})
    assert writing._is_time(row, *at_stripe(end, status=status)) is (becomes == "owed")
    later = {"an earlier one": HOUR, "nothing is charged": DAY, "listed": HOUR * 0}.get(becomes)
    assert row.status == (becomes if becomes in ("owed", "listed") else "told")
    assert row.due_at == (None if later is None else NOW + later)


@pytest.mark.parametrize(
    ("ends", "moves_at", "is_before"),
    [
        ({}, RENEWAL, False),
        ({"cancel_at_period_end": True}, RENEWAL, True),
        ({"cancel_at": int(RENEWAL.timestamp())}, RENEWAL, True),
        ({"cancel_at": int(RENEWAL.timestamp()) + 1}, RENEWAL, False),
        ({"cancel_at": int(RENEWAL.timestamp()) + 1}, None, True),
    ],
)
def test_what_ends_by_the_renewal_is_not_moved(ends, moves_at, is_before):
    assert writing._ends_before(PriceMoveRow(moves_at=moves_at), at_stripe(**ends)[0]) is is_before
