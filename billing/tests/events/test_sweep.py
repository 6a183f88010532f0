"""The sweep announces the end of each grace, whatever a receiver raises."""

import pytest

from billing import lanes, signals
from billing.events import sweep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_receiver_that_raises_when_one_grace_ends_does_not_silence_the_others(world):
    subscribers = [world.subscribed(email=f"{name}@example.com") for name in ("ada", "ben", "eve")]
    for subscriber in subscribers:
        world.change_card(subscriber, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=3)
    world.deliver()
    world.advance(days=3)
    world.heard.clear()

    def raises(sender, subscription, **kwargs):
        if subscription.customer_id == subscribers[0].customer:
            raise LookupError

    signals.access_revoked.connect(raises)
    try:
        sweep.sweep()
    finally:
        signals.access_revoked.disconnect(raises)
    revoked = {subscriber.customer for subscriber in subscribers if not subscriber.row.has_announced_access}
    assert revoked == {subscriber.customer for subscriber in subscribers[1:]}
    sweep.sweep()
    assert not subscribers[0].row.has_announced_access


def test_a_grace_that_ends_while_another_holds_the_lane_is_announced_by_the_next_sweep_alone(world):
    ada, ben = (world.subscribed(email=f"{name}@example.com") for name in ("ada", "ben"))
    for subscriber in (ada, ben):
        world.change_card(subscriber, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=3)
    world.deliver()
    world.advance(days=3)
    world.heard.clear()
    claim = lanes.take(ada.customer)
    assert "1 graces and 0 comps ended" in sweep.sweep()
    assert (world.said(ada), world.said(ben)) == ([], ["access_revoked"])
    lanes.let_go(claim)
    assert "1 graces and 0 comps ended" in sweep.sweep()
    assert "0 graces and 0 comps ended" in sweep.sweep()
    assert (world.said(ada), world.said(ben)) == (["access_revoked"], ["access_revoked"])
