"""Dates of access, cards and holds: what page and API promise is what happens."""

import re

import pytest
from rest_framework.test import APIClient

from billing import testing
from billing.lifecycle import cancel, change, change_rules, customers, previews, refusals
from billing.lifecycle.live_subscription import Standing
from billing.localized import day
from billing.models import Customer, Hold, Price
from billing.setup.doctor import here
from billing.subscriptions import holds, next_charges, seats
from billing.tests.subscriptions.test_seats import join

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


def text(answer):
    return " ".join(re.sub("<[^>]*>", " ", answer.content.decode()).split()).replace("&#x27;", "'")


def page_of(client, subscriber):
    client.force_login(subscriber)
    return text(client.get("/billing/"))


def state_of(subscriber):
    api = APIClient()
    api.force_authenticate(subscriber)
    return api.get("/api/v1/subscriptions/current").json()


def asked(subscriber, path, body=None):
    api = APIClient()
    api.force_authenticate(subscriber)
    answer = api.post(f"/api/v1/subscriptions/{path}", body or {}, format="json")
    return answer.status_code, answer.json().get("code"), answer.json().get("detail", "")


def iso(at):
    return at.isoformat().replace("+00:00", "Z")


TEAM = {"plan": "team", "interval": "month"}


# When access ends


def test_while_it_renews_access_ends_never(ada):
    assert state_of(ada.user)["access_ends_at"] is None


def test_after_a_cancellation_access_ends_with_the_period(ada):
    cancel.cancel(ada.user, "period_end")
    assert state_of(ada.user)["access_ends_at"] == iso(ada.row.current_period_end)


def test_the_portals_cancellation_while_past_due_ends_access_with_grace_and_hides_no_charge(world, ada, client):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    world.deliver()
    told = state_of(ada.user)
    assert told["access_ends_at"] == told["grace_ends_at"] < told["cancel_at"]
    page = page_of(client, ada.user)
    assert "You won't be charged for it again" not in page
    assert "An invoice is still unpaid: $20.00 is charged on" in page
    assert "End it sooner" in page


def test_an_end_later_than_the_period_says_that_it_renews_until_then(world, ada, client):
    end = int(ada.row.current_period_end.timestamp())
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at=end + 86_400 * 40)
    world.deliver()
    page = page_of(client, ada.user)
    assert "You won't be charged for it again" not in page
    assert "It renews as usual until then" in page


# A trial without a card


@pytest.fixture
def eve(world):
    def on_trial(behavior):
        user = world.sign_up("eve@example.com")
        customer = customers.customer_for(user)
        world.stripe(
            "POST",
            "subscriptions",
            customer=customer.pk,
            items=[{"price": Price.objects.get(lookup_key="pro_month").pk}],
            trial_period_days=14,
            trial_settings={"end_behavior": {"missing_payment_method": behavior}},
        )
        world.deliver()
        return user

    return on_trial


def give_card(world, user):
    customer = Customer.objects.of(user).pk
    method = world.stripe("POST", "payment_methods/pm_card_visa/attach", customer=customer)["id"]
    world.stripe("POST", f"customers/{customer}", invoice_settings={"default_payment_method": method})
    world.deliver()


@pytest.mark.parametrize("behavior", ["pause", "cancel"])
def test_a_trial_without_a_card_ends_access_and_announces_no_charge(world, eve, client, behavior):
    user = eve(behavior)
    told = state_of(user)
    assert (told["access_ends_at"], told["next_charge"]) == (told["trial_end"], None)
    page = page_of(client, user)
    assert "Add a card to keep it." in page
    assert "First payment" not in page
    give_card(world, user)
    told = state_of(user)
    assert (told["access_ends_at"], told["next_charge"]["amount"]) == (None, 2000)
    assert "Add a card" not in page_of(client, user)


