"""Two clicks lead out; beside them stand the reasons, an offer and a pause."""

import re

import pytest

from billing.lifecycle import pausing
from billing.models import Alert, Discount, Subscription

pytestmark = pytest.mark.django_db


def half_for_a_quarter(subscription):
    return {"percent_off": 50, "months": 3}


def broken(subscription):
    raise RuntimeError("no such table")


def text(answer):
    return " ".join(re.sub("<[^>]*>", " ", answer.content.decode()).split()).replace("&#x27;", "'")


@pytest.fixture
def ada(world, client, settings):
    settings.BILLING_PAUSE_DAYS = 100
    settings.BILLING_CANCEL_OFFER = f"{__name__}.half_for_a_quarter"
    ada = world.subscribed()
    client.force_login(ada.user)
    return ada


def offered(client):
    return re.search(r'name="offer" value="([^"]+)"', client.get("/billing/cancel").content.decode())


def test_the_page_names_reasons_an_offer_a_pause_and_the_way_out(ada, client):
    page = text(client.get("/billing/cancel"))
    assert "Stay for 50% less" in page
    assert "That is $10 for the next 3 months, then $20 per month." in page
    assert "Pause your payments instead" in page
    assert "There are no further steps" in page
    assert "It's too expensive" in page


def test_the_second_click_is_out_with_the_reason(world, ada, client):
    told = {"when": "now", "reason": "too_expensive", "comment": "I found another one"}
    client.post("/billing/cancel", told)
    row = Subscription.objects.get()
    assert (row.status, row.cancel_feedback, row.canceled_at is not None) == ("canceled", "too_expensive", True)
    at_stripe = world.stripe("GET", f"subscriptions/{ada.subscription}")["cancellation_details"]
    assert at_stripe["comment"] == "I found another one"


def test_the_offer_is_taken_up_and_made_no_more(ada, client):
    answer = client.post("/billing/cancel/stay", {"offer": offered(client)[1]}, follow=True)
    assert "Glad you're staying." in text(answer)
    assert "Discount 50% off: saves $10.00 per month" in text(answer)
    assert offered(client) is None


def test_a_wrong_offer_changes_nothing(ada, client):
    answer = client.post("/billing/cancel/stay", {"offer": "forged"}, follow=True)
    assert "no longer available" in text(answer)
    assert not Discount.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_function_that_fails_never_stands_in_the_way(ada, client, settings):
    settings.BILLING_CANCEL_OFFER = f"{__name__}.broken"
    page = client.get("/billing/cancel")
    assert (page.status_code, "Stay for" in text(page)) == (200, False)
    assert "Cancel the subscription" in text(page)
    assert Alert.objects.filter(cause="cancel_offer").exists()


def test_payments_are_paused_until_a_renewal_and_resumed(world, ada, client):
    page = client.get("/billing/pause")
    days = re.findall(r'name="until" value="([^"]+)"', page.content.decode())
    assert len(days) == 2
    assert "You keep Pro until" in text(page)
    answer = text(client.post("/billing/pause", {"until": days[0]}, follow=True))
    assert "Payments are paused" in answer
    assert "Payments paused" in answer
    assert "then you are on the free plan, and by" in answer
    assert 'action="/billing/pause/resume"' in client.get("/billing/").content.decode()
    assert "Change plan" not in answer
    assert "Your payments are resumed" in text(client.post("/billing/pause/resume", follow=True))
    assert "Next payment $20.00 on" in text(client.get("/billing/"))


def test_once_the_paid_time_is_over_the_page_says_what_resuming_costs(world, ada, client):
    pausing.pause(ada.user, pausing.days_offered(ada.row)[1])
    world.advance(days=35)
    world.deliver()
    page = text(client.get("/billing/"))
    assert "You are on the free plan meanwhile, and by" in page
    assert "a new period begins and is charged at once" in page


@pytest.mark.parametrize("until", ["", "yesterday", "2020-01-01", "2099-01-01", "2026-02-31"])
def test_a_day_that_cannot_be_is_refused_with_a_sentence(ada, client, until):
    answer = client.post("/billing/pause", {"until": until}, follow=True)
    assert any(words in text(answer) for words in ("Choose one of the days", "Choose a day after", "at the latest"))
    assert Subscription.objects.get().collection_paused == ""


def test_without_the_setting_nobody_pauses(ada, client, settings):
    settings.BILLING_PAUSE_DAYS = 0
    assert "Pause payments" not in text(client.get("/billing/"))
    assert "can't be paused now" in text(client.get("/billing/pause"))
