"""The pages about money, as a person without JavaScript meets them."""

import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from billing.models import CheckoutAttempt

pytestmark = pytest.mark.django_db
CHOICE = {"plan": "pro", "interval": "month", "currency": "usd"}


@pytest.fixture
def ada(world, client):
    user = world.sign_up()
    client.force_login(user)
    return user


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# Prices


def test_a_visitor_sees_every_plan_by_the_month(world, client):
    page = text(client.get("/"))
    assert all(words in page for words in ("$0 / month", "$20 / month", "$60 / month", "1,000 generations per month"))
    assert "14-day free trial" in page


def test_by_the_year_and_in_another_currency(world, client):
    page = text(client.get("/?interval=year&currency=eur"))
    assert "€190 / year" in page
    assert "€15.83 per month, billed yearly" in page
    assert "Save 2 months (16%)" in page


@pytest.mark.parametrize("query", ["?interval=fortnight&currency=nonsense", "?currency=%00", "?interval="])
def test_a_query_that_means_nothing_shows_the_usual_prices(world, client, query):
    assert "$20 / month" in text(client.get(f"/{query}"))


def test_a_private_plan_is_not_shown(world, client):
    from billing.models import Plan

    Plan.objects.filter(slug="team").update(is_public=False)
    assert "Team" not in text(client.get("/"))


def test_a_visitor_who_chooses_signs_up_and_lands_on_what_they_chose(world, client):
    link = re.search(r'href="(/accounts/signup/\?next=[^"]*pro[^"]*)"', client.get("/").content.decode()).group(1)
    answer = client.post(link, {"email": "new@example.com", "password": "correct-horse-battery"}, follow=True)
    assert answer.redirect_chain[0][0].startswith("/billing/checkout?plan=pro")
    assert "$20 per month" in text(answer)


def test_a_subscriber_sees_which_plan_is_theirs(world, client):
    client.force_login(world.subscribed().user)
    assert "Your plan" in text(client.get("/"))


# Checkout


def test_choosing_leads_to_stripes_page(ada, client):
    answer = client.post("/billing/checkout", CHOICE)
    assert (answer.status_code, answer["Location"]) == (302, CheckoutAttempt.objects.get().url)


def test_who_is_subscribed_is_led_to_the_change_of_plan(world, client):
    client.force_login(world.subscribed().user)
    answer = client.post("/billing/checkout", {**CHOICE, "plan": "team"}, follow=True)
    assert answer.redirect_chain[0][0] == "/billing/change?plan=team&interval=month"
    assert "Change your plan instead" in text(answer)
    assert "Due now $40.00" in text(answer)


def test_an_outage_says_so_and_offers_to_try_again(world, ada, client):
    world.control("faults", api={"fail_next": 20, "status": 500})
    answer = client.post("/billing/checkout", CHOICE)
    assert answer.status_code == 503
    assert "be charged twice" in text(answer)
    assert "Try again" in text(answer)


@pytest.mark.parametrize("plan", ["free", "gold", ""])
def test_what_is_not_for_sale_is_not_found(ada, client, plan):
    assert client.get("/billing/checkout", {"plan": plan}).status_code == 404


# Coming back


def test_coming_back_paid_welcomes_and_the_plan_is_there_at_once(world, client):
    ada = world.subscribe()
    client.force_login(ada.user)
    page = client.get(f"/billing/return?session_id={CheckoutAttempt.objects.get().session_id}")
    assert "Welcome to Pro" in text(page)
    assert ada.access.has_access
    assert "$20.00" in text(client.get("/billing/")).partition("Payments")[2]


def test_coming_back_unfinished_offers_to_go_on(ada, client):
    client.post("/billing/checkout", CHOICE)
    attempt = CheckoutAttempt.objects.get()
    page = client.get(f"/billing/return?session_id={attempt.session_id}")
    assert "The payment is not finished" in text(page)
    assert attempt.url in page.content.decode()


def test_coming_back_after_it_expired_says_that_nothing_was_charged(world, ada, client):
    client.post("/billing/checkout", CHOICE)
    session = CheckoutAttempt.objects.get().session_id
    world.stripe("POST", f"checkout/sessions/{session}/expire")
    assert "This checkout has expired" in text(client.get(f"/billing/return?session_id={session}"))


def test_coming_back_while_stripe_is_away_waits_instead_of_failing(world, client):
    ada = world.subscribe()
    client.force_login(ada.user)
    world.control("faults", api={"fail_next": 20, "status": 500})
    page = client.get(f"/billing/return?session_id={CheckoutAttempt.objects.get().session_id}")
    assert (page.status_code, "being processed" in text(page)) == (200, True)


def test_another_persons_session_is_not_found(world, client):
    world.subscribe()
    session = CheckoutAttempt.objects.get().session_id
    client.force_login(world.sign_up("charlie@example.com"))
    assert client.get(f"/billing/return?session_id={session}").status_code == 404


@pytest.mark.parametrize("query", ["", "?session_id=", "?session_id=cs_unknown", "?session_id=%00"])
def test_a_session_that_is_none_is_not_found(ada, client, query):
    assert client.get(f"/billing/return{query}").status_code == 404


# The account page


@pytest.mark.parametrize("path", ["/billing/", "/billing/checkout?plan=pro", "/billing/return?session_id=cs_1"])
def test_a_visitor_is_asked_to_sign_in(world, client, path):
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")


# All pages


OUR_SCRIPT = r" src=\"{% static '[\w.]+' %}\" defer></script>"
NOT_ON_A_PAGE = rf"<script(?!{OUR_SCRIPT})|<style|\sstyle=|\son\w+=|https?://(?!www\.w3\.org)"


def test_pages_hold_no_inline_style_and_no_inline_script():
    templates = [
        path for path in Path(django_settings.BASE_DIR, "templates").rglob("*.html") if "mail" not in path.parts
    ]
    assert templates
    for path in templates:
        source = path.read_text()
        assert not re.search(NOT_ON_A_PAGE, source), path


def test_no_page_is_cached_that_shows_a_person_their_own(ada, client):
    assert "no-store" in client.get("/billing/")["Cache-Control"]
