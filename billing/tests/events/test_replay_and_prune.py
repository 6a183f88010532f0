"""`replay_events` and `prune_events`: old events again, and old events made small."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing import testing
from billing.models import Payment, StripeEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_replayed_events_have_their_effect_once_only(world):
    ada = world.subscribed()
    before = list(Payment.objects.values())
    assert "events will be processed again" in run("replay_events", "--since", "2020-01-01")
    testing.work()
    assert list(Payment.objects.values()) == before
    assert world.said(ada) == []
    assert not StripeEvent.objects.exclude(status__in=["processed", "ignored"]).exists()


def test_dead_events_are_chosen_by_state_and_type_together(world):
    world.subscribed()
    StripeEvent.objects.filter(type__startswith="invoice.").update(status="dead", attempts=7)
    dry = run("replay_events", "--dead", "--type", "invoice.paid", "--dry-run")
    assert dry == "Dry run: 1 events would be processed again.\n"
    run("replay_events", "--dead", "--type", "invoice.paid")
    testing.work()
    assert StripeEvent.objects.get(type="invoice.paid").status == "processed"
    assert StripeEvent.objects.filter(status="dead").exists()


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["evt_nobody"], 1)])
def test_a_replay_of_nothing_and_of_the_unknown_is_refused(db, arguments, code):
    with pytest.raises(CommandError) as refused:
        run("replay_events", *arguments)
    assert refused.value.returncode == code


def test_a_pruned_event_that_comes_again_is_still_a_duplicate(world):
    world.subscribed()
    events = {row.pk: row.payload for row in StripeEvent.objects.all()}
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(days=91))
    assert " payloads (" in run("prune_events", "--older-than", "90")
    assert set(StripeEvent.objects.values_list("pk", flat=True)) == set(events)
    assert not StripeEvent.objects.exclude(payload={}).exists()
    again = testing.deliver(next(iter(events.values())))
    assert again.json() == {"status": "duplicate"}
    assert run("prune_events", "--older-than", "90").startswith("Emptied 0 payloads")


def test_what_waits_or_failed_is_kept_whole(world):
    world.subscribed()
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(days=500), status="dead")
    assert run("prune_events", "--older-than", "90").startswith(
        "Emptied 0 payloads (0.0 MB), deleted 0 event ids and 0 keys"
    )


def test_ids_are_forgotten_after_a_year(world):
    world.subscribed()
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(days=366))
    run("prune_events", "--older-than", "90")
    assert not StripeEvent.objects.exists()
