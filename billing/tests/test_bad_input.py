"""What cannot be is refused by page, API and admin, with a code or a sentence, and nothing is left half-done."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from billing.lifecycle import send_details
from billing.models import (
    Agreement,
    CheckoutAttempt,
    Customer,
    Discount,
    Plan,
    PlanChange,
    StripeWrite,
    Subscription,
)
from billing.setup.doctor import functions
from billing.tests.lifecycle.test_tax import nowhere
from billing.tests.taxed import BERLIN, bought, sell_with_tax

pytestmark = pytest.mark.django_db(transaction=True)

CHOICE = {"plan": "team", "interval": "month", "currency": "usd"}
LEFT = (Agreement, CheckoutAttempt, Discount, PlanChange, StripeWrite, Subscription)


@pytest.fixture
def staff(world):
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    names = ["discount_customer", "send_agreement", "view_agreement", "view_user", "view_customer", "change_plan"]
    bob.user_permissions.set(Permission.objects.filter(codename__in=[*names, "view_plan", "view_planlimit"]))
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def eve(world, client):
    """She has an account, and bought nothing yet."""
    user = world.sign_up("eve@example.com")
    client.force_login(user)
    return user


@pytest.fixture
def nothing_is_left(world):
    """Nothing is written by the test, here or in Stripe's list of subscriptions."""
    yield
    assert {model.__name__: model.objects.count() for model in LEFT} == dict.fromkeys((m.__name__ for m in LEFT), 0)
    assert world.stripe("GET", "subscriptions", status="all")["data"] == []


def words(answer):
    return " ".join(answer.content.decode().replace("&#x27;", "'").split())


def api(client, path, **body):
    answer = client.post(f"/api/v1/{path}", body, content_type="application/json")
    told = answer.json()
    assert told["detail"].endswith("."), told
    return answer.status_code, told["code"]


def agreement(staff, user, **terms):
    team = Plan.objects.get(slug="team").pk
    known = {"subscriber": user.pk, "plan": team, "interval": "month", "interval_count": "1", "days_until_due": "30",
             "key": "form", "reason": "agreed"}  # fmt: skip
    return staff.post("/admin/billing/agreement/add/", {**known, **terms})


def code(world, text, coupon, **rules):
    off = world.stripe("POST", "coupons", **{"duration": "once", **coupon})["id"]
    return world.stripe("POST", "promotion_codes", code=text, promotion={"type": "coupon", "coupon": off}, **rules)[
        "id"
    ]


def test_terms_of_minus_one_day(world, staff, eve, nothing_is_left):
    answer = agreement(staff, eve, days_until_due="-1")
    assert (answer.status_code, "An invoice is due in 1 to 365 days." in words(answer)) == (400, True)
    asked = {"subscriber": str(eve.pk), "plan": "team", "key": "k", "days_until_due": -1}
    assert api(staff, "agreements", **asked) == (400, "days_out_of_range")


def test_a_code_that_is_spent(world, staff, eve, client, nothing_is_left):
    spent = code(world, "SPENT", {"percent_off": 50}, max_redemptions=1)
    world.stripe("POST", f"promotion_codes/{spent}", active=False)
    assert "This code has expired or has been used up." in words(client.get("/?code=SPENT"))
    assert api(client, "subscriptions/checkout", **CHOICE, promotion_code="SPENT") == (400, "promotion_code_expired")
    answer = agreement(staff, eve, discount="SPENT")
    assert (answer.status_code, "no valid coupon or promotion code SPENT" in words(answer)) == (400, True)


def test_a_coupon_in_another_currency(world, staff, eve, client, nothing_is_left):
    code(world, "EUROS", {"amount_off": 500, "currency": "eur"})
    assert "not for payments in USD, but in EUR" in words(client.get("/?code=EUROS&currency=usd"))
    asked = {**CHOICE, "promotion_code": "EUROS"}
    assert api(client, "subscriptions/checkout", **asked) == (400, "promotion_code_other_currency")
    answer = agreement(staff, eve, discount="EUROS")
    assert (answer.status_code, "takes nothing off in USD, but in EUR" in words(answer)) == (400, True)


def test_a_coupon_in_another_currency_for_a_live_subscription(world, staff):
    ada = world.subscribed()
    code(world, "EUROS", {"amount_off": 500, "currency": "eur"})
    given = {"subscription": ada.subscription, "coupon": "EUROS", "reason": "they asked"}
    answer = staff.post(f"/admin/billing/customer/{ada.customer}/do/discount/", given)
    assert (answer.status_code, "takes nothing off in USD, but in EUR" in words(answer)) == (409, True)
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["discounts"] == []


