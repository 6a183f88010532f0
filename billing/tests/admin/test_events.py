"""Staff reads the history of events, and sends one through again: who may see and do what, and at which cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.conf import conf
from billing.models import Customer, Lane, StripeEvent

pytestmark = pytest.mark.django_db

LIST = "/admin/billing/stripeevent/"
Status = StripeEvent.Status


def an_event(number: int = 1, **changed: Any) -> StripeEvent:
    facts: dict[str, Any] = {
        "id": f"evt_{number}",
        "type": "invoice.paid",
        "created": 1_800_000_000 + number,
        "received_at": timezone.now() - timedelta(seconds=number),
        "livemode": False,
        "api_version": conf.api_version,
        "object_id": f"in_{number}",
        "lane": "cus_alice",
        "payload": {"id": f"evt_{number}", "data": {"object": {"id": f"in_{number}"}}},
    }
    return StripeEvent.objects.create(**{**facts, **changed})


def page_of(event: StripeEvent) -> str:
    return reverse("admin:billing_stripeevent_change", args=[quote(event.pk)])


def again_at(event: StripeEvent) -> str:
    return reverse("admin:billing_stripeevent_process_again", args=[quote(event.pk)])


def member_of_staff(email: str, *permissions: str) -> Client:
    user = get_user_model().objects.create_user(email=email, password=None, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="billing"))
    client = Client()
    client.force_login(user)
    return client


def customer(key: str, email: str = "") -> Customer:
    payer = get_user_model().objects.create_user(email=email, password=None) if email else None
    return Customer.objects.create(id=key, subscriber=payer, email=email)


def found_by(client: Client, **query: str) -> set[str]:
    return {event.pk for event in client.get(LIST, query).context["cl"].result_list}


@pytest.fixture
def reader() -> Client:
    return member_of_staff("reader@example.com", "view_stripeevent")


@pytest.fixture
def operator() -> Client:
    return member_of_staff("operator@example.com", "view_stripeevent", "replay_stripeevent", "view_payload")


# Finding


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


def test_a_page_costs_the_same_queries_however_many_events_there_are(reader):
    customer("cus_alice", "alice@example.com")
    costs = []
    for numbers in (range(10), range(10, 300)):
        for number in numbers:
            an_event(number, status=[Status.DEAD, Status.PROCESSED][number % 2], error_message="oops")
        with CaptureQueriesContext(connection) as queries:
            reader.get(LIST)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_no_page_counts_the_whole_table(reader):
    an_event()
    with CaptureQueriesContext(connection) as queries:
        reader.get(LIST)
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT" in sql for sql in counts)


def test_the_list_reads_no_payload(reader):
    an_event()
    with CaptureQueriesContext(connection) as queries:
        reader.get(LIST)
    assert not any('"payload"' in query["sql"] for query in queries)


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "²"])
def test_a_senseless_page_number_is_no_error(reader, page):
    an_event()
    assert reader.get(LIST, {"p": page}, follow=True).status_code == 200


# Reading


def test_a_lane_of_a_customer_of_ours_leads_to_the_subscriber(reader):
    alice = customer("cus_alice")
    an_event()
    assert reverse("admin:billing_customer_change", args=[quote(alice.pk)]) in reader.get(LIST).content.decode()


def test_the_object_leads_to_stripes_dashboard_of_its_mode(reader):
    an_event(1)
    an_event(2, livemode=True)
    page = reader.get(LIST).content.decode()
    assert "https://dashboard.stripe.com/test/invoices/in_1" in page
    assert "https://dashboard.stripe.com/invoices/in_2" in page


def test_another_version_and_another_mode_are_marked(reader):
    an_event(1, api_version="2020-08-27", livemode=True)
    page = reader.get(LIST).content.decode()
    assert "other version" in page
    assert "live mode" in page


def test_the_error_of_a_dead_event_is_told_in_the_list_and_in_full_on_its_page(reader):
    event = an_event(status=Status.DEAD, error_message="Traceback (most recent call last)\nKeyError: 'items'")
    assert "KeyError: &#x27;items&#x27;" in reader.get(LIST).content.decode()
    assert "Traceback (most recent call last)" in reader.get(page_of(event)).content.decode()


def test_an_event_leads_to_its_neighbours_on_the_lane(reader):
    before, event, after = (an_event(number) for number in (1, 2, 3))
    other = an_event(4, lane="cus_bob", created=event.created)
    page = reader.get(page_of(event)).content.decode()
    assert page_of(before) in page
    assert page_of(after) in page
    assert page_of(other) not in page


def test_neighbours_of_the_same_second_are_told_apart_by_their_id(reader):
    first, second, third = (an_event(number, created=5) for number in (1, 2, 3))
    page = reader.get(page_of(second)).content.decode()
    assert page_of(first) in page
    assert page_of(third) in page


def test_an_id_that_looks_like_a_quoted_address_still_opens(reader):
    event = an_event(id="evt_3A5F_2F")
    neighbour = an_event(2)
    assert page_of(event) in reader.get(LIST).content.decode()
    assert page_of(event) in reader.get(page_of(neighbour)).content.decode()
    assert reader.get(page_of(event)).status_code == 200


def test_the_payload_is_escaped(operator):
    event = an_event(payload={"data": {"object": {"name": "<script>alert(1)</script>"}}})
    page = operator.get(page_of(event)).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_the_payload_is_there_only_for_who_may_see_it(reader, operator):
    event = an_event(payload={"secret_of_alice": 1})
    assert "secret_of_alice" in operator.get(page_of(event)).content.decode()
    assert "secret_of_alice" not in reader.get(page_of(event)).content.decode()


def test_the_address_cannot_filter_by_payload(reader):
    an_event(payload={"secret_of_alice": 1})
    assert reader.get(LIST, {"payload__secret_of_alice": "1"}).status_code == 400


def test_events_cannot_be_added_changed_or_deleted_even_by_a_superuser(client):
    client.force_login(get_user_model().objects.create_superuser(email="root@example.com", password=None))
    event = an_event()
    assert client.get(reverse("admin:billing_stripeevent_add")).status_code == 403
    assert client.post(page_of(event), {"status": "dead"}).status_code == 403
    assert (
        client.post(reverse("admin:billing_stripeevent_delete", args=[quote(event.pk)]), {"post": "yes"}).status_code
        == 403
    )


# Processing again


def test_a_dead_event_is_set_to_go_again_from_its_page(operator):
    event = an_event(status=Status.DEAD, attempts=7, error_message="oops")
    answer = operator.post(again_at(event), follow=True)
    event.refresh_from_db()
    assert (event.status, event.source, event.attempts) == (Status.RECEIVED, "replay", 0)
    assert Lane.objects.get(key="cus_alice").arrived == 1
    assert "1 event was set to go again." in answer.content.decode()


def test_chosen_events_are_set_to_go_again_from_the_list(operator):
    chosen = [an_event(number, status=Status.FAILED).pk for number in (1, 2)]
    an_event(3, status=Status.FAILED, attempts=4)
    answer = operator.post(LIST, {"action": "process_again", "_selected_action": chosen}, follow=True)
    assert set(StripeEvent.objects.filter(status=Status.RECEIVED).values_list("pk", flat=True)) == set(chosen)
    assert "2 events were set to go again." in answer.content.decode()


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
    assert "0 events were set to go again." in answer.content.decode()


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
