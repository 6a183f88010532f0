"""The books of whole stories at Stripe balance to the minor unit, and each difference is named."""

import pytest

from billing import books
from billing.sync import runs
from billing.sync.runs import Wanted

pytestmark = pytest.mark.django_db(transaction=True)


def reckoned():
    """Deliver nothing more; list at Stripe, and reckon."""
    runs.run(Wanted())
    return books.reckon()


def differences():
    return [str(each) for each in reckoned().differences]


def test_a_paid_refunded_and_disputed_life_balances(world):
    ada = world.subscribed()
    world.refund(ada, 300)
    world.advance(days=32)
    dispute = world.dispute(ada)
    world.advance(days=1)
    world.close_dispute(dispute, "won")
    world.deliver()
    done = reckoned()
    assert done.differences == []
    sheet = done.whole()["usd"]
    assert (sheet.invoiced, sheet.paid, sheet.is_even) == (4000, 4000, True)
    assert done.sheets == {(ada.customer, "usd"): sheet}
