"""BILLING_TAX: Checkout asks where the buyer is, and every invoice from then on bears the tax of that place."""

import pytest

from billing.lifecycle import change, checkout, invoices, previews
from billing.lifecycle.refusals import TaxAddressNeeded
from billing.models import CheckoutAttempt, Invoice
from billing.stripe_client import TaxIdInvalid
from billing.tests.taxed import AUTOMATIC, BERLIN, FRENCH_ID, PARIS, bought, buy, latest_invoice, sell_with_tax

pytestmark = pytest.mark.django_db(transaction=True)


def at_stripe(world, subscriber):
    return world.stripe("GET", f"subscriptions/{subscriber.subscription}")


def test_a_session_asks_for_address_and_tax_id_and_keeps_them_on_the_customer(world, settings):
    sell_with_tax(world, settings)
    attempt = checkout.start(world.sign_up(), "pro", "month", "eur")
    session = world.stripe("GET", f"checkout/sessions/{attempt.session_id}")
    assert session["automatic_tax"]["enabled"]
    assert session["tax_id_collection"]["enabled"]
    assert session["billing_address_collection"] == "required"


def test_who_pays_in_berlin_pays_german_tax_within_the_price_now_and_at_the_renewal(world, settings):
    sell_with_tax(world, settings)
    ada = bought(world)
    assert world.stripe("GET", f"customers/{ada.customer}")["address"]["country"] == "DE"
    row = Invoice.objects.get(customer=ada.customer)
    assert (row.net, row.tax, row.total) == (1597, 303, 1900)
    world.advance(days=32)
    world.deliver()
    assert [(each.net, each.tax) for each in Invoice.objects.filter(customer=ada.customer)] == [(1597, 303)] * 2


def test_exclusive_prices_have_the_tax_on_top(world, settings):
    sell_with_tax(world, settings, **{**AUTOMATIC, "behavior": "exclusive"})
    ada = bought(world)
    row = Invoice.objects.get(customer=ada.customer)
    assert (row.net, row.tax, row.total) == (1900, 361, 2261)


def test_a_business_in_france_is_charged_in_reverse_which_the_invoice_says(world, settings):
    sell_with_tax(world, settings)
    world.control("tax", reverse_charge="given")
    ada = bought(world, address=PARIS, tax_id=FRENCH_ID)
    row = Invoice.objects.get(customer=ada.customer)
    assert (row.tax, row.is_reverse_charged) == (0, True)
    [shown] = invoices.invoices_of(ada.user).invoices
    assert (shown.net, shown.tax, shown.is_reverse_charged) == (1900, 0, True)


def test_rates_by_hand_are_on_the_first_invoice_and_on_the_renewal(world, settings):
    rate = world.stripe("POST", "tax_rates", display_name="VAT", percentage=19, inclusive=False)["id"]
    sell_with_tax(world, settings, rates=[rate])
    ada = bought(world, name="", address={})
    world.advance(days=32)
    world.deliver()
    assert [(each.net, each.tax) for each in Invoice.objects.filter(customer=ada.customer)] == [(1900, 361)] * 2


def test_without_the_setting_nothing_is_asked_and_nothing_taxed(world):
    attempt = checkout.start(world.sign_up(), "pro", "month")
    session = world.stripe("GET", f"checkout/sessions/{attempt.session_id}")
    assert not session["automatic_tax"]["enabled"]
    assert session["billing_address_collection"] is None


def test_an_open_session_from_before_the_setting_is_not_used_again(world, settings):
    user = world.sign_up()
    before = checkout.start(user, "pro", "month", "eur")
    sell_with_tax(world, settings)
    after = checkout.start(user, "pro", "month", "eur")
    assert after.session_id != before.session_id
    assert world.stripe("GET", f"checkout/sessions/{before.session_id}")["status"] == "expired"
    assert checkout.start(user, "pro", "month", "eur").session_id == after.session_id


@pytest.mark.parametrize("wrong", [{"country": "Germany"}, {"country": "US"}, {"country": "ZZZ", "postal_code": "1"}])
def test_an_unknown_place_is_refused_at_checkout_and_the_session_stays_open(world, settings, wrong):
    sell_with_tax(world, settings)
    attempt = checkout.start(world.sign_up(), "pro", "month", "eur")
    with pytest.raises(ValueError, match=r"isn't recognized|country|required"):
        world.control(
            f"checkout/{attempt.session_id}/complete",
            payment_method="pm_card_visa",
            name="Ada",
            address={"line1": "Street 1", "city": "Town", **wrong},
        )
    session = world.stripe("GET", f"checkout/sessions/{attempt.session_id}")
    assert (session["status"], session["subscription"]) == ("open", None)
    assert CheckoutAttempt.objects.get().status == "open"


