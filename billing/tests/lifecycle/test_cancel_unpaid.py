"""Who cancels is told the truth about money: while something is unpaid it ends now, and nothing follows."""

import pytest
from rest_framework.test import APIClient

from billing.lifecycle import cancel, change, refusals

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


def at_stripe(world, subscriber):
    return world.stripe("GET", f"subscriptions/{subscriber.subscription}")


def invoices(world, subscriber, status):
    return world.stripe("GET", "invoices", subscription=subscriber.subscription, status=status)["data"]


def charged(world, subscriber):
    charges = world.stripe("GET", "charges", customer=subscriber.customer, limit=100)["data"]
    return sum(charge["amount"] for charge in charges if charge["paid"])


def to_the_renewal(world, subscriber, hours):
    end = at_stripe(world, subscriber)["items"]["data"][0]["current_period_end"]
    world.control("advance", to=end + int(hours * 3600))
    world.deliver()


def declined(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    to_the_renewal(world, ada, hours=2)
    return "past_due"


def draft(world, ada):
    to_the_renewal(world, ada, hours=0.5)
    return "active"


def given_up(world, ada):
    world.sandbox.state.settings["after_last_retry"] = "unpaid"
    world.change_card(ada, "pm_card_chargeCustomerFail")
    to_the_renewal(world, ada, hours=24 * 20)
    return "unpaid"


def sent_and_overdue(world, ada):
    world.stripe("POST", f"subscriptions/{ada.subscription}", collection_method="send_invoice", days_until_due=3)
    to_the_renewal(world, ada, hours=24 * 5)
    return "past_due"


UNPAID = [declined, draft, given_up, sent_and_overdue]


@pytest.mark.parametrize("become", UNPAID)
@pytest.mark.parametrize("when", ["period_end", "now"])
def test_while_something_is_unpaid_it_ends_now_and_nothing_more_is_charged(world, ada, become, when):
    assert become(world, ada) == ada.row.status
    before = charged(world, ada)
    row = cancel.cancel(ada.user, when)
    assert (row.status, row.cancel_at) == ("canceled", None)
    assert not ada.access.has_access
    assert invoices(world, ada, "open") == []
    method = world.stripe("POST", "payment_methods/pm_card_visa/attach", customer=ada.customer)["id"]
    world.stripe("POST", f"customers/{ada.customer}", invoice_settings={"default_payment_method": method})
    world.advance(days=40)
    world.deliver()
    assert charged(world, ada) == before


@pytest.mark.parametrize("become", UNPAID)
def test_the_page_says_so_before_and_does_not_do_what_it_has_not_said(world, ada, client, become):
    client.force_login(ada.user)
    assert "At the end of the period" in client.get("/billing/cancel").content.decode()
    become(world, ada)
    shown = client.post("/billing/cancel", {"when": "period_end"})
    page = shown.content.decode()
    assert shown.status_code == 200
    assert "An invoice is unpaid, so your subscription can only end now." in page
    assert "$20.00" in page
    assert 'value="period_end"' not in page
    assert at_stripe(world, ada)["status"] == ada.row.status != "canceled"
    done = client.post("/billing/cancel", {"when": "now"}, follow=True).content.decode()
    assert "Nothing more will be charged for it." in done
    assert at_stripe(world, ada)["status"] == "canceled"


def test_who_pays_first_stays_to_the_end(world, ada, client):
    declined(world, ada)
    client.force_login(ada.user)
    assert "pay the open invoice" in client.get("/billing/cancel").content.decode()
    world.pay(ada)
    world.deliver()
    row = cancel.cancel(ada.user, "period_end")
    assert (row.status, row.cancel_at) == ("active", row.current_period_end)


def test_the_api_shows_that_it_ended(world, ada):
    declined(world, ada)
    api = APIClient()
    api.force_authenticate(ada.user)
    answer = api.post("/api/v1/subscriptions/cancel", {"when": "period_end"}, format="json")
    assert (answer.status_code, answer.json()["status"], answer.json()["has_access"]) == (200, "canceled", False)


# What a bank is paying


@pytest.fixture
def renewing_by_debit(world, ada):
    method = world.stripe("POST", "payment_methods/pm_usBankAccount_success/attach", customer=ada.customer)["id"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", default_payment_method=method)
    to_the_renewal(world, ada, hours=2)
    assert ada.row.status == "active"
    return ada


def test_a_debit_under_way_is_no_debt_and_the_period_it_pays_is_kept(world, renewing_by_debit, client):
    client.force_login(renewing_by_debit.user)
    page = client.get("/billing/cancel").content.decode()
    assert "Your bank is already paying $20.00." in page.replace("&#x27;", "'")
    row = cancel.cancel(renewing_by_debit.user, "period_end")
    assert (row.status, row.cancel_at) == ("active", row.current_period_end)


def test_after_an_end_now_a_debit_under_way_may_still_arrive_and_this_is_said(world, renewing_by_debit, client):
    client.force_login(renewing_by_debit.user)
    page = client.post("/billing/cancel", {"when": "now"}, follow=True).content.decode()
    assert "A payment that your bank is already making may still arrive" in page
    assert "Nothing more will be charged" not in page


def test_a_sent_invoice_that_is_not_due_stays_to_be_paid_and_this_is_said(world, ada, client):
    world.stripe("POST", f"subscriptions/{ada.subscription}", collection_method="send_invoice", days_until_due=14)
    to_the_renewal(world, ada, hours=2)
    client.force_login(ada.user)
    assert "Your invoice of $20.00 is still to be paid by" in client.get("/billing/cancel").content.decode()
    assert cancel.cancel(ada.user, "period_end").cancel_at


# Neighbours


def test_a_trial_is_cancelled_to_its_end_and_never_charged(world):
    eve = world.subscribed(plan="team", email="eve@example.com")
    shown = cancel.outlook(eve.user)
    assert (shown.is_trial, shown.charged, shown.ends_at) == (True, [], eve.row.trial_end)
    row = cancel.cancel(eve.user, "period_end")
    assert (row.status, row.cancel_at) == ("trialing", row.trial_end)
    world.advance(days=40)
    world.deliver()
    assert (charged(world, eve), eve.row.status) == (0, "canceled")


def test_an_upgrade_that_waits_for_its_payment_is_no_debt(world, ada):
    world.change_card(ada, "pm_card_authenticationRequired")
    assert change.change(ada.user, "team", "month").pending_kind == "pending_update"
    assert cancel.outlook(ada.user).charged == []
    row = cancel.cancel(ada.user, "period_end")
    assert (row.status, row.plan.slug, row.pending_kind) == ("active", "pro", "")
    assert invoices(world, ada, "open") == []


def test_metered_usage_is_billed_at_the_end_and_this_is_said(world, ada, client):
    product = world.stripe("POST", "products", name="Tokens")["id"]
    meter = world.stripe(
        "POST", "billing/meters", display_name="t", event_name="t", default_aggregation={"formula": "sum"}
    )["id"]
    price = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=1,
        recurring={"interval": "month", "usage_type": "metered", "meter": meter},
    )["id"]  # fmt: skip
    world.stripe("POST", f"subscriptions/{ada.subscription}", items=[{"price": price}])
    client.force_login(ada.user)
    page = client.get("/billing/cancel").content.decode()
    assert "What you use until the end is still billed then." in page
    assert "nothing more is charged" not in page


# Why


def test_the_reason_is_kept_at_stripe_in_its_own_words(world, ada):
    api = APIClient()
    api.force_authenticate(ada.user)
    body = {"when": "period_end", "reason": "too_expensive", "comment": "See you"}
    assert api.post("/api/v1/subscriptions/cancel", body, format="json").status_code == 200
    details = at_stripe(world, ada)["cancellation_details"]
    assert (details["feedback"], details["comment"]) == ("too_expensive", "See you")
    cancel.cancel(ada.user, "now", "unused")
    assert at_stripe(world, ada)["cancellation_details"]["feedback"] == "unused"


def test_a_reason_that_stripe_does_not_know_is_refused_with_those_it_knows(world, ada):
    api = APIClient()
    api.force_authenticate(ada.user)
    answer = api.post("/api/v1/subscriptions/cancel", {"when": "now", "reason": "bored"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert "too_expensive" in answer.json()["detail"]
    assert at_stripe(world, ada)["status"] == "active"


def test_a_page_that_has_not_said_so_ends_nothing(world, ada):
    declined(world, ada)
    with pytest.raises(refusals.EndsNow):
        cancel.cancel(ada.user, "period_end", may_end_now=False)
    assert at_stripe(world, ada)["status"] == "past_due"
