"""The sweep announces the end of each grace, whatever a receiver raises."""

import pytest

from billing import signals
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
