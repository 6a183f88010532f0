"""Staff reads the history of events, and sends one through again: who may see and do what, and at which cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.conf import conf
from billing.models import Customer, StripeEvent

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


def member_of_staff(email: str, *permissions: str) -> Client:
    user = get_user_model().objects.create_user(email=email, password=None, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="billing"))
    client = Client()
    client.force_login(user)
    return client


def customer(key: str, email: str = "") -> Customer:
    payer = get_user_model().objects.create_user(email=email, password=None) if email else None
    return Customer.objects.create(id=key, subscriber=payer, email=email)


@pytest.fixture
def reader() -> Client:
    return member_of_staff("reader@example.com", "view_stripeevent")


@pytest.fixture
def operator() -> Client:
    return member_of_staff("operator@example.com", "view_stripeevent", "replay_stripeevent", "view_payload")


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
