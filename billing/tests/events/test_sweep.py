"""The sweep wakes lanes that were left behind, and announces the end of each grace, whatever a receiver raises."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from billing import lanes, signals
from billing.events import sweep
from billing.models import AccountDeletion, AnnouncedAccess, Lane, StripeEvent, StripeWrite

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
    revoked = AnnouncedAccess.objects.filter(is_granted=False).values_list("subscriber", flat=True)
    assert set(revoked) == {subscriber.user.pk for subscriber in subscribers[1:]}
    sweep.sweep()
    assert not AnnouncedAccess.objects.filter(is_granted=True).exists()


def test_a_grace_that_ends_while_another_holds_the_lane_is_announced_by_the_next_sweep_alone(world):
    ada, ben = (world.subscribed(email=f"{name}@example.com") for name in ("ada", "ben"))
    for subscriber in (ada, ben):
        world.change_card(subscriber, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=3)
    world.deliver()
    world.advance(days=3)
    world.heard.clear()
    claim = lanes.take(ada.customer)
    assert "1 graces and 0 grants ended" in sweep.sweep()
    assert (world.said(ada), world.said(ben)) == ([], ["access_revoked"])
    lanes.let_go(claim)
    assert "1 graces and 0 grants ended" in sweep.sweep()
    assert "0 graces and 0 grants ended" in sweep.sweep()
    assert (world.said(ada), world.said(ben)) == (["access_revoked"], ["access_revoked"])


# Lanes left behind

SOON = timedelta(seconds=5)


def lane(key, ago=sweep.LEFT_BEHIND + SOON, **columns):
    """A lane that waits for a drain and was woken so long ago."""
    usual = {"arrived": 2, "drained": 1, "woken_at": timezone.now() - ago}
    return Lane.objects.create(pk=key, **{**usual, **columns})


def queued():
    return sorted(row.task["args"][0] for row in OrmQ.objects.all())


@pytest.fixture
def no_tasks(db):
    OrmQ.objects.all().delete()


def held(left):
    return {"token": uuid4(), "leased_until": timezone.now() + left}


@pytest.mark.parametrize(
    ("columns", "is_forgotten"),
    [
        ({}, True),
        ({"ago": sweep.LEFT_BEHIND - SOON}, False),
        ({"drained": 2}, False),
        (held(-SOON), True),
        (held(timedelta(days=1)), False),
    ],
)
def test_a_lane_that_waits_is_queued_again_if_nobody_has_it_and_it_is_not_its_turn_yet(no_tasks, columns, is_forgotten):
    lane("cus_ada", **columns)
    before = Lane.objects.get().woken_at
    assert sweep.sweep().startswith(f"{int(is_forgotten)} lanes requeued, 0 woken")
    assert queued() == (["cus_ada"] if is_forgotten else [])
    assert (Lane.objects.get().woken_at > before) is is_forgotten
    assert sweep.sweep().startswith("0 lanes requeued"), "it was woken just now"


def test_a_lane_that_sleeps_is_freed_of_who_died_and_of_nobody_else(no_tasks):
    lane("cus_dead", drained=2, **held(-SOON))
    lane("cus_held", drained=2, **held(timedelta(minutes=5)))
    lane("cus_waits", **held(-SOON))
    sweep.sweep()
    rows = {row.pk: (row.token is None, row.leased_until is None) for row in Lane.objects.all()}
    assert rows == {"cus_dead": (True, True), "cus_held": (False, False), "cus_waits": (False, False)}


def test_a_long_queue_is_made_no_longer_and_who_waits_longest_comes_first(no_tasks, monkeypatch):
    for number in range(4):
        lane(f"cus_{number}", ago=timedelta(minutes=10 - number))
    monkeypatch.setattr(sweep, "MOST_QUEUED", 2)
    assert sweep.sweep().startswith("2 lanes requeued")
    assert queued() == ["cus_0", "cus_1"]
    assert sweep.sweep().startswith("0 lanes requeued")
    OrmQ.objects.first().delete()
    assert sweep.sweep().startswith("1 lanes requeued")


def event(pk, key, **columns):
    usual = {"type": "invoice.paid", "created": 1, "livemode": False, "status": "failed", "payload": {}}
    return StripeEvent.objects.create(pk=pk, lane=key, received_at=timezone.now(), **{**usual, **columns})


def write(key, **columns):
    moment = {"requested_at": timezone.now(), "action": "cancel_subscription", "object_id": f"sub_{uuid4().hex}"}
    return StripeWrite.objects.create(lane=key, **moment, **columns)


def test_what_is_due_wakes_its_lane_once_and_what_is_not_or_is_done_wakes_none(no_tasks):
    now = timezone.now()
    before, after = {"next_attempt_at": now - SOON}, {"next_attempt_at": now + timedelta(minutes=5)}
    event("evt_1", "cus_event", **before)
    event("evt_2", "cus_event", **before)
    event("evt_3", "cus_later", **after)
    event("evt_4", "cus_done", status="processed", **before)
    write("cus_event", **before)
    write("cus_write", **before)
    write("cus_done", done_at=now, **before)
    write("cus_withdrawn", withdrawn_at=now, **before)
    write("cus_later", **after)
    AccountDeletion.objects.create(lane="cus_deletion", requested_at=now, **before)
    AccountDeletion.objects.create(lane="cus_later", requested_at=now, **after)
    assert sweep.sweep() == "0 lanes requeued, 3 woken, 0 graces and 0 grants ended"
    assert queued() == ["cus_deletion", "cus_event", "cus_write"]
