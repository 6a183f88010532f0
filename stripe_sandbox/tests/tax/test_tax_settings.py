"""The settings and registrations of Stripe Tax are those of the table; a head office that is missing is told."""

import pytest
import stripe

from ..conftest import Control


def test_an_account_that_is_set_up_is_active_and_registered_where_it_has_rates(client: stripe.StripeClient) -> None:
    settings = client.v1.tax.settings.retrieve()
    assert settings.status == "active"
    assert settings.head_office is not None
    assert settings.head_office.address.country == "DE"
    found = client.v1.tax.registrations.list({"status": "active", "limit": 100}).data
    assert [row.country for row in found] == ["CA", "DE", "FR", "IT", "US"]
    assert {row.status for row in found} == {"active"}


def test_without_a_head_office_it_is_pending(client: stripe.StripeClient, control: Control) -> None:
    control("/tax", {"status": "pending"})
    settings = client.v1.tax.settings.retrieve()
    assert settings.head_office is None
    assert settings.status_details.pending is not None
    assert settings.status_details.pending.missing_fields == ["head_office"]


@pytest.mark.parametrize("status", ["expired", "scheduled"])
def test_no_registration_has_ended_or_is_yet_to_come(client: stripe.StripeClient, status: str) -> None:
    assert client.v1.tax.registrations.list({"status": status}).data == []


def test_registrations_are_listed_page_by_page(client: stripe.StripeClient) -> None:
    page = client.v1.tax.registrations.list({"limit": 2})
    assert ([row.country for row in page.data], page.has_more) == (["CA", "DE"], True)


def test_another_status_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid status"):
        client.v1.tax.registrations.list({"status": "gone"})


def test_the_short_name_of_the_billing_address_is_taken_at_checkout(
    client: stripe.StripeClient, control: Control, priced, person
) -> None:
    wanted = {"mode": "subscription", "success_url": "https://example.com", "automatic_tax": {"enabled": True}}
    item = {"price": priced().id, "quantity": 1}
    session = client.v1.checkout.sessions.create({**wanted, "line_items": [item], "customer_email": "a@example.com"})
    done = control(f"/checkout/{session.id}/complete", {"address": {"line1": "Rue 1", "country": "FR"}})
    assert done["session"]["customer_details"]["address"]["country"] == "FR"
    assert done["session"]["total_details"]["amount_tax"] == 200