def test_a_paused_trial_is_taken_up_by_adding_a_card(world, eve, client):
    user = eve("pause")
    world.advance(days=15)
    world.deliver()
    assert state_of(user)["status"] == "paused"
    assert "Add one, then resume your subscription." in page_of(client, user)
    status, code, sentence = asked(user, "resume")
    assert (status, code) == (409, "no_payment_method")
    assert "Add one" in sentence
    assert asked(user, "change", TEAM)[:2] == (409, "subscription_paused")
    status, code, sentence = asked(user, "checkout", TEAM)
    assert (status, code) == (409, "subscription_paused")
    assert "Add a card" in sentence
    give_card(world, user)
    assert asked(user, "resume")[0] == 200
    assert (state_of(user)["status"], state_of(user)["has_access"]) == ("active", True)


def test_a_card_that_declines_leaves_a_trial_paused_and_nothing_to_pay(world, eve, client):
    user = eve("pause")
    world.advance(days=15)
    customer = Customer.objects.of(user).pk
    method = world.stripe("POST", "payment_methods/pm_card_chargeCustomerFail/attach", customer=customer)["id"]
    world.stripe("POST", f"customers/{customer}", invoice_settings={"default_payment_method": method})
    world.deliver()
    assert asked(user, "resume")[:2] == (402, "payment_declined")
    assert state_of(user)["status"] == "paused"
    assert world.stripe("GET", "invoices", customer=customer, status="open")["data"] == []


def test_a_paused_trial_can_be_cancelled(world, eve):
    user = eve("pause")
    world.advance(days=15)
    world.deliver()
    assert cancel.cancel(user, "period_end").status == "canceled"


# Collection that is paused


def test_a_paused_collection_is_shown_and_no_charge_is_announced(world, ada, client):
    resumes = int(ada.row.current_period_end.timestamp()) + 86_400
    pause = {"behavior": "void", "resumes_at": resumes}
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection=pause)
    world.deliver()
    page = page_of(client, ada.user)
    assert "Payments are paused" in page
    assert "Nothing is charged until" in page
    assert "Next payment" not in page
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection="")
    world.deliver()
    assert "Next payment $20.00 on" in page_of(client, ada.user)


# A credit


def test_a_credit_is_shown_until_it_is_used(world, ada, client):
    world.stripe("POST", f"customers/{ada.customer}", balance=-13500)
    world.deliver()
    assert state_of(ada.user)["credit"] == {"amount": 13500, "currency": "usd"}
    assert "Credit $135.00" in page_of(client, ada.user)
    world.stripe("POST", f"customers/{ada.customer}", balance=0)
    world.deliver()
    assert state_of(ada.user)["credit"] is None


# Under a hold


@pytest.fixture
def held(world, ada):
    holds.place(Customer.objects.get(pk=ada.customer), Hold.Kind.DISPUTE, "dp_1")
    return ada


@pytest.mark.parametrize("path", ["change", "preview", "checkout"])
def test_under_a_hold_nothing_is_sold(world, held, path):
    status, code, sentence = asked(held.user, path, TEAM)
    assert (status, code) == (409, "access_on_hold")
    assert "cancel it" in sentence


def test_after_the_hold_it_is_sold_again(world, held):
    holds.release(Customer.objects.get(pk=held.customer), Hold.Kind.DISPUTE, "dp_1")
    assert asked(held.user, "change", TEAM)[0] == 200


def test_what_the_project_itself_refuses_is_not_sold_either(world, ada, settings):
    settings.BILLING_ACCESS_RULE = "billing.tests.lifecycle.test_promises.banned"
    assert asked(ada.user, "change", TEAM)[:2] == (409, "access_on_hold")


def banned(user):
    return "banned"


def test_under_a_hold_the_page_says_that_it_renews_and_how_to_stop_it(world, held, client):
    page = page_of(client, held.user)
    assert "Your subscription continues: $20.00 is charged on" in page
    assert "unless you cancel before then" in page
    assert cancel.cancel(held.user, "period_end").cancel_at
    assert "Your subscription continues" not in page_of(client, held.user)


@pytest.mark.parametrize("kind", Hold.Kind)
def test_under_any_hold_the_page_says_that_it_renews_before_the_amount_is_known_too(world, ada, client, kind):
    holds.place(Customer.objects.get(pk=ada.customer), kind, "1")
    assert "$20.00 is charged on" in page_of(client, ada.user)
    next_charges.ask_again_of(Customer.objects.get(pk=ada.customer))
    page = page_of(client, ada.user)
    assert f"Your subscription continues and is charged on {day(ada.row.current_period_end)}, unless you" in page
    assert 'href="/billing/cancel"' in client.get("/billing/").content.decode()


