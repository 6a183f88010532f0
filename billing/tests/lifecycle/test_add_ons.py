"""More of an add-on is paid now and counts when paid, less waits for the period's end; never twice, never by halves."""

import pytest

from billing import testing, usage
from billing.lifecycle import add_ons, cancel, change, checkout, previews, refusals
from billing.models import AddOn
from billing.setup import publishing_add_ons
from billing.stripe_client import StripeUnavailable
from billing.subscriptions import seats

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(world):
    publishing_add_ons.publish()
    return world


@pytest.fixture
def ada(shop):
    return shop.subscribed()


@pytest.fixture
def ben(shop):
    """A bystander with an add-on of his own, to whom nothing happens."""
    ben = shop.subscribed(email="ben@example.com")
    add_ons.set_quantity(ben.user, "extra", 1)
    shop.deliver()
    shop.heard.clear()
    yield ben
    assert (ben.row.add_ons, ben.row.pending_kind, limit_of(ben)) == ({"extra": 1}, "", 1500)


def limit_of(someone):
    return usage.summary(someone.user)["generations"].limit


def items_of(shop, someone):
    found = shop.stripe("GET", f"subscriptions/{someone.subscription}")["items"]["data"]
    return {item["price"]["lookup_key"]: item.get("quantity") for item in found}


def charged(shop, someone):
    charges = shop.stripe("GET", "charges", customer=someone.customer, limit=100)["data"]
    return [charge["amount"] for charge in charges if charge["paid"]]


def renew(shop, days=32):
    shop.advance(days=days)
    shop.deliver()


# More


def test_more_is_paid_now_as_previewed_and_counts_now(shop, ada, ben):
    shop.advance(days=10)
    shown = add_ons.preview(ada.user, "extra", 2)
    assert (shown.effect, shown.had, shown.renewal_amount) == ("now", 0, 1600)
    row = add_ons.set_quantity(ada.user, "extra", 2, shown.proration_date)
    assert (row.add_ons, row.plan.slug, limit_of(ada)) == ({"extra": 2}, "pro", 2000)
    assert shown.amount_due == sum(line.amount for line in shown.lines) == charged(shop, ada)[0]
    assert 0 < shown.amount_due < 1600
    renew(shop)
    assert (charged(shop, ada)[0], limit_of(ada)) == (2000 + 1600, 2000)


def test_the_same_number_asked_twice_is_charged_once(shop, ada, ben):
    add_ons.set_quantity(ada.user, "extra", 2)
    add_ons.set_quantity(ada.user, "extra", 2)
    assert (charged(shop, ada), items_of(shop, ada)) == ([1600, 2000], {"pro_month": 1, "addon_extra_month": 2})


def test_an_answer_that_is_lost_is_found_by_asking_again(shop, ada, ben):
    shop.control("faults", api={"lose_answer": 3})
    with pytest.raises(StripeUnavailable):
        add_ons.set_quantity(ada.user, "extra", 2)
    shop.control("faults")
    row = add_ons.set_quantity(ada.user, "extra", 2)
    assert (row.add_ons, charged(shop, ada)) == ({"extra": 2}, [1600, 2000])


def test_an_outage_changes_nothing(shop, ada, ben):
    with shop.down(), pytest.raises(StripeUnavailable):
        add_ons.set_quantity(ada.user, "extra", 2)
    assert (ada.row.add_ons, items_of(shop, ada)) == ({}, {"pro_month": 1})
    assert add_ons.set_quantity(ada.user, "extra", 2).add_ons == {"extra": 2}


def test_a_declined_card_gives_nothing_and_leaves_no_invoice(shop, ada, ben):
    shop.change_card(ada, "pm_card_chargeCustomerFail")
    with pytest.raises(refusals.PaymentDeclined):
        add_ons.set_quantity(ada.user, "extra", 1)
    shop.deliver()
    assert not shop.stripe("GET", "invoices", subscription=ada.subscription, status="open")["data"]
    assert (limit_of(ada), ada.row.add_ons, charged(shop, ada)) == (1000, {}, [2000])


