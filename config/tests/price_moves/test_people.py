"""In every situation somebody is moved with all that they have, waits with a reason, or is left alone."""

import pytest
from django.contrib.auth.models import Group

from billing.lifecycle import change, deletion, price_moves
from billing.models import PriceMove, PriceMoveRow, Subscription
from notifications.models import Mail

from .moving import (
    at_stripe,
    invoices,
    letter,
    move,
    paid_price,
    past,
    priced,
    row,
    send,
    to_the_eve,
    told,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def dearer(world):
    return priced(world)


def changed(world, subscriber, **params):
    world.stripe("POST", f"subscriptions/{subscriber.subscription}", **params)
    world.deliver()


def begun(dearer, *args, **options):
    move("pro:month", dearer, *args, **{"notice_days": 0, **options})
    send()


def moved(world, subscriber, dearer):
    """Let the renewal come; return what Stripe has of the subscription then."""
    at = row().moves_at
    to_the_eve(world, at)
    past(world, at)
    assert (row().status, paid_price(world, subscriber)) == ("moved", dearer)
    return at_stripe(world, subscriber)


def test_discount_tax_rates_and_metadata_stay(world, ada, dearer):
    half = world.stripe("POST", "coupons", percent_off=50, duration="forever")["id"]
    rate = world.stripe("POST", "tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    item = at_stripe(world, ada)["items"]["data"][0]["id"]
    kept = {"id": item, "tax_rates": [rate], "metadata": {"seat": "window"}, "discounts": [{"coupon": half}]}
    changed(world, ada, items=[kept], metadata={"from": "spring"}, discounts=[{"coupon": half}])
    begun(dearer)
    before = at_stripe(world, ada)
    after = moved(world, ada, dearer)
    was, now = before["items"]["data"][0], after["items"]["data"][0]
    assert [each["id"] for each in now["tax_rates"]] == [each["id"] for each in was["tax_rates"]] == [rate]
    for name in ("metadata", "discounts", "quantity", "billing_thresholds"):
        assert now[name] == was[name]
    for name in ("metadata", "default_tax_rates", "default_payment_method"):
        assert after[name] == before[name]
    assert after["discounts"] == before["discounts"] != []
    assert invoices(world, ada) == [2000, 750]  # 25 less a half, less a half, and a fifth on top


def test_the_next_charge_with_a_discount_is_what_stripe_says_of_the_new_price(world, ada, dearer):
    half = world.stripe("POST", "coupons", percent_off=50, duration="forever")["id"]
    changed(world, ada, discounts=[{"coupon": half}])
    begun(dearer)
    from billing.lifecycle import overview
    from billing.subscriptions import next_charges

    next_charges.each_minute()
    assert overview.overview_of(ada.user).next_charge.amount == 1250


def test_seats_are_told_and_moved_with_their_number(world, dearer, settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"
    ada = world.sign_up()
    ada.groups.add(*(Group.objects.create(name=str(number)) for number in range(3)))
    ada = world.subscribed(user=ada)
    begun(dearer)
    assert (row().quantity, row().old_amount, row().new_amount) == (3, 6000, 7500)
    assert "Quantity: 3" in letter("changes on").body
    assert moved(world, ada, dearer)["items"]["data"][0]["quantity"] == 3
    assert invoices(world, ada) == [6000, 7500]


def test_other_items_stay_as_they_are(world, ada, dearer):
    meter = world.stripe("POST", "billing/meters", display_name="Calls", event_name="calls",
                         default_aggregation={"formula": "sum"})["id"]  # fmt: skip
    other = world.stripe("POST", "products", name="Calls")["id"]
    metered = {"interval": "month", "usage_type": "metered", "meter": meter}
    by_use = world.stripe("POST", "prices", product=other, currency="usd", unit_amount=10, recurring=metered)["id"]
    fixed = world.stripe("POST", "prices", product=other, currency="usd", unit_amount=700,
                         recurring={"interval": "month"})["id"]  # fmt: skip
    changed(world, ada, items=[{"price": by_use}, {"price": fixed, "quantity": 2}], proration_behavior="none")
    begun(dearer)
    items = {item["price"]["id"]: item.get("quantity") for item in moved(world, ada, dearer)["items"]["data"]}
    assert items == {dearer: 1, by_use: None, fixed: 2}


def test_who_is_on_trial_pays_the_old_price_first_if_the_trial_ends_within_the_notice(world):
    dearer = priced(world, 7000, of="team_month")
    eve = world.subscribed("team")
    assert eve.row.status == "trialing"
    trial_end = eve.row.trial_end
    move("team:month", dearer)
    send()
    assert row().moves_at > trial_end
    past(world, trial_end)
    at = row().moves_at
    to_the_eve(world, at)
    past(world, at)
    assert invoices(world, eve)[-2:] == [6000, 7000]


def test_a_trial_goes_on_and_its_end_charges_the_new_price_if_the_notice_is_over(world):
    dearer = priced(world, 7000, of="team_month")
    eve = world.subscribed("team")
    trial_end = eve.row.trial_end
    move("team:month", dearer, notice_days=5)
    send()
    assert row().moves_at == trial_end
    to_the_eve(world, trial_end)
    assert (at_stripe(world, eve)["status"], paid_price(world, eve)) == ("trialing", dearer)
    past(world, trial_end)
    assert invoices(world, eve)[-1] == 7000


def test_the_mail_about_a_trials_end_names_what_is_charged_then(world):
    dearer = priced(world, 7000, of="team_month")
    eve = world.subscribed("team")
    move("team:month", dearer, notice_days=5)
    world.control("advance", to=int(eve.row.trial_end.timestamp()) - 2 * 86_400)
    world.deliver()
    assert Mail.objects.get(kind="trial_ending").context["charge"] == 7000


def test_an_invoice_that_is_sent_has_the_new_amount(world, ada, dearer):
    changed(world, ada, collection_method="send_invoice", days_until_due=14)
    begun(dearer)
    moved(world, ada, dearer)
    assert invoices(world, ada) == [2000, 2500]


def test_while_the_collection_is_paused_nobody_is_told_of_a_charge(world, ada, dearer):
    changed(world, ada, pause_collection={"behavior": "void"})
    begun(dearer)
    assert (row().status, row().reason, told()) == ("listed", "Its collection is paused: nothing is charged.", [])
    changed(world, ada, pause_collection="")
    PriceMoveRow.objects.update(due_at=row().move.started_at)
    work()
    assert (row().status, told()) == ("told", ["sent"])
    moved(world, ada, dearer)


def test_who_has_scheduled_another_plan_is_not_told_of_a_price_that_they_never_pay(world):
    dearer = priced(world, 7000, of="team_month")
    eve = world.subscribed("team")
    past(world, eve.row.trial_end)
    change.change(eve.user, "pro", "month")
    world.deliver()
    move("team:month", dearer, notice_days=0)
    assert (row().status, told()) == ("listed", [])
    end = eve.row.current_period_end
    past(world, end)
    assert (row().status, eve.row.plan.slug) == ("changed", "pro")


def test_who_takes_back_a_scheduled_change_is_told_after_all(world):
    dearer = priced(world, 7000, of="team_month")
    eve = world.subscribed("team")
    past(world, eve.row.trial_end)
    change.change(eve.user, "pro", "month")
    world.deliver()
    move("team:month", dearer, notice_days=0)
    change.take_back(eve.user)
    world.deliver()
    PriceMoveRow.objects.update(due_at=row().move.started_at)
    work()
    assert told() == ["sent"]


def test_who_schedules_another_plan_after_being_told_changes_as_they_said(world):
    dearer = priced(world, 7000, of="team_month")
    eve = world.subscribed("team")
    past(world, eve.row.trial_end)
    move("team:month", dearer, notice_days=0)
    send()
    change.change(eve.user, "pro", "month")
    world.deliver()
    at = row().moves_at
    to_the_eve(world, at)
    past(world, at)
    work()
    assert (row().status, eve.row.plan.slug, invoices(world, eve)[-1]) == ("changed", "pro", 2000)


def test_who_changes_plan_is_left_alone(world, ada, dearer):
    begun(dearer)
    change.change(ada.user, "team", "month")
    world.deliver()
    work()
    assert (row().status, ada.row.plan.slug) == ("changed", "team")


def test_a_schedule_of_staff_keeps_its_phases_and_gets_the_new_price_from_the_renewal_on(world, ada, dearer):
    schedule = world.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    old, now = paid_price(world, ada), schedule["phases"][0]
    half = world.stripe("POST", "coupons", percent_off=50, duration="forever")["id"]
    month = 31 * 86_400
    world.stripe(
        "POST", f"subscription_schedules/{schedule['id']}", end_behavior="release", proration_behavior="none",
        phases=[
            {"items": [{"price": old, "quantity": 1}], "start_date": now["start_date"],
             "end_date": now["end_date"] + month, "metadata": {"phase": "one"}},
            {"items": [{"price": old, "quantity": 1}], "discounts": [{"coupon": half}],
             "duration": {"interval": "month", "interval_count": 3}},
        ],
    )  # fmt: skip
    world.deliver()
    begun(dearer)
    at = row().moves_at
    to_the_eve(world, at)
    phases = world.stripe("GET", f"subscription_schedules/{schedule['id']}")["phases"]
    assert [phase["items"][0]["price"] for phase in phases] == [old, dearer, dearer]
    assert [phase["metadata"] for phase in phases][:2] == [{"phase": "one"}] * 2
    assert phases[2]["discounts"][0]["coupon"] == half
    assert paid_price(world, ada) == old
    past(world, at)
    assert (row().status, invoices(world, ada)) == ("moved", [2000, 2500])
    assert not Mail.objects.filter(kind="downgrade_scheduled", status="sent").exists()


def test_a_pending_change_is_waited_for_and_nothing_is_lost(world, ada, dearer):
    begun(dearer)
    at = row().moves_at
    world.change_card(ada, "pm_card_authenticationRequired")
    world.control("advance", to=int(at.timestamp()) - 23 * 3600)
    world.deliver()
    change.change(ada.user, "team", "month")
    world.deliver()
    work()
    assert (row().status, at_stripe(world, ada)["pending_update"] is not None) == ("owed", True)
    change.take_back(ada.user)
    world.deliver()
    work()
    assert (row().status, paid_price(world, ada)) == ("moved", dearer)


def test_a_deleted_account_is_not_moved(world, ada, dearer):
    begun(dearer)
    PriceMoveRow.objects.update(reason="550 ada@example.com is no user")
    deletion.begin(ada.user)
    work()
    world.deliver()
    work()
    assert (row().status, row().reason, told()) == ("objected", "", ["sent"])


def test_yearly_and_quarterly_renewals_are_reckoned_in_their_rhythm(world):
    dearer = priced(world, 25000, of="pro_year")
    yves = world.subscribed("pro", "year", email="yves@example.com")
    move("pro:year", dearer)
    assert row().moves_at == yves.row.current_period_end
    assert (row().old_amount, row().new_amount) == (20000, 25000)


def test_a_subscription_in_another_currency_is_told_in_it(world, dearer):
    bea = world.subscribed("pro", "month", email="bea@example.com", card="pm_card_visa")
    Subscription.objects.filter(pk=bea.row.pk).update(currency="eur")
    begun(dearer)
    assert (row().currency, row().old_amount, row().new_amount) == ("eur", 1900, 2400)


def test_who_subscribes_by_a_checkout_that_was_open_is_found_and_told(world, ada, dearer):
    from billing.lifecycle import checkout

    late = world.sign_up("late@example.com")
    attempt = checkout.start(late, "pro", "month")
    begun(dearer)
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    world.deliver()
    work()
    assert (PriceMoveRow.objects.count(), told()) == (2, ["sent", "sent"])


def test_a_move_ends_once_nobody_is_left(world, ada, dearer):
    begun(dearer)
    moved(world, ada, dearer)
    work()
    assert PriceMove.objects.get().done_at
    assert not world.stripe("GET", f"prices/{row().move.old_price_id}")["active"]


def test_without_a_witness_the_signal_counts_as_told(world, ada, dearer, monkeypatch):
    monkeypatch.setattr(price_moves.notice, "_witnesses", {})
    move("pro:month", dearer, notice_days=0)
    Mail.objects.all().delete()
    moved(world, ada, dearer)


def test_who_would_pay_the_same_is_moved_without_a_mail(world, ada):
    same = priced(world, 2000)
    begun(same)
    assert (row().status, told()) == ("told", [])
    moved(world, ada, same)


def test_without_at_renewal_stripe_is_told_once_the_notice_is_over_and_charges_no_part(world):
    dearer = priced(world, 25000, of="pro_year")
    yves = world.subscribed("pro", "year")
    move("pro:year", dearer, notice_days=30)
    send()
    world.advance(days=31)
    world.deliver()
    work()
    assert (row().status, paid_price(world, yves), invoices(world, yves)) == ("moved", dearer, [20000])
    past(world, row().moves_at)
    assert invoices(world, yves) == [20000, 25000]
