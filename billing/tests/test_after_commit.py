"""Work after a commit may fail, and takes nothing back of what is committed."""

import ast
import logging
from functools import partial

import pytest
from django.conf import settings
from django.db import transaction
from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS

from billing import testing
from billing.after_commit import after_commit
from billing.models import Alert, StripeEvent
from billing.monitoring import alerts
from billing.testing import assert_all_processed

pytestmark = pytest.mark.django_db(transaction=True)
OURS = ("billing", "notifications", "accounts", "config")


def away(*args):
    raise ConnectionError("the queue is away")


def test_work_is_done_after_the_commit_and_not_at_all_after_a_rollback():
    done = []
    with transaction.atomic():
        after_commit(done.append, "committed")
        assert done == []
    with transaction.atomic():
        after_commit(done.append, "rolled back")
        transaction.set_rollback(True)
    assert done == ["committed"]


@pytest.mark.parametrize("work", [away, partial(away, 1), [].pop], ids=["function", "partial", "method"])
def test_work_that_fails_is_logged_and_the_rest_is_done(caplog, work):
    done = []
    with caplog.at_level(logging.ERROR), transaction.atomic():
        after_commit(work)
        after_commit(done.append, "the next one")
    assert done == ["the next one"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.fixture
def applied():
    """The ids of events that a host project's receiver was given."""
    ids = []

    def receive(sender, event, **kwargs):
        ids.append(event.id)

    djstripe_receiver(["invoice.paid", "customer.subscription.created"])(receive)
    yield ids
    for event_type in ("invoice.paid", "customer.subscription.created"):
        WEBHOOK_SIGNALS[event_type].disconnect(receive, sender=Event)


def test_a_broker_that_is_away_applies_no_event_twice(world, applied, monkeypatch):
    """Mails wake the queue after the commit; what fails there is no reason to apply the batch again."""
    world.subscribe()
    world.deliver(work=False)
    monkeypatch.setattr("billing.queues.django_q2.async_task", away)
    monkeypatch.setattr("billing.queues.django_q2.Conf.ORM", None)
    testing.work()
    assert_all_processed()
    assert set(StripeEvent.objects.filter(status="processed").values_list("attempts", flat=True)) == {1}
    assert len(applied) == len(set(applied)) == 2


def test_an_alert_that_cannot_be_written_fails_nothing_else(monkeypatch):
    monkeypatch.setattr(alerts, "_raise", away)
    with transaction.atomic():
        alerts.alert_staff("dead_events", "subject", "text")
        alerts.alert_staff("dead_events", "subject", "text")
    monkeypatch.undo()
    assert not Alert.objects.exists()


def test_nothing_of_ours_registers_a_hook_in_another_way():
    """Django's `robust` is none for a `partial`, and without it an error leaves the block that has committed."""
    calls = {
        str(path.relative_to(settings.BASE_DIR))
        for folder in OURS
        for path in (settings.BASE_DIR / folder).rglob("*.py")
        if "tests" not in path.parts and "on_commit" in _attributes(path)
    }
    assert calls == {"billing/after_commit.py"}


def _attributes(path):
    tree = ast.walk(ast.parse(path.read_text()))
    return {getattr(node, "attr", getattr(node, "id", None)) for node in tree}
