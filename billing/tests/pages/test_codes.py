"""A code in a link is shown with what it saves and carried to Checkout. One that is no good stops no sale."""

import re

import pytest

from billing import rates
from billing.models import CheckoutAttempt

pytestmark = pytest.mark.django_db
CHOICE = {"plan": "pro", "interval": "month", "currency": "usd"}


def text(answer):
    return " ".join(re.sub("<[^>]*>", " ", answer.content.decode()).split()).replace("&#x27;", "'")


@pytest.fixture
def half(world):
    return make(world, "HALF", percent_off=50, duration="repeating", duration_in_months=3)


def make(world, code, **terms):
    coupon = world.stripe("POST", "coupons", **terms)
    return world.stripe("POST", "promotion_codes", code=code, promotion={"type": "coupon", "coupon": coupon["id"]})


def test_the_price_page_shows_what_a_code_saves_and_carries_it(world, client, half):
    page = client.get("/?code=half")
    assert "Your code HALF gives you 50% off" in text(page)
    assert "$10 with HALF for the first 3 months, then $20 per month" in text(page)
    assert "code%3DHALF" in page.content.decode()
    assert "&amp;code=HALF" in page.content.decode()


def test_choosing_presets_the_code(world, client, half):
    client.force_login(world.sign_up())
    assert 'name="code" value="HALF"' in client.get("/?code=HALF").content.decode()
    assert "With HALF $10 for the first 3 months" in text(client.get("/billing/checkout", {**CHOICE, "code": "HALF"}))
    answer = client.post("/billing/checkout", {**CHOICE, "code": "HALF"})
    attempt = CheckoutAttempt.objects.get()
    assert (answer.status_code, answer["Location"], attempt.promotion_code) == (302, attempt.url, half["id"])


@pytest.mark.parametrize("code", ["NOPE", "%00", "a b", "x" * 500])
def test_a_code_that_is_no_good_is_named_and_every_plan_is_sold(world, client, code):
    page = client.get("/", {"code": code})
    assert page.status_code == 200
    assert "We don't recognise this code" in text(page)
    assert "$20 / month" in text(page)
    assert 'name="code"' not in page.content.decode()


def test_the_sale_goes_on_without_a_code_that_is_no_good_once_the_buyer_has_read_so(world, client):
    client.force_login(world.sign_up())
    answer = client.post("/billing/checkout", {**CHOICE, "code": "NOPE"})
    assert answer.status_code == 400
    assert "without a discount" in text(answer)
    assert 'name="code"' not in answer.content.decode()
    assert not CheckoutAttempt.objects.exists()
    assert client.post("/billing/checkout", CHOICE).status_code == 302


def test_a_code_of_another_currency_says_so_on_the_card(world, client):
    make(world, "FIVE", amount_off=500, currency="usd", duration="once")
    assert "$15 with FIVE for the first month, then $20 per month" in text(client.get("/?code=FIVE&currency=usd"))
    assert "not for payments in EUR, but in USD" in text(client.get("/?code=FIVE&currency=eur"))


def test_while_stripe_is_down_the_code_is_carried_on_unchecked(world, client, half):
    with world.down():
        page = client.get("/?code=HALF")
    assert "We can't check the code" in text(page)
    assert "code%3DHALF" in page.content.decode()


def test_codes_are_not_tried_out_without_end(world, client, half, monkeypatch):
    monkeypatch.setattr(rates, "VISITORS_CODE_RATE", "2/h")
    for number in range(2):
        assert "We don't recognise this code" in text(client.get(f"/?code=TRY{number}"))
    assert "We can't check the code" in text(client.get("/?code=TRY3"))


# What is live


@pytest.fixture
def ada(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    return ada


def give(world, ada, **terms):
    coupon = world.stripe("POST", "coupons", **terms)
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=[{"coupon": coupon["id"]}])
    world.deliver()


def test_the_account_page_says_what_a_discount_saves_until_when_and_what_follows(world, ada, client):
    give(world, ada, percent_off=50, duration="repeating", duration_in_months=3, name="Sorry")
    page = text(client.get("/billing/"))
    assert "Discount 50% off (Sorry): saves $10.00 per month. From " in page
    assert ": $20.00 per month" in page


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"percent_off": 12.5, "duration": "forever"}, "12.5% off: saves $2.50 per month"),
        ({"amount_off": 500, "currency": "usd", "duration": "once"}, "$5 off: saves $5.00 on your next payment"),
        ({"percent_off": 100, "duration": "forever"}, "100% off: saves $20.00 per month"),
    ],
)
def test_every_kind_of_discount_is_put_in_words(world, ada, client, terms, words):
    give(world, ada, **terms)
    assert words in text(client.get("/billing/"))


def test_an_ended_discount_is_gone(world, ada, client):
    give(world, ada, percent_off=50, duration="forever")
    world.stripe("DELETE", f"subscriptions/{ada.subscription}/discount")
    world.deliver()
    assert "Discount" not in text(client.get("/billing/"))


@pytest.mark.parametrize("code", ["HALF", "NOPE"])
def test_a_link_with_a_code_says_to_who_has_a_plan_that_nothing_changes(ada, client, half, code):
    said = text(client.get("/", {"code": code}))
    assert "Promotion codes are for new subscriptions. Your plan and what you pay stay as they are." in said
    assert "gives you 50% off" not in said
    assert "Promotion codes are for" not in text(client.get("/"))