def test_a_payment_to_confirm_gives_it_only_when_it_is_confirmed(shop, ada, ben):
    shop.change_card(ada, "pm_card_authenticationRequired")
    row = add_ons.set_quantity(ada.user, "extra", 1)
    assert (row.pending_kind, row.pending_add_ons, row.add_ons, limit_of(ada)) == (
        "pending_update", {"extra": 1}, {}, 1000,
    )  # fmt: skip
    assert add_ons.set_quantity(ada.user, "extra", 1).pending_url == row.pending_url, "the second click asks nothing"
    with pytest.raises(refusals.ChangePending):
        add_ons.set_quantity(ada.user, "extra", 2)
    shop.control(f"invoices/{shop.open_invoice(ada)}/pay", outcome="authenticated")
    shop.deliver()
    assert (ada.row.add_ons, ada.row.pending_kind, limit_of(ada)) == ({"extra": 1}, "", 1500)


def test_a_payment_to_confirm_can_be_given_up(shop, ada):
    shop.change_card(ada, "pm_card_authenticationRequired")
    add_ons.set_quantity(ada.user, "extra", 1)
    row = add_ons.set_quantity(ada.user, "extra", 0)
    assert (row.pending_kind, row.add_ons) == ("", {})
    assert not shop.stripe("GET", "invoices", subscription=ada.subscription, status="open")["data"]


def test_an_old_preview_is_refused(shop, ada):
    with pytest.raises(refusals.StalePreview):
        add_ons.set_quantity(ada.user, "extra", 1, 1_700_000_000)
    shown = add_ons.preview(ada.user, "extra", 1)
    with pytest.raises(refusals.StalePreview):
        add_ons.set_quantity(ada.user, "extra", 2, shown.proration_date)
    assert ada.row.add_ons == {}


# Less


def test_less_waits_for_the_end_of_what_is_paid(shop, ada, ben):
    add_ons.set_quantity(ada.user, "extra", 3)
    shown = add_ons.preview(ada.user, "extra", 1)
    assert (shown.effect, shown.amount_due, shown.takes_effect_at) == ("period_end", 0, ada.row.current_period_end)
    row = add_ons.set_quantity(ada.user, "extra", 1)
    assert (row.add_ons, row.pending_kind, row.pending_add_ons) == ({"extra": 3}, "scheduled", {"extra": 1})
    assert (row.pending_at, limit_of(ada)) == (row.current_period_end, 2500)
    renew(shop)
    assert (ada.row.add_ons, ada.row.pending_kind, limit_of(ada)) == ({"extra": 1}, "", 1500)
    assert charged(shop, ada)[0] == 2000 + 800


def test_none_at_all_takes_the_item_away(shop, ada, ben):
    add_ons.set_quantity(ada.user, "extra", 2)
    add_ons.set_quantity(ada.user, "extra", 0)
    renew(shop)
    assert (items_of(shop, ada), ada.row.add_ons, charged(shop, ada)[0]) == ({"pro_month": 1}, {}, 2000)


def test_less_is_taken_back_by_the_number_that_there_is(shop, ada, ben):
    add_ons.set_quantity(ada.user, "extra", 2)
    add_ons.set_quantity(ada.user, "extra", 0)
    row = add_ons.set_quantity(ada.user, "extra", 2)
    assert (row.pending_kind, row.pending_add_ons) == ("", None)
    renew(shop)
    assert charged(shop, ada)[0] == 2000 + 1600


def test_less_and_then_another_number_is_scheduled_once(shop, ada):
    add_ons.set_quantity(ada.user, "extra", 5)
    add_ons.set_quantity(ada.user, "extra", 3)
    row = add_ons.set_quantity(ada.user, "extra", 1)
    assert row.pending_add_ons == {"extra": 1}
    assert len(shop.stripe("GET", "subscription_schedules", customer=ada.customer)["data"]) == 1


def test_a_preview_of_less_names_the_use_that_exceeds_it(shop, ada):
    add_ons.set_quantity(ada.user, "extra", 2)
    usage.consume(ada.user, "generations", 1700)
    shown = add_ons.preview(ada.user, "extra", 1)
    assert [(over.feature, over.limit, over.over_by) for over in shown.overflows] == [("generations", 1500, 200)]


# Rules


@pytest.mark.parametrize(("slug", "quantity"), [("nothing", 1), ("extra", 11)])
def test_what_is_not_sold_is_refused(shop, ada, slug, quantity):
    AddOn.objects.update(most=10)
    with pytest.raises(refusals.AddOnNotOffered):
        add_ons.set_quantity(ada.user, slug, quantity)


