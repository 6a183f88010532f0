"""The price page offers a trial only to who has had none; account page and Checkout say truly what its end brings."""

import pytest

from billing.models import Plan
from billing.tests.lifecycle.test_trials import begin

pytestmark = pytest.mark.django_db(transaction=True)


def shown(client, path="/", user=None):
    if user:
        client.force_login(user)
    return " ".join(client.get(path).content.decode().split())


@pytest.fixture
def without_card(settings):
    settings.BILLING_TRIAL_WITHOUT_CARD = "cancel"


def test_a_visitor_is_offered_the_trial_and_whoever_had_one_is_not(world, client):
    assert "14-day free trial" in shown(client)
    eve = begin(world, world.sign_up("eve@example.com"), card="pm_card_visa")
    assert "free trial" not in shown(client, user=eve.user)
    assert "days free" not in shown(client, "/billing/checkout?plan=team&interval=month", eve.user)


def test_another_account_of_the_same_mailbox_is_not_offered_it_and_a_neighbour_is(world, client):
    begin(world, world.sign_up("eve@example.com"), card="pm_card_visa")
    assert "free trial" not in shown(client, user=world.sign_up("eve+2@example.com"))
    assert "14-day free trial" in shown(client, user=world.sign_up("evelyn@example.com"))


def test_the_price_page_says_that_no_card_is_needed(world, client, without_card):
    assert "14-day free trial, no card needed" in shown(client)


@pytest.mark.parametrize(("choice", "says"), [
    ("cancel", "if you add none, the subscription ends with the trial"),
    ("pause", "if you add none, the subscription is paused when the trial ends"),
    ("no", "14 days free<"),
])  # fmt: skip
def test_checkout_says_what_happens_without_a_card(world, client, choice, says):
    Plan.objects.filter(slug="team").update(trial_without_card=choice)
    assert says in shown(client, "/billing/checkout?plan=team&interval=month", world.sign_up())


def test_checkout_says_that_a_card_may_end_the_trial_where_the_site_decides_so(world, client, settings):
    path, ada = "/billing/checkout?plan=team&interval=month", world.sign_up()
    assert "ends at once if your card had one" not in shown(client, path, ada)
    settings.BILLING_TRIAL_SAME_CARD = "end"
    assert "The trial ends at once if your card had one before" in shown(client, path, ada)


@pytest.mark.parametrize(("choice", "says"), [
    ("cancel", "ends with the trial on"),
    ("pause", "is paused when the trial ends on"),
])  # fmt: skip
def test_the_account_page_says_how_a_trial_without_a_card_ends(world, client, choice, says):
    Plan.objects.filter(slug="team").update(trial_without_card=choice)
    eve = begin(world, world.sign_up("eve@example.com"))
    page = shown(client, "/billing/", eve.user)
    assert "have a card for you" in page
    assert says in page
    assert "and nothing is charged" in page
    assert 'action="/billing/card"' in page


def test_the_api_shows_visitors_the_trial_of_the_price_page(world, client, settings):
    settings.BILLING_TRIAL_DAYS = "billing.tests.pages.test_trials.of_summer"
    found = {plan["slug"]: plan["trial_days"] for plan in client.get("/api/v1/plans").json()}
    assert (found["pro"], found["team"]) == (3, 3)
    assert "3-day free trial" in shown(client)


def of_summer(subscriber, plan):
    return 3


def test_a_wrong_setting_is_answered_with_a_stable_code_and_nothing_is_begun(world, client, settings):
    settings.BILLING_CHECKOUT = "billing.tests.pages.test_trials.wrong"
    client.force_login(world.sign_up())
    asked = {"plan": "pro", "interval": "month"}
    answer = client.post("/api/v1/subscriptions/checkout", asked, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (500, "checkout_misconfigured")
    page = client.post("/billing/checkout", asked)
    assert page.status_code == 500
    assert "Nothing was charged" in page.content.decode()


def wrong(subscriber, attempt):
    return {"mode": "payment"}
