"""Staff mark events as handled."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from billing.events import ledger
from billing.models import StripeEvent
from billing.monitoring import health

from .test_event_filters import found_by
from .test_events import LIST, Status, an_event, member_of_staff, page_of

pytestmark = pytest.mark.django_db


def handled_at(event: StripeEvent) -> str:
    return reverse("admin:billing_stripeevent_mark_as_handled", args=[quote(event.pk)])


@pytest.fixture
def reader() -> Client:
    return member_of_staff("reader@example.com", "view_stripeevent")


@pytest.fixture
def operator() -> Client:
    return member_of_staff("operator@example.com", "view_stripeevent", "handle_stripeevent", "export_stripeevent")


def test_a_dead_event_marked_as_handled_is_dead_no_more_for_health_and_is_logged(operator):
    event = an_event(status=Status.DEAD, attempts=7)
    assert health.backlog().dead_events == 1
    answer = operator.post(handled_at(event), follow=True)
    assert "1 event was marked as handled." in answer.content.decode()
    assert health.backlog().dead_events == 0
    assert LogEntry.objects.get(object_id=event.pk).change_message == "Marked as handled"
    assert found_by(operator, status__exact="dead") == set()
    assert found_by(operator, status__exact="handled") == {event.pk}


def test_a_failed_event_marked_as_handled_is_tried_no_more_and_only_a_replay_takes_it_back(operator):
    event = an_event(status=Status.FAILED, attempts=1)
    operator.post(LIST, {"action": "mark_as_handled", "_selected_action": [event.pk]})
    event.refresh_from_db()
    assert (event.status, event.next_attempt_at) == (Status.DEAD, None)
    assert not StripeEvent.objects.waiting().exists()
    ledger.replay([event.pk])
    event.refresh_from_db()
    assert (event.status, event.handled_at) == (Status.RECEIVED, None)


def test_what_was_processed_cannot_be_marked_as_handled(operator):
    event = an_event(status=Status.PROCESSED)
    answer = operator.post(handled_at(event), follow=True)
    assert "0 events were marked as handled." in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_staff_without_the_permission_cannot_mark_as_handled(reader):
    event = an_event(status=Status.DEAD)
    assert "Mark as handled" not in reader.get(page_of(event)).content.decode()
    assert reader.post(handled_at(event)).status_code == 403
    reader.post(LIST, {"action": "mark_as_handled", "_selected_action": [event.pk]})
    event.refresh_from_db()
    assert event.handled_at is None