def test_what_is_no_longer_sold_can_only_become_less(shop, ada):
    add_ons.set_quantity(ada.user, "extra", 2)
    AddOn.objects.update(is_public=False)
    with pytest.raises(refusals.AddOnNotOffered):
        add_ons.set_quantity(ada.user, "extra", 3)
    assert add_ons.set_quantity(ada.user, "extra", 1).pending_add_ons == {"extra": 1}


def test_who_has_no_plan_has_no_add_on(shop):
    eve = shop.sign_up("eve@example.com")
    with pytest.raises(refusals.NoSubscription):
        add_ons.set_quantity(eve, "extra", 1)


def test_a_cancelled_subscription_takes_no_more(shop, ada):
    cancel.cancel(ada.user, "period_end")
    with pytest.raises(refusals.CancellationScheduled):
        add_ons.set_quantity(ada.user, "extra", 1)


def test_during_a_trial_it_is_free_until_the_trial_ends(shop):
    eve = shop.subscribed(plan="team", email="eve@example.com")
    row = add_ons.set_quantity(eve.user, "extra", 2)
    assert (row.status, row.add_ons, limit_of(eve), charged(shop, eve)) == ("trialing", {"extra": 2}, 11_000, [])
    assert add_ons.set_quantity(eve.user, "extra", 1).add_ons == {"extra": 1}
    renew(shop, days=15)
    assert charged(shop, eve) == [6000 + 800]


# With the plan


def test_a_plan_above_keeps_the_add_on_at_its_price(shop, ada, ben):
    add_ons.set_quantity(ada.user, "extra", 2)
    shown = previews.preview(ada.user, "team", "month")
    assert [(kept.slug, kept.quantity, kept.is_kept, kept.cost) for kept in shown.add_ons] == [("extra", 2, True, 1600)]
    row = change.change(ada.user, "team", "month", shown.proration_date)
    assert (row.plan.slug, row.add_ons, limit_of(ada)) == ("team", {"extra": 2}, 11_000)


def test_a_year_takes_the_yearly_price_of_the_add_on(shop, ada, ben):
    add_ons.set_quantity(ada.user, "extra", 2)
    row = change.change(ada.user, "pro", "year")
    assert (items_of(shop, ada), row.add_ons) == ({"pro_year": 1, "addon_extra_year": 2}, {"extra": 2})
    assert row.mrr == round((20_000 + 2 * 8000) / 12)


def test_a_plan_that_cannot_have_it_drops_it_now_and_says_so(shop, ada, ben):
    add_ons.set_quantity(ada.user, "extra", 2)
    AddOn.objects.update(plans=["pro"])
    shown = previews.preview(ada.user, "team", "month")
    assert [(gone.slug, gone.is_kept, gone.cost) for gone in shown.add_ons] == [("extra", False, None)]
    row = change.change(ada.user, "team", "month", shown.proration_date)
    assert (row.add_ons, items_of(shop, ada)) == ({}, {"team_month": 1})
    assert shown.amount_due == charged(shop, ada)[0] == 4000 - 1600


def test_a_downgrade_drops_what_the_lower_plan_cannot_have_at_its_end(shop):
    eve = shop.subscribed(plan="team", email="eve@example.com")
    renew(shop, days=15)
    add_ons.set_quantity(eve.user, "extra", 1)
    AddOn.objects.update(plans=["team"])
    row = change.change(eve.user, "pro", "month")
    assert (row.pending_kind, row.pending_price.plan.slug, row.pending_add_ons) == ("scheduled", "pro", {})
    assert row.add_ons == {"extra": 1}
    with pytest.raises(refusals.AddOnNotOffered):
        add_ons.set_quantity(eve.user, "extra", 1_000_000)
    renew(shop)
    assert (eve.row.plan.slug, items_of(shop, eve)) == ("pro", {"pro_month": 1})


def test_a_downgrade_and_less_of_an_add_on_are_scheduled_together_in_either_order(shop):
    eve = shop.subscribed(plan="team", email="eve@example.com")
    renew(shop, days=15)
    add_ons.set_quantity(eve.user, "extra", 3)
    add_ons.set_quantity(eve.user, "extra", 1)
    row = change.change(eve.user, "pro", "month")
    assert (row.pending_price.plan.slug, row.pending_add_ons) == ("pro", {"extra": 1})
    row = add_ons.set_quantity(eve.user, "extra", 2)
    assert (row.pending_price.plan.slug, row.pending_add_ons) == ("pro", {"extra": 2})
    row = add_ons.set_quantity(eve.user, "extra", 3)
    assert (row.pending_price.plan.slug, row.pending_add_ons) == ("pro", {"extra": 3})
    renew(shop)
    assert items_of(shop, eve) == {"pro_month": 1, "addon_extra_month": 3}


