"""Staff process events again."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse

from billing.models import Lane, StripeEvent

from .test_events import LIST, Status, an_event, member_of_staff, page_of

pytestmark = pytest.mark.django_db


def again_at(event: StripeEvent) -> str:
    return reverse("admin:billing_stripeevent_process_again", args=[quote(event.pk)])


@pytest.fixture
def reader() -> Client:
    return member_of_staff("reader@example.com", "view_stripeevent")


@pytest.fixture
def operator() -> Client:
    return member_of_staff("operator@example.com", "view_stripeevent", "replay_stripeevent", "view_payload")


def test_a_dead_event_is_set_to_go_again_from_its_page(operator):
    event = an_event(status=Status.DEAD, attempts=7, error_message="oops")
    answer = operator.post(again_at(event), follow=True)
    event.refresh_from_db()
    assert (event.status, event.source, event.attempts) == (Status.RECEIVED, "replay", 0)
    assert Lane.objects.get(key="cus_alice").arrived == 1
    assert "1 event will be processed again." in answer.content.decode()


def test_chosen_events_are_set_to_go_again_from_the_list(operator):
    chosen = [an_event(number, status=Status.FAILED).pk for number in (1, 2)]
    an_event(3, status=Status.FAILED, attempts=4)
    answer = operator.post(LIST, {"action": "process_again", "_selected_action": chosen}, follow=True)
    assert set(StripeEvent.objects.filter(status=Status.RECEIVED).values_list("pk", flat=True)) == set(chosen)
    assert "2 events will be processed again." in answer.content.decode()


def test_who_asked_is_logged(operator):
    event = an_event(status=Status.DEAD)
    operator.post(again_at(event))
    entry = LogEntry.objects.get(object_id=event.pk)
    assert (entry.user.email, entry.change_message) == ("operator@example.com", "Processed again")


def test_an_event_of_the_other_mode_is_left_out_and_said_so(operator):
    event = an_event(livemode=True, status=Status.IGNORED)
    answer = operator.post(again_at(event), follow=True)
    event.refresh_from_db()
    assert event.status == Status.IGNORED
    assert "0 events will be processed again." in answer.content.decode()


def test_staff_without_the_permission_is_offered_no_replay(reader, operator):
    event = an_event(status=Status.DEAD)
    for page in (LIST, page_of(event)):
        assert "Process again" in operator.get(page).content.decode()
        assert "Process again" not in reader.get(page).content.decode()


def test_staff_without_the_permission_cannot_replay(reader):
    event = an_event(status=Status.DEAD)
    assert reader.post(again_at(event)).status_code == 403
    reader.post(LIST, {"action": "process_again", "_selected_action": [event.pk]})
    event.refresh_from_db()
    assert event.status == Status.DEAD


def test_a_replay_is_never_a_get(operator):
    assert operator.get(again_at(an_event())).status_code == 405


def test_a_stranger_is_sent_to_the_login(client):
    event = an_event()
    for page in (LIST, page_of(event), again_at(event)):
        assert "/admin/login/" in client.get(page).url
