"""`setup_stripe` says at Stripe whether prices include tax, once, and never changes what others made."""

from io import StringIO

import pytest
from django.core.management import call_command

from billing.catalogue import definitions
from billing.models import Price
from billing.setup import account, publishing, taxing
from billing.setup.doctor import tax as doctor
from billing.tests.taxed import AUTOMATIC, sell_with_tax

pytestmark = pytest.mark.django_db(transaction=True)


def setup():
    out = StringIO()
    call_command("setup_stripe", "--yes", stdout=out)
    return out.getvalue()


def prices():
    return list(publishing.existing_of_ours().values())


def levels(check):
    return {finding.level for finding in check()}


def test_prices_of_before_are_told_once_in_every_currency_and_our_rows_know(world, settings):
    assert {behavior for price in prices() for behavior in taxing.behaviors_of(price)} == {"unspecified"}
    ids = {price["id"] for price in prices()}
    sell_with_tax(world, settings)
    assert {behavior for price in prices() for behavior in taxing.behaviors_of(price)} == {"inclusive"}
    assert {price["id"] for price in prices()} == ids
    assert {price["product"]["tax_code"] for price in prices()} == {"txcd_10103001"}
    assert set(Price.objects.values_list("tax_behavior", flat=True)) == {"inclusive"}
    assert "eur" in prices()[0]["currency_options"]
    assert "how" not in " ".join(change.text for change in account.changes())


def codes_by_plan():
    return {price["product"]["metadata"]["billing_plan"]: price["product"]["tax_code"] for price in prices()}


def test_a_plan_may_have_a_tax_code_of_its_own_which_is_told_and_looked_for(world, settings):
    sell_with_tax(world, settings, **{**AUTOMATIC, "codes": {"team": "txcd_10302000"}})
    assert codes_by_plan() == {"pro": "txcd_10103001", "team": "txcd_10302000"}
    assert levels(doctor.tax_of_prices) == set()
    settings.BILLING_TAX = {**AUTOMATIC, "codes": {"pro": "txcd_10302000", "team": "txcd_10302000"}}
    [found] = doctor.tax_of_prices()
    assert (found.level, found.text.endswith("has not the tax code of BILLING_TAX.")) == ("warning", True)
    setup()
    assert codes_by_plan() == {"pro": "txcd_10302000", "team": "txcd_10302000"}


def test_only_the_plan_that_is_named_gets_a_code_if_there_is_none_for_all(world, settings):
    before = codes_by_plan()
    sell_with_tax(world, settings, behavior="inclusive", codes={"team": "txcd_10302000"})
    assert codes_by_plan() == {**before, "team": "txcd_10302000"}


def test_amounts_in_other_currencies_stay_as_they_were(world, settings):
    before = {price["id"]: price["currency_options"] for price in prices()}
    sell_with_tax(world, settings)
    for price in prices():
        amounts = {currency: option["unit_amount"] for currency, option in price["currency_options"].items()}
        assert amounts == {currency: option["unit_amount"] for currency, option in before[price["id"]].items()}


def test_a_price_that_says_the_opposite_is_left_to_staff_where_they_own_the_plans(world, settings):
    sell_with_tax(world, settings)
    settings.BILLING_TAX = {**AUTOMATIC, "behavior": "exclusive"}
    before = {price["id"] for price in prices()}
    setup()
    assert {price["id"] for price in prices()} == before
    assert levels(doctor.tax_of_prices) == {"error"}


def test_a_price_that_says_the_opposite_is_replaced_where_the_settings_define_the_plans(world, settings):
    settings.BILLING_PLANS = [
        {"slug": "free", "name": "Free"},
        {"slug": "pro", "name": "Pro", "prices": {"month": {"eur": 1900}}},
    ]
    definitions.update_plans()
    sell_with_tax(world, settings)
    [before] = prices()
    settings.BILLING_TAX = {**AUTOMATIC, "behavior": "exclusive"}
    setup()
    [after] = prices()
    assert after["id"] != before["id"]
    assert after["tax_behavior"] == "exclusive"


def test_what_others_made_is_only_read(world, settings):
    settings.BILLING_TAX = AUTOMATIC
    theirs = {"id": "price_theirs", "active": True, "metadata": {}, "product": {"id": "prod_1", "metadata": {}}}
    assert (taxing.unsaid([theirs]), taxing.without_code([theirs])) == ([], [])


def test_the_portal_edits_tax_ids_where_they_are_asked_for(world, settings):
    sell_with_tax(world, settings)
    [ours] = [row for row in world.stripe("GET", "billing_portal/configurations")["data"] if row["metadata"]]
    assert set(ours["features"]["customer_update"]["allowed_updates"]) == {"address", "email", "name", "tax_id"}


def test_the_doctor_is_silent_without_the_setting_and_content_with_it(world, settings):
    assert [finding for check in doctor.CHECKS for finding in check()] == []
    sell_with_tax(world, settings)
    [found] = [finding for check in doctor.CHECKS for finding in check()]
    assert (found.level, found.text) == ("ok", "Stripe Tax is active, with registrations in DE, FR.")


def test_the_doctor_says_that_stripe_tax_is_not_set_up(world, settings):
    sell_with_tax(world, settings)
    world.control("tax", status="pending")
    [found] = doctor.stripe_tax()
    assert (found.level, "head_office" in found.text) == ("error", True)


def test_the_doctor_says_that_the_account_is_registered_nowhere(world, settings):
    sell_with_tax(world, settings)
    world.control("tax", rates=[])
    assert levels(doctor.stripe_tax) == {"warning"}


def test_the_doctor_names_tax_rates_that_are_missing_archived_or_contradict_the_prices(world, settings):
    good, other, archived = (
        world.stripe("POST", "tax_rates", display_name="VAT", percentage=19, inclusive=inclusive)["id"]
        for inclusive in (True, False, True)
    )
    world.stripe("POST", f"tax_rates/{archived}", active=False)
    for rate, level in {good: "ok", other: "error", archived: "error", "txr_none": "error"}.items():
        settings.BILLING_TAX = {"rates": [rate], "behavior": "inclusive"}
        assert levels(doctor.tax_rates) == {level}, rate
