"""Changing the plan: paid at once and in effect when paid, or at the period's end; never twice, never by halves."""

import pytest

from billing.lifecycle import cancel, change, previews, refusals
from billing.models import Plan
from billing.stripe_client import fetch, readers

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


def at_stripe(world, subscriber):
    return world.stripe("GET", f"subscriptions/{subscriber.subscription}")


def price_at_stripe(world, subscriber):
    return at_stripe(world, subscriber)["items"]["data"][0]["price"]["lookup_key"]


def charged(world, subscriber):
    charges = world.stripe("GET", "charges", customer=subscriber.customer, limit=100)["data"]
    return [charge["amount"] for charge in charges if charge["paid"]]


# Up


def test_an_upgrade_is_paid_now_as_previewed_and_takes_effect_now(world, ada):
    world.advance(days=10)
    shown = previews.preview(ada.user, "team", "month")
    row = change.change(ada.user, "team", "month", shown.proration_date)
    assert (shown.effect, row.plan.slug, row.pending_kind) == ("now", "team", "")
    assert shown.amount_due == sum(line.amount for line in shown.lines) == charged(world, ada)[0]
    assert 0 < shown.amount_due < 4000
    assert world.said(ada) == ["subscription_changed"], "before any event has come"
    world.deliver()
    assert world.said(ada) == ["subscription_changed", "payment_succeeded"]


def test_a_year_instead_of_a_month_is_paid_now_and_back_waits_for_its_end(world, ada):
    shown = previews.preview(ada.user, "pro", "year")
    assert (shown.effect, shown.amount_due, shown.renewal_amount) == ("now", 18000, 20000)
    year = change.change(ada.user, "pro", "year", shown.proration_date)
    assert (year.price.interval, charged(world, ada)) == ("year", [18000, 2000])
    back = change.change(ada.user, "pro", "month")
    assert (back.pending_kind, back.pending_at) == ("scheduled", year.current_period_end)