def test_others_items_and_metered_ones_stay_through_every_change(shop, ada):
    product = shop.stripe("POST", "products", name="Support")["id"]
    shop.stripe(
        "POST", "billing/meters", display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )
    meter = shop.stripe("GET", "billing/meters")["data"][0]["id"]
    asked = {"product": product, "currency": "usd"}
    support = shop.stripe("POST", "prices", **asked, unit_amount=300, recurring={"interval": "month"}, lookup_key="sup")
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter}
    metered = shop.stripe("POST", "prices", **asked, unit_amount=5, recurring=recurring, lookup_key="calls")
    shop.stripe("POST", "subscription_items", subscription=ada.subscription, price=support["id"], quantity=2)
    shop.stripe("POST", "subscription_items", subscription=ada.subscription, price=metered["id"])
    shop.deliver()
    others = {"sup": 2, "calls": None}
    add_ons.set_quantity(ada.user, "extra", 2)
    add_ons.set_quantity(ada.user, "extra", 1)
    assert items_of(shop, ada) == {"pro_month": 1, "addon_extra_month": 2, **others}
    renew(shop)
    assert items_of(shop, ada) == {"pro_month": 1, "addon_extra_month": 1, **others}
    shop.advance(days=2)  # the schedule has let go
    change.change(ada.user, "team", "month")
    assert items_of(shop, ada) == {"team_month": 1, "addon_extra_month": 1, **others}


# At Checkout


def test_a_plan_and_add_ons_are_bought_together(shop):
    eve = shop.sign_up("eve@example.com")
    attempt = checkout.start(eve, "pro", "month", add_ons={"extra": 3})
    assert checkout.start(eve, "pro", "month", add_ons={"extra": 3}).session_id == attempt.session_id
    shop.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    assert checkout.refresh_outcome(attempt) == "paid"
    assert usage.summary(eve)["generations"].limit == 2500
    shop.deliver()
    assert usage.summary(eve)["generations"].limit == 2500


def test_another_number_is_another_checkout(shop):
    eve = shop.sign_up("eve@example.com")
    one = checkout.start(eve, "pro", "month", add_ons={"extra": 1})
    none = checkout.start(eve, "pro", "month")
    assert one.session_id != none.session_id
    assert shop.stripe("GET", f"checkout/sessions/{one.session_id}")["status"] == "expired"


@pytest.mark.parametrize("wanted", [{"nothing": 1}, {"extra": -1}, {"extra": 10_001}])
def test_an_add_on_that_is_not_sold_begins_no_checkout(shop, wanted):
    with pytest.raises(refusals.AddOnNotOffered):
        checkout.start(shop.sign_up("eve@example.com"), "pro", "month", add_ons=wanted)


def test_a_try_that_broke_off_between_its_two_calls_is_continued(shop, ada):
    add_ons.set_quantity(ada.user, "extra", 2)
    shop.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    row = add_ons.set_quantity(ada.user, "extra", 1)
    assert (row.pending_kind, row.pending_add_ons) == ("scheduled", {"extra": 1})
    assert len(shop.stripe("GET", "subscription_schedules", customer=ada.customer)["data"]) == 1


def test_a_seat_more_stands_beside_the_add_ons_and_what_is_scheduled(shop, ada, settings):
    add_ons.set_quantity(ada.user, "extra", 3)
    add_ons.set_quantity(ada.user, "extra", 1)
    settings.BILLING_SEATS = "billing.tests.lifecycle.test_add_ons.four_seats"
    seats.changed(ada.user)
    testing.work()
    assert items_of(shop, ada) == {"pro_month": 4, "addon_extra_month": 3}
    assert (ada.row.quantity, ada.row.add_ons, ada.row.pending_add_ons) == (4, {"extra": 3}, {"extra": 1})
    renew(shop)
    assert items_of(shop, ada) == {"pro_month": 4, "addon_extra_month": 1}


def four_seats(subscriber):
    return 4
