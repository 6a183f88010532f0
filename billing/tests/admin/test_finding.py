"""Finding who wrote: by whatever they or a colleague quote, and straight to the page that answers."""

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import Customer, StripeEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

FIND, LIST = "/admin/billing/customer/find/", "/admin/billing/customer/"


def found(client, asked):
    """Return where one who asks ends up."""
    return client.get(FIND, {"q": asked}, follow=True).redirect_chain[-1][0]


def test_whatever_stripe_calls_their_things_leads_to_the_subscribers_page(world, admin_client):
    ada, _ = world.subscribed(), world.subscribed(email="ben@example.com")
    charge = world.charge_of(ada)
    dispute = world.control("disputes", charge=charge["id"])
    world.deliver()
    page = f"{LIST}{ada.customer.replace('_', '_5F')}/change/"
    payment = ada.row.customer.payments.get()
    events = StripeEvent.objects.filter(lane=ada.customer)
    event, intent = events.first().pk, charge["payment_intent"]
    ids = (ada.customer, ada.row.stripe_id, payment.invoice_id, charge["id"], intent, dispute["id"], event)
    assert {asked: found(admin_client, f" {asked} ") for asked in (*ids, "ADA@example.com", "ada@")} == dict.fromkeys(
        (*ids, "ADA@example.com", "ada@"), page
    )
    events.delete()
    assert [found(admin_client, asked) for asked in ids[:-1]] == [page] * 6, "of pruned events nothing is needed"


def test_of_several_and_of_none_the_list_is_shown(admin_client):
    for name in ("ann", "anna"):
        Customer.objects.create(id=f"cus_{name}", email=f"{name}@example.com")
    assert found(admin_client, "ann") == f"{LIST}?q=ann"
    assert found(admin_client, "in_nobodys") == f"{LIST}?q=in_nobodys"
    assert found(admin_client, "\0") == f"{LIST}?q="
    assert "2 results" in admin_client.get(LIST, {"q": "ann"}).content.decode()


def test_an_address_is_not_taken_for_the_beginning_of_anothers(admin_client):
    for name, domain in (("ann", "example.co"), ("anne", "example.com")):
        Customer.objects.create(id=f"cus_{name}", email=f"ann@{domain}")
    assert found(admin_client, "ann@example.co") == f"{LIST}cus_5Fann/change/"
    assert found(admin_client, "ann@example") == f"{LIST}?q=ann%40example"


def test_who_has_an_account_and_never_bought_is_told_apart_from_who_is_nobody(admin_client):
    fay = get_user_model().objects.create_user("fay@example.com", "correct-horse-battery")
    told = "If they paid, they used another address"
    page = admin_client.get(FIND, {"q": "Fay@example.com"}, follow=True).content.decode()
    assert told in page
    assert f'<a href="/admin/accounts/user/{quote(fay.pk)}/change/">fay@example.com</a>' in page
    assert told not in admin_client.get(FIND, {"q": "nobody@example.com"}, follow=True).content.decode()


def test_who_may_not_see_customers_finds_none(client):
    bob = get_user_model().objects.create_user("bob@example.com", "correct-horse-battery", is_staff=True)
    client.force_login(bob)
    assert client.get(FIND, {"q": "cus_1"}).status_code == 403
    assert "Find a subscriber" not in client.get("/admin/").content.decode()


def test_it_asks_the_same_few_questions_however_many_events_name_the_object(admin_client):
    def questions():
        with CaptureQueriesContext(connection) as asked:
            assert found(admin_client, "in_1") == f"{LIST}cus_5F1/change/"
        return len(asked)

    Customer.objects.create(id="cus_1", email="ada@example.com")
    at = {"received_at": timezone.now(), "livemode": False, "lane": "cus_1", "object_id": "in_1", "payload": {}}
    StripeEvent.objects.create(id="evt_0", type="invoice.paid", created=1, status="processed", **at)
    questions()  # what a process asks once
    few = questions()
    for number in range(1, 20):
        StripeEvent.objects.create(id=f"evt_{number}", type="invoice.paid", created=1, status="processed", **at)
    assert questions() == few