def test_a_declined_card_changes_nothing_and_leaves_no_invoice(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    with pytest.raises(refusals.PaymentDeclined, match="declined"):
        change.change(ada.user, "team", "month")
    assert at_stripe(world, ada)["pending_update"] is None
    assert not world.stripe("GET", "invoices", subscription=ada.subscription, status="open")["data"]
    world.deliver()
    assert (ada.row.plan.slug, ada.row.pending_kind, charged(world, ada)) == ("pro", "", [2000])


def test_a_decline_that_stripe_does_not_explain_is_said_in_our_own_words(world, ada, monkeypatch):
    ask = fetch.invoice

    def unexplained(*which):
        invoice = ask(*which)
        for intent in readers.payment_intents_of(invoice):
            intent["last_payment_error"] = None
        return invoice

    monkeypatch.setattr(fetch, "invoice", unexplained)
    world.change_card(ada, "pm_card_chargeCustomerFail")
    with pytest.raises(refusals.PaymentDeclined, match=r"^Your payment was declined\. Nothing was changed"):
        change.change(ada.user, "team", "month")
    assert (at_stripe(world, ada)["pending_update"], price_at_stripe(world, ada)) == (None, "pro_month")
    assert (charged(world, ada), world.said(ada)) == ([2000], [])


def test_after_a_decline_another_card_upgrades(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    with pytest.raises(refusals.PaymentDeclined):
        change.change(ada.user, "team", "month")
    world.change_card(ada, "pm_card_visa")
    assert change.change(ada.user, "team", "month").plan.slug == "team"


def test_a_payment_to_confirm_leaves_the_plan_and_leads_to_its_page(world, ada):
    world.change_card(ada, "pm_card_authenticationRequired")
    row = change.change(ada.user, "team", "month")
    assert (row.plan.slug, row.pending_kind, row.pending_price.lookup_key) == ("pro", "pending_update", "team_month")
    assert row.pending_url.startswith("http")
    again = change.change(ada.user, "team", "month")
    assert again.pending_url == row.pending_url, "the second click leads to the same page"
    world.control(f"invoices/{world.open_invoice(ada)}/pay", outcome="authenticated")
    world.deliver()
    assert (ada.row.plan.slug, ada.row.pending_kind) == ("team", "")


def test_a_payment_to_confirm_can_be_given_up(world, ada):
    world.change_card(ada, "pm_card_authenticationRequired")
    change.change(ada.user, "team", "month")
    with pytest.raises(refusals.ChangePending):
        change.change(ada.user, "team", "year")
    row = change.change(ada.user, "pro", "month")
    assert (row.plan.slug, row.pending_kind) == ("pro", "")
    assert not world.stripe("GET", "invoices", subscription=ada.subscription, status="open")["data"]


def test_an_upgrade_frees_the_subscription_of_a_schedule_that_holds_no_change(world, ada):
    """As one is left that was broken off between its two calls."""
    world.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    assert change.change(ada.user, "team", "month").plan.slug == "team"
    assert at_stripe(world, ada)["schedule"] is None
    assert world.stripe("GET", "subscription_schedules", customer=ada.customer)["data"][0]["status"] == "released"


# Down


def test_a_downgrade_waits_for_the_end_of_what_is_paid(world):
    ada = world.subscribed(plan="team")
    world.advance(days=15)
    world.deliver()
    row = change.change(ada.user, "pro", "month")
    assert (row.plan.slug, row.pending_kind, row.pending_price.lookup_key) == ("team", "scheduled", "pro_month")
    assert row.pending_at == row.current_period_end
    world.advance(days=31)
    world.deliver()
    assert (ada.row.plan.slug, ada.row.pending_kind, ada.last_payment.amount) == ("pro", "", 2000)
    world.advance(days=2)
    assert at_stripe(world, ada)["schedule"] is None, "the portal can manage it again"


@pytest.mark.parametrize("take_back", [change.take_back, lambda user: change.change(user, "pro", "year")])
def test_a_scheduled_change_is_taken_back(world, take_back):
    ada = world.subscribed(interval="year")
    change.change(ada.user, "pro", "month")
    row = take_back(ada.user)
    assert (row.pending_kind, row.pending_price, at_stripe(world, ada)["schedule"]) == ("", None, None)
    with pytest.raises(refusals.NoPendingChange):
        change.take_back(ada.user)


def test_while_a_change_is_scheduled_an_upgrade_asks_to_take_it_back_first(world):
    ada = world.subscribed(interval="year")
    change.change(ada.user, "pro", "month")
    with pytest.raises(refusals.ChangePending):
        change.change(ada.user, "team", "year")
    assert ada.row.pending_kind == "scheduled"


def test_a_change_that_staff_scheduled_at_stripe_is_shown(world, ada):
    made = world.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    phase, team = made["phases"][0], Plan.objects.get(slug="team").prices.get(interval="month")
    kept = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    items = [{"price": row["price"], "quantity": 1} for row in phase["items"]]
    then = {"items": [{"price": team.pk}], "duration": {"interval": "month", "interval_count": 1}}
    world.stripe("POST", f"subscription_schedules/{made['id']}", phases=[{**kept, "items": items}, then])
    world.deliver()
    assert (ada.row.pending_kind, ada.row.pending_price) == ("scheduled", team)


def test_a_trial_changes_at_once_and_for_nothing(world):
    ada = world.subscribed(plan="team")
    trial_end = ada.row.trial_end
    shown = previews.preview(ada.user, "pro", "month")
    row = change.change(ada.user, "pro", "month", shown.proration_date)
    assert (shown.effect, shown.amount_due, row.plan.slug, row.status) == ("now", 0, "pro", "trialing")
    assert (row.trial_end, charged(world, ada)) == (trial_end, [])


# Refused


def test_what_cannot_be_chosen_is_refused(world, ada):
    Plan.objects.filter(slug="team").update(is_public=False)
    for plan in ("team", "gold", "free"):
        with pytest.raises(refusals.PriceNotOffered):
            change.change(ada.user, plan, "month")
    with pytest.raises(refusals.SamePlan):
        change.change(ada.user, "pro", "month")


def test_while_past_due_the_invoice_comes_first(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    with pytest.raises(refusals.PaymentOverdue):
        change.change(ada.user, "team", "month")


def test_while_ending_resuming_comes_first(world, ada):
    cancel.cancel(ada.user, "period_end")
    with pytest.raises(refusals.CancellationScheduled):
        change.change(ada.user, "team", "month")


def test_who_has_no_subscription_cannot_change_it(world, ada):
    with pytest.raises(refusals.NoSubscription):
        change.change(world.sign_up("charlie@example.com"), "team", "month")
    cancel.cancel(ada.user, "now")
    with pytest.raises(refusals.NoSubscription):
        change.change(ada.user, "team", "month")