def three_years(subscriber, plan):
    return 1095


def test_a_trial_past_two_years(world, staff, eve, client, settings, nothing_is_left):
    answer = agreement(staff, eve, trial_days="731")
    assert (answer.status_code, "A trial may last 0 to 730 days" in words(answer)) == (400, True)
    asked = {"subscriber": str(eve.pk), "plan": "team", "key": "k", "trial_days": 731}
    assert api(staff, "agreements", **asked) == (400, "trial_out_of_range")
    settings.BILLING_TRIAL_DAYS = f"{__name__}.three_years"
    assert "free trial" not in words(client.get("/"))
    page = client.post("/billing/checkout", CHOICE)
    assert page.status_code >= 400
    assert "Nothing was charged" in words(page) or "nothing was charged" in words(page)
    client.raise_request_exception = False
    assert api(client, "subscriptions/checkout", **CHOICE) == (500, "trial_too_long")


def details(subscriber):
    return {"tax_id_data": [{"type": "eu_vat", "value": "12"}], "address": BERLIN}


def test_a_tax_id_of_a_wrong_form_from_the_project(world, eve, client, settings):
    """It is left out, since nobody is kept from buying by it, the rest is sent, and staff are told."""
    settings.BILLING_CUSTOMER_DETAILS = f"{__name__}.details"
    answer = client.post("/api/v1/subscriptions/checkout", CHOICE, content_type="application/json")
    assert answer.status_code == 201
    made = world.stripe("GET", f"customers/{Customer.objects.get().pk}", expand=["tax_ids"])
    assert (made["address"]["country"], made["tax_ids"]["data"]) == ("DE", [])
    [noted] = StripeWrite.objects.filter(action="update_customer")
    assert noted.refused_at


def of_nowhere(subscriber):
    return {"email": subscriber.email, "address": {**BERLIN, "country": "QQ"}, "name": "Eve"}


def test_an_unknown_country_from_the_project(world, eve, client, settings):
    """As with the tax id: nobody is kept from buying, the rest is sent, staff and the doctor say what to write."""
    settings.BILLING_CUSTOMER_DETAILS = f"{__name__}.of_nowhere"
    answer = client.post("/api/v1/subscriptions/checkout", CHOICE, content_type="application/json")
    assert answer.status_code == 201
    made = world.stripe("GET", f"customers/{Customer.objects.get().pk}")
    assert (made["address"], made["name"]) == (None, "Eve")
    [noted] = StripeWrite.objects.filter(action="update_customer")
    assert "There is no country 'QQ': write the two letters of ISO 3166, such as DE." in noted.error_message
    [found] = functions.customer_details()
    assert "There is no country 'QQ'" in found.text


COUNTRIES = {"DE": True, "gb": True, "": True, None: True, "XK": True, "QQ": False, "Germany": False, "EU": False}


@pytest.mark.parametrize(("country", "is_one"), [*COUNTRIES.items(), (49, False)])
def test_what_is_a_country(country, is_one):
    assert (send_details.wrong_country("address", {"country": country}) == "") == is_one
    assert (send_details.wrong_country("shipping", {"address": {"country": country}}) == "") == is_one
    assert send_details.wrong_country("metadata", {"country": country}) == ""


def test_an_unknown_country_where_tax_needs_one(world, staff, settings, client):
    sell_with_tax(world, settings)
    ada = bought(world, plan="pro")
    nowhere(world, ada)
    client.force_login(ada.user)
    asked = {"plan": "team", "interval": "month"}
    assert api(client, "subscriptions/preview", **asked) == (409, "tax_address_needed")
    assert api(client, "subscriptions/change", **asked) == (409, "tax_address_needed")
    page = client.get("/billing/change?plan=team&interval=month", follow=True)
    assert "we have no address of yours with a known country" in words(page)
    assert Subscription.objects.get().plan.slug == "pro"
    other = world.sign_up("nowhere@example.com")
    asked = {"subscriber": str(other.pk), "plan": "team", "key": "k", "send": True}
    assert api(staff, "agreements", **asked) == (409, "tax_address_needed")
    assert Agreement.objects.get().status == "refused"
    assert not Subscription.objects.filter(customer__subscriber=other).exists()
