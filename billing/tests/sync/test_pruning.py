"""Old events made small: which payloads go, which ids, by which age; what waits is never touched."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from djstripe.models import Event as DjstripeEvent

from billing import clock
from billing.models import KeyedUse, StripeEvent
from billing.sync import pruning
from billing.sync.pruning import IDS_ARE_KEPT, prune

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

QUARTER = timedelta(days=90)
SOON = timedelta(minutes=1)
PAYLOAD = {"id": "evt", "data": {"object": {}}}


def event(pk, age, **columns):
    usual = {"type": "invoice.paid", "created": 1, "livemode": False, "lane": "cus_ada", "status": "processed"}
    usual |= {"payload": PAYLOAD, "failures": [{"error": "LookupError: Ada"}], "received_at": timezone.now() - age}
    DjstripeEvent.objects.create(id=pk, type="invoice.paid", data={}, livemode=False)
    return StripeEvent.objects.create(pk=pk, **{**usual, **columns})


def whole():
    """The ids of the events that have their payload, and those that dj-stripe still knows."""
    kept = StripeEvent.objects.exclude(payload={}).order_by("pk").values_list("pk", flat=True)
    return list(kept), list(DjstripeEvent.objects.order_by("id").values_list("id", flat=True))


def known():
    return list(StripeEvent.objects.order_by("pk").values_list("pk", flat=True))


def test_payloads_go_at_the_age_asked_for_and_younger_events_stay_whole():
    event("evt_old", QUARTER + SOON)
    event("evt_young", QUARTER - SOON)
    pruned = prune(QUARTER)
    assert (pruned.payloads, pruned.ids, pruned.freed_bytes > 0) == (1, 0, True)
    assert whole() == (["evt_young"], ["evt_young"])
    assert StripeEvent.objects.get(pk="evt_old").failures is None
    assert StripeEvent.objects.get(pk="evt_young").failures
    again = prune(QUARTER)
    assert (again.payloads, again.ids, again.freed_bytes) == (0, 0, 0)


@pytest.mark.parametrize("asked", [QUARTER, IDS_ARE_KEPT, 2 * IDS_ARE_KEPT])
def test_ids_are_kept_for_a_year_or_for_as_long_as_payloads(asked):
    longest = max(asked, IDS_ARE_KEPT)
    event("evt_ancient", longest + SOON)
    event("evt_aged", longest - SOON)
    event("evt_failed", longest + SOON, status="failed")
    assert prune(asked).ids == 1
    assert known() == ["evt_aged", "evt_failed"]


@pytest.mark.parametrize("status", ["received", "failed", "dead"])
def test_what_waits_failed_or_died_stays_whole_and_known(status):
    event("evt_kept", 2 * IDS_ARE_KEPT, status=status)
    assert prune(QUARTER) == pruning.Pruned()
    assert (whole(), known()) == ((["evt_kept"], ["evt_kept"]), ["evt_kept"])


def test_what_died_and_staff_called_handled_is_done_with():
    event("evt_handled", QUARTER + SOON, status="dead", handled_at=timezone.now())
    assert prune(QUARTER).payloads == 1
    assert whole() == ([], [])


def test_it_goes_by_portions_each_told_and_to_the_last(monkeypatch):
    monkeypatch.setattr(pruning, "PORTION", 2)
    monkeypatch.setattr(pruning, "PAUSE_SECONDS", 0)
    for number in range(5):
        event(f"evt_{number}", IDS_ARE_KEPT + number * SOON + SOON)
    told = []
    prune(QUARTER, lambda pruned: told.append((pruned.payloads, pruned.ids)))
    assert told == [(2, 0), (4, 0), (5, 0), (5, 2), (5, 4), (5, 5)]
    assert known() == []


def test_what_staff_ask_for_again_as_its_portion_is_emptied_stays():
    again, old = event("evt_again", QUARTER, status="received"), event("evt_old", QUARTER)
    assert pruning._empty([again.pk]) == (0, 0)
    emptied, freed = pruning._empty([again.pk, old.pk])
    assert (emptied, freed > 0) == (1, True)
    assert whole() == (["evt_again"], ["evt_again"])


@pytest.mark.parametrize(("age", "lapses", "is_kept"), [(364, False, True), (366, False, False), (366, True, True)])
def test_keys_of_uses_are_kept_for_a_year_and_longer_while_they_hold_something(age, lapses, is_kept):
    ada = get_user_model().objects.create_user("ada@example.com")
    made_at = clock.now() - timedelta(days=age)
    KeyedUse.objects.create(
        subscriber=ada, feature="generations", key="job", state="counted", asked=1, period_start=made_at,
        made_at=made_at, lapses_at=clock.now() if lapses else None,
    )  # fmt: skip
    pruning.prune(timedelta(days=90))
    assert KeyedUse.objects.exists() == is_kept
