"""Changing the plan: paid at once and in effect when paid, or at the period's end; never twice, never by halves."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from billing import testing, usage
from billing.events import worker
from billing.lifecycle import cancel, change, previews, refusals
from billing.models import Payment, Plan, PlanChange
from billing.stripe_client import StripeUnavailable, fetch, readers
from billing.stripe_client.http_client import HttpClient
from billing.tests.parallel import at_once

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


# What the preview says


def test_the_preview_of_a_downgrade_names_what_will_not_fit(world):
    ada = world.subscribed(plan="team")
    world.advance(days=15)
    world.deliver()
    usage.consume(ada.user, "generations", 1200)
    shown = previews.preview(ada.user, "pro", "month")
    assert [(o.feature, o.used, o.limit, o.over_by) for o in shown.overflows] == [("generations", 1200, 1000, 200)]
    assert (shown.effect, shown.amount_due, shown.takes_effect_at) == ("period_end", 0, ada.row.current_period_end)
    assert shown.renewal_amount == 2000


def test_the_preview_of_taking_a_change_back_costs_nothing_and_names_no_date(world):
    ada = world.subscribed(plan="team", interval="year")
    world.stripe("POST", f"subscriptions/{ada.subscription}", trial_end="now")
    world.deliver()
    usage.consume(ada.user, "generations", 5_000)
    change.change(ada.user, "pro", "month")
    shown = previews.preview(ada.user, "team", "year")
    assert (shown.effect, shown.proration_date, shown.overflows) == ("takes_back", None, [])
    assert (shown.amount_due, shown.credit, shown.lines, shown.renewal_amount) == (0, 0, [], 60_000)
    assert shown.renews_at == ada.row.current_period_end
    assert ada.row.pending_kind == "scheduled"


def test_a_preview_changes_nothing(world, ada):
    world.stripe("DELETE", f"customers/{world.stripe('POST', 'customers')['id']}")
    before = at_stripe(world, ada)
    previews.preview(ada.user, "team", "year")
    assert at_stripe(world, ada) == before


def test_a_proration_date_that_was_not_previewed_is_refused(world, ada):
    shown = previews.preview(ada.user, "team", "month")
    for plan, at in [("team", shown.proration_date - 5), ("team", 1)]:
        with pytest.raises(refusals.StalePreview):
            change.change(ada.user, plan, "month", at)
    PlanChange.objects.update(created_at=timezone.now() - timedelta(minutes=31))
    with pytest.raises(refusals.StalePreview):
        change.change(ada.user, "team", "month", shown.proration_date)
    assert charged(world, ada) == [2000]


@pytest.mark.parametrize(
    ("ago", "is_taken"), [(previews.VALID_FOR - timedelta(minutes=1), True), (previews.VALID_FOR, False)]
)
def test_a_preview_is_valid_for_half_an_hour(world, ada, ago, is_taken):
    shown = previews.preview(ada.user, "team", "month")
    PlanChange.objects.update(created_at=timezone.now() - ago)
    if is_taken:
        assert change.change(ada.user, "team", "month", shown.proration_date).plan.slug == "team"
        return
    with pytest.raises(refusals.StalePreview):
        change.change(ada.user, "team", "month", shown.proration_date)


def test_a_preview_is_of_one_subscriber_one_price_and_one_number_of_seats(world, ada):
    ben = world.subscribed(email="ben@example.com")
    shown = previews.preview(ada.user, "team", "month")
    for who, interval in ((ben, "month"), (ada, "year")):
        with pytest.raises(refusals.StalePreview):
            change.change(who.user, "team", interval, shown.proration_date)
    PlanChange.objects.update(quantity=2)
    with pytest.raises(refusals.StalePreview):
        change.change(ada.user, "team", "month", shown.proration_date)
    assert (ada.row.plan.slug, ben.row.plan.slug) == ("pro", "pro")


def test_an_old_preview_is_forgotten_at_the_next_one_and_neither_anothers_nor_what_was_asked_is(world, ada):
    ben = world.subscribed(email="ben@example.com")
    for who in (ada, ben):
        previews.preview(who.user, "team", "month")
    kept = PlanChange.objects.get(customer=ada.customer)
    kept.pk, kept.status = None, PlanChange.Status.MADE
    kept.save(force_insert=True)
    PlanChange.objects.update(created_at=timezone.now() - previews.KEPT_FOR - timedelta(minutes=1))
    previews.preview(ada.user, "team", "year")
    rows = PlanChange.objects.order_by("created_at").values_list("customer", "status", "price__interval")
    assert sorted(rows) == sorted([
        (ada.customer, "made", "month"), (ada.customer, "previewed", "year"), (ben.customer, "previewed", "month"),
    ])  # fmt: skip


def test_a_change_that_is_made_and_one_taken_back_are_of_that_subscriber_alone(world):
    ada, ben = world.subscribed(plan="team"), world.subscribed(plan="team", email="ben@example.com")
    world.advance(days=15)  # past the trial
    world.deliver()
    for who in (ada, ben):
        change.change(who.user, "pro", "month")
    change.take_back(ada.user)
    assert (ada.row.pending_kind, ben.row.pending_kind) == ("", "scheduled")
    assert at_stripe(world, ben)["schedule"]
    assert PlanChange.objects.filter(customer=ben.customer, status="made").count() == 1


def test_while_payments_are_paused_no_plan_is_given_for_nothing(world, ada):
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection={"behavior": "void"})
    with pytest.raises(refusals.CollectionPaused):
        change.change(ada.user, "team", "month")
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection="")
    assert change.change(ada.user, "team", "month").plan.slug == "team"


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


# Outages, lost answers, crashes


def test_an_outage_changes_nothing(world, ada):
    shown = previews.preview(ada.user, "team", "month")
    world.control("faults", api={"fail_next": 20, "status": 500})
    with pytest.raises(StripeUnavailable):
        change.change(ada.user, "team", "month", shown.proration_date)
    world.control("faults")
    assert (price_at_stripe(world, ada), charged(world, ada)) == ("pro_month", [2000])


@pytest.mark.parametrize("lost", [1, 4])
def test_an_upgrade_whose_answer_is_lost_is_charged_once(world, ada, lost):
    shown = previews.preview(ada.user, "team", "month")
    world.control("faults", api={"lose_answer": lost})
    try:
        change.change(ada.user, "team", "month", shown.proration_date)
    except StripeUnavailable:
        world.control("faults")
        assert change.change(ada.user, "team", "month", shown.proration_date).plan.slug == "team"
    world.control("faults")
    world.deliver()
    assert (ada.row.plan.slug, charged(world, ada)) == ("team", [4000, 2000])


def test_a_change_taken_back_after_a_lost_answer_can_be_asked_for_again(world, ada):
    world.change_card(ada, "pm_card_authenticationRequired")
    world.control("faults", api={"lose_answer": 4})
    with pytest.raises(StripeUnavailable):
        change.change(ada.user, "team", "month")
    world.control("faults")
    assert change.take_back(ada.user).pending_kind == ""
    assert change.change(ada.user, "team", "month").pending_kind == "pending_update"


def test_a_trial_changed_to_and_fro_after_a_lost_answer_is_on_what_was_chosen_last(world):
    ada = world.subscribed(plan="team")
    world.control("faults", api={"lose_answer": 4})
    with pytest.raises(StripeUnavailable):
        change.change(ada.user, "pro", "month")
    world.control("faults")
    assert change.change(ada.user, "team", "month").plan.slug == "team"
    assert change.change(ada.user, "pro", "month").plan.slug == "pro"


@pytest.mark.parametrize("lost", [1, 2, 4])
def test_a_downgrade_whose_answers_are_lost_is_scheduled_once(world, lost):
    ada = world.subscribed(interval="year")
    world.control("faults", api={"lose_answer": lost})
    for _ in range(3):
        with suppress(StripeUnavailable):
            change.change(ada.user, "pro", "month")
    assert ada.row.pending_kind == "scheduled"
    assert len(world.stripe("GET", "subscription_schedules", customer=ada.customer)["data"]) == 1


def test_a_downgrade_broken_off_between_its_two_calls_is_gone_on_with(world, monkeypatch):
    ada = world.subscribed(interval="year")
    send = HttpClient.send

    def die_at_the_second(client, method, url, request, post_data=None):
        if "subscription_schedules/" in url and method == "post":
            raise SystemExit
        return send(client, method, url, request, post_data)

    monkeypatch.setattr(HttpClient, "send", die_at_the_second)
    with pytest.raises(SystemExit):
        change.change(ada.user, "pro", "month")
    monkeypatch.undo()
    world.deliver()
    assert ada.row.pending_kind == "", "a schedule without a change in it"
    assert change.change(ada.user, "pro", "month").pending_kind == "scheduled"
    assert len(world.stripe("GET", "subscription_schedules", customer=ada.customer)["data"]) == 1


def test_the_same_confirmation_sent_twice_is_answered_twice_and_charged_once(world, ada):
    shown = previews.preview(ada.user, "team", "month")
    rows = [change.change(ada.user, "team", "month", shown.proration_date) for _ in range(2)]
    assert [row.plan.slug for row in rows] == ["team", "team"]
    assert charged(world, ada) == [4000, 2000]


# At the same moment


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_parallel_clicks_on_an_upgrade_are_charged_once(world):
    ada = world.subscribed()
    shown = previews.preview(ada.user, "team", "month")
    outcomes = at_once(lambda _: change.change(ada.user, "team", "month", shown.proration_date), 4)
    assert {str(outcome) for outcome in outcomes} == {str(ada.row)}
    assert charged(world, ada) == [4000, 2000]


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_change_against_the_webhooks_of_another_converges(world):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", metadata={"seen": "yes"})
    world.deliver(work=False)
    work = [lambda: change.change(ada.user, "team", "month"), lambda: worker.drain(ada.customer)]
    outcomes = at_once(lambda number: work[number](), 2)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    world.deliver()
    testing.work()
    assert (ada.row.plan.slug, charged(world, ada)) == ("team", [4000, 2000])
    assert world.said(ada).count("subscription_changed") == 1
    assert Payment.objects.count() == 2
