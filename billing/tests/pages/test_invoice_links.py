"""The link in a mail: fresh whenever it is followed, and of no use to a stranger."""

import pytest
from django.core.cache import cache

from billing.lifecycle import invoice_links
from billing.models import Payment

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def invoice(world):
    world.subscribed()
    return Payment.objects.get().invoice_id


def test_it_leads_to_stripes_page_as_it_is_now_without_signing_in(client, world, invoice):
    found = world.stripe("GET", f"invoices/{invoice}")
    page, pdf = invoice_links.page_of(invoice), invoice_links.pdf_of(invoice)
    assert client.get(page).url == found["hosted_invoice_url"]
    assert client.get(pdf).url == found["invoice_pdf"]


def test_an_invoice_cannot_be_guessed(client, invoice):
    page = invoice_links.page_of(invoice)
    other = page.replace(invoice, "in_another")
    assert other != page
    assert [client.get(path).status_code for path in (other, f"/billing/pay/{invoice}")] == [404, 404]


def test_without_stripe_it_asks_to_come_back(client, settings, invoice):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    answer = client.get(invoice_links.page_of(invoice))
    assert (answer.status_code, b"in a moment" in answer.content) == (503, True)


def test_an_invoice_stripe_does_not_know_is_not_found(client):
    assert client.get(invoice_links.page_of("in_gone")).status_code == 404


def test_it_is_not_followed_for_ever(client, invoice):
    cache.clear()
    page = invoice_links.page_of(invoice)
    answers = [client.get(page).status_code for _ in range(31)]
    assert (answers[0], answers[-1]) == (302, 429)


def test_visitors_of_one_address_do_not_slow_each_other_down(client, invoice):
    cache.clear()
    others = [invoice_links.page_of(f"in_another{number}") for number in range(31)]
    assert {client.get(page).status_code for page in others} == {404}
    assert client.get(invoice_links.page_of(invoice)).status_code == 302


def test_a_visitor_without_an_address_is_led_on(client, invoice):
    """So does a server say that listens on a Unix socket."""
    assert client.get(invoice_links.page_of(invoice), REMOTE_ADDR="").status_code == 302


def test_what_the_project_wants_on_invoices_stands_on_the_first_one(settings, world):
    fields = [{"name": "VAT", "value": "DE 123"}]
    settings.BILLING_INVOICE = {"footer": "Acme Ltd", "memo": "Acme Cloud", "custom_fields": fields}
    ben = world.subscribed(email="ben@example.com")
    sub = world.stripe("GET", f"subscriptions/{ben.subscription}")
    invoice = world.stripe("GET", f"invoices/{sub['latest_invoice']}")
    assert (invoice["footer"], invoice["custom_fields"], sub["description"]) == ("Acme Ltd", fields, "Acme Cloud")