def test_under_a_hold_nothing_is_said_of_a_renewal_that_does_not_come(world, ada, client):
    holds.place(Customer.objects.get(pk=ada.customer), Hold.Kind.STAFF, "1")
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection={"behavior": "void"})
    world.deliver()
    assert "Your subscription continues" not in page_of(client, ada.user)


def test_a_pending_change_can_be_given_up_under_a_hold(world, ada):
    world.change_card(ada, "pm_card_authenticationRequired")
    change.change(ada.user, "team", "month")
    holds.place(Customer.objects.get(pk=ada.customer), Hold.Kind.STAFF, "case")
    with pytest.raises(refusals.Refused):
        change.change(ada.user, "team", "year")
    assert change.take_back(ada.user).pending_kind == ""


# Yearly to monthly


def test_a_year_that_becomes_a_dearer_month_names_the_next_charge_and_the_credit(world, client):
    ada = world.subscribed(interval="year")
    client.force_login(ada.user)
    page = text(client.get("/billing/change?plan=team&interval=month"))
    assert "You pay the difference now" not in page
    assert "Nothing is charged today" in page
    shown = previews.preview(ada.user, "team", "month")
    row = change.change(ada.user, "team", "month", shown.proration_date)
    assert (shown.renews_at, shown.amount_due) == (row.current_period_end, 0)
    assert shown.credit > 0
    world.deliver()
    assert state_of(ada.user)["credit"]["amount"] == shown.credit


def test_the_tax_of_an_upgrade_is_told(world, ada):
    rate = world.stripe("POST", "tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", default_tax_rates=[rate])
    shown = previews.preview(ada.user, "team", "month")
    assert shown.tax > 0
    assert shown.amount_due - shown.tax == sum(line.amount for line in shown.lines)


# What we do not know


def test_a_schedule_to_an_unknown_plan_is_called_another_plan(world, ada, client):
    product = world.stripe("POST", "products", name="Else")["id"]
    other = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=900, recurring={"interval": "month"}
    )["id"]
    made = world.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    now = made["phases"][0]
    first = {"items": [{"price": ada.row.price_id}], "start_date": now["start_date"], "end_date": now["end_date"]}
    world.stripe("POST", f"subscription_schedules/{made['id']}", phases=[first, {"items": [{"price": other}]}])
    world.deliver()
    page = page_of(client, ada.user)
    assert "Your plan changes to another plan on" in page
    assert state_of(ada.user)["pending_change"]["plan"] == ""


def test_a_quantity_of_none_is_none(world, ada, client):
    item = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"][0]["id"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", items=[{"id": item, "quantity": 0}])
    world.deliver()
    assert ada.row.quantity == 0
    assert "$0.00 per month (0 × $20.00)" in page_of(client, ada.user)


def test_a_status_that_we_do_not_know_can_be_cancelled_and_not_changed(world, ada, monkeypatch):
    found = world.stripe("GET", f"subscriptions/{ada.subscription}")
    standing = Standing(ada.row.customer, {**found, "status": "resting", "schedule": None, "pending_update": None})
    assert standing.is_live
    with pytest.raises(refusals.StateUnknown):
        change_rules.check_changeable(standing)


# Who pays while held


def test_the_doctor_names_who_pays_while_held(held):
    [finding] = here.held()
    assert held.customer in finding.text
    cancel.cancel(held.user, "period_end")
    assert list(here.held()) == []


def test_seats_are_not_sold_under_a_hold_and_are_counted_when_it_is_released(world, settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"
    user = world.sign_up()
    join(user)
    ada = world.subscribed(user=user)
    customer = Customer.objects.get(pk=ada.customer)
    holds.place(customer, Hold.Kind.STAFF, "case")
    join(user)
    seats.changed(user)
    testing.work()
    world.deliver()
    assert ada.row.quantity == 1
    holds.release(customer, Hold.Kind.STAFF, "case")
    testing.work()
    world.deliver()
    assert ada.row.quantity == 2
