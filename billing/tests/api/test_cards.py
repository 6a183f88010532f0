"""Over the API, a subscriber is led to the page on which they add a card."""

import pytest

from billing import testing
from billing.tests.lifecycle.test_trials import begin

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/subscriptions/card"


@pytest.fixture
def eve(world, settings, client):
    settings.BILLING_TRIAL_WITHOUT_CARD = "pause"
    who = begin(world, world.sign_up("eve@example.com"))
    client.force_login(who.user)
    return who


def test_the_checkout_that_saves_a_card_is_that_of_the_subscription(world, eve, settings, client):
    settings.BILLING_ADD_CARD = "checkout"
    answer = client.post(URL, {}, content_type="application/json")
    session = world.stripe("GET", f"checkout/sessions/{answer.json()['url'].rpartition('/')[2]}")
    assert (answer.status_code, session["mode"], session["customer"]) == (200, "setup", eve.customer)
    world.control(f"checkout/{session['id']}/complete", payment_method="pm_card_visa")
    world.deliver()
    testing.work()
    world.deliver()
    assert eve.row.has_payment_method


def test_by_default_it_is_the_portal(world, eve, client):
    world.control("portal")
    assert "/p/" in client.post(URL, {}, content_type="application/json").json()["url"]


def test_who_has_nothing_to_pay_is_refused_and_so_is_a_line_that_is_none(world, eve, settings, client):
    answer = client.post(URL, {"line": "nowhere"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    settings.BILLING_ADD_CARD = "checkout"
    client.force_login(world.sign_up("stranger@example.com"))
    answer = client.post(URL, {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_subscription")
    client.logout()
    assert client.post(URL, {}, content_type="application/json").status_code == 401


def test_while_stripe_is_down_it_says_so(world, eve, client):
    with world.down():
        answer = client.post(URL, {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (503, "stripe_unavailable")
