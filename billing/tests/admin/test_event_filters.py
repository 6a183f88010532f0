"""Filters and the search find events."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from .test_events import LIST, Status, an_event, customer, member_of_staff

pytestmark = pytest.mark.django_db


def found_by(client: Client, **query: str) -> set[str]:
    return {event.pk for event in client.get(LIST, query).context["cl"].result_list}


@pytest.fixture
def reader() -> Client:
    return member_of_staff("reader@example.com", "view_stripeevent")


@pytest.mark.parametrize("term", ["evt_1", "in_1", "cus_alice", "evt_1, evt_9", "alice@example.com"])
def test_an_event_is_found_by_its_id_its_object_its_customer_or_the_subscribers_address(reader, term):
    customer("cus_alice", "alice@example.com")
    an_event(1)
    an_event(2, lane="cus_bob")
    assert found_by(reader, q=term) == {"evt_1"}


def test_a_pasted_list_of_ids_finds_them_all(reader):
    for number in (1, 2, 3):
        an_event(number, lane=f"cus_{number}")
    assert found_by(reader, q="evt_1,in_3 cus_2") == {"evt_1", "evt_2", "evt_3"}


@pytest.mark.parametrize(
    "query",
    [
        {"status__exact": "dead"},
        {"type": "charge.refunded"},
        {"source__exact": "sync"},
        {"livemode__exact": "1"},
        {"received_at__lt": "2020-01-01 00:00:00+00:00"},
    ],
)
def test_events_are_narrowed_by_state_type_source_mode_and_date(reader, query):
    an_event(1)
    long_ago = timezone.now() - timedelta(days=9000)
    odd = {
        "status": Status.DEAD,
        "type": "charge.refunded",
        "source": "sync",
        "livemode": True,
        "received_at": long_ago,
    }
    an_event(2, **odd)
    assert found_by(reader, **query) == {"evt_2"}


def test_the_type_filter_offers_every_type_there_is(reader):
    for number, name in enumerate(["invoice.paid", "charge.refunded", "invoice.paid"]):
        an_event(number, type=name)
    page = reader.get(LIST).content.decode()
    assert "?type=invoice.paid" in page
    assert "?type=charge.refunded" in page