def test_a_tax_id_of_a_wrong_form_is_refused_at_checkout_and_nothing_is_kept(world, settings):
    sell_with_tax(world, settings)
    with pytest.raises(ValueError, match="eu_vat"):
        buy(world, tax_id={"type": "eu_vat", "value": "12"})
    customer = world.stripe("GET", "customers")["data"][0]
    assert world.stripe("GET", f"customers/{customer['id']}/tax_ids")["data"] == []
    assert world.stripe("GET", "subscriptions", customer=customer["id"])["data"] == []


def test_a_preview_shows_net_tax_and_what_is_due(world, settings):
    sell_with_tax(world, settings)
    ada = bought(world)
    found = previews.preview(ada.user, "team", "month")
    assert found.tax > 0
    assert found.net + found.tax == found.amount_due
    assert not found.is_reverse_charged


def test_a_preview_for_who_is_nowhere_is_refused_with_a_code_of_its_own(world, settings, client):
    sell_with_tax(world, settings)
    ada = bought(world)
    nowhere(world, ada)
    with pytest.raises(TaxAddressNeeded):
        previews.preview(ada.user, "team", "month")
    client.force_login(ada.user)
    body = {"plan": "team", "interval": "month"}
    answer = client.post("/api/v1/subscriptions/preview", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "tax_address_needed")
    assert "Card and address" in answer.json()["detail"]
    page = client.get("/billing/change?plan=team&interval=month")
    assert (page.status_code, page["Location"]) == (302, "/billing/")
    assert "Card and address" in client.get("/billing/").content.decode()
    assert ada.row.plan.slug == "pro"


def test_a_change_for_who_is_nowhere_is_refused_and_changes_nothing(world, settings, client):
    sell_with_tax(world, settings)
    ada = bought(world)
    at = previews.preview(ada.user, "team", "month").proration_date
    nowhere(world, ada)
    with pytest.raises(TaxAddressNeeded):
        change.change(ada.user, "team", "month", at)
    client.force_login(ada.user)
    body = {"plan": "team", "interval": "month", "proration_date": at}
    answer = client.post("/api/v1/subscriptions/change", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "tax_address_needed")
    world.deliver()
    assert ada.row.plan.slug == "pro"


def nowhere(world, subscriber):
    """Take the address away, as somebody may in the Dashboard."""
    world.stripe("POST", f"subscriptions/{subscriber.subscription}", automatic_tax={"enabled": False})
    world.stripe("POST", f"customers/{subscriber.customer}", address="")
    state = world.sandbox.state
    state.get("subscription", subscriber.subscription)["automatic_tax"]["enabled"] = True
    for method in state.table("payment_method").where("customer", subscriber.customer):
        method["billing_details"]["address"] = dict.fromkeys(BERLIN)


def test_a_wrong_tax_id_has_an_error_of_its_own(world):
    ada = world.subscribe()
    with pytest.raises(TaxIdInvalid):
        world.stripe("POST", f"customers/{ada.customer}/tax_ids", type="eu_vat", value="12")


def test_a_change_at_the_end_of_the_period_keeps_automatic_tax(world, settings):
    sell_with_tax(world, settings)
    ada = bought(world, plan="team")
    world.advance(days=15)
    world.deliver()
    change.change(ada.user, "pro", "month")
    world.deliver()
    world.advance(days=32)
    world.deliver()
    assert ada.row.plan.slug == "pro"
    assert at_stripe(world, ada)["automatic_tax"]["enabled"]
    assert latest_invoice(world, ada)["total_taxes"][0]["amount"] == 303


def test_a_change_at_the_end_of_the_period_keeps_rates_by_hand(world, settings):
    rate = world.stripe("POST", "tax_rates", display_name="VAT", percentage=19, inclusive=True)["id"]
    sell_with_tax(world, settings, rates=[rate], behavior="inclusive")
    ada = bought(world, plan="team", name="", address={})
    world.advance(days=15)
    world.deliver()
    change.change(ada.user, "pro", "month")
    world.deliver()
    world.advance(days=32)
    world.deliver()
    assert [each["id"] for each in at_stripe(world, ada)["default_tax_rates"]] == [rate]
    assert latest_invoice(world, ada)["total_taxes"][0]["amount"] == 303


def test_the_mrr_is_net_of_the_tax_within_the_price(world, settings):
    sell_with_tax(world, settings)
    world.control("tax", reverse_charge="given")
    ada = bought(world)
    business = bought(world, "eve@example.com", address=PARIS, tax_id=FRENCH_ID)
    assert (ada.row.mrr, business.row.mrr) == (1597, 1900)


def test_the_mrr_of_exclusive_prices_is_the_price(world, settings):
    sell_with_tax(world, settings, **{**AUTOMATIC, "behavior": "exclusive"})
    assert bought(world).row.mrr == 1900
