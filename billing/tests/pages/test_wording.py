"""What the page says of money, holds and cards fits together, in each line."""

import re

import pytest
from django.utils import timezone

from billing import catalogue
from billing.lifecycle import change, overview
from billing.models import Invoice, NextCharge, Plan, Price, Subscription
from billing.pages import next_words, wording
from billing.pages.days import day
from billing.subscriptions import holds, next_charges
from billing.tests.subscriptions.test_lines import both, storage
from billing.tests.world import customer_row

__all__ = ["both", "storage"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


def said(subscriber):
    found = wording.banners(overview.overview_of(subscriber.user))
    return {banner.headline: banner.sentence for banner in found}


def owes(subscriber, **columns):
    """An older invoice of the subscription, such as for a proration, is open."""
    usual = {
        "pk": "in_old", "customer": customer_row(subscriber), "subscription_id": subscriber.subscription,
        "purpose": "plan", "status": "open", "currency": "usd", "total": 700, "amount_due": 700,
        "amount_remaining": 700, "created_at": timezone.now(), "collection_method": "charge_automatically",
    }  # fmt: skip
    return Invoice.objects.create(**{**usual, **columns})


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "An invoice is still unpaid: pay it, or end the subscription now"),
        ({"collection_method": "send_invoice"}, "Your open invoice is still to be paid; nothing else follows."),
        ({"payment": "processing"}, "Your bank is already making a payment, which can't be stopped; no other follows."),
        ({"subscription_id": "sub_other"}, "You won't be charged for it again."),
        ({"subscription_id": "", "purpose": "one_off"}, "You won't be charged for it again."),
    ],
)
def test_who_leaves_while_an_older_invoice_is_open_is_not_told_that_nothing_is_charged(world, ada, columns, words):
    owes(ada, **columns)
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    world.deliver()
    assert words in said(ada)["Your subscription is cancelled"]


def test_what_costs_nothing_has_no_next_payment(ada):
    assert next_words.next_date(overview.overview_of(ada.user))[0] == "Next payment"
    Price.objects.update(unit_amount=0)
    assert next_words.next_date(overview.overview_of(ada.user)) is None


def coming(client):
    """Return what the page says of each line's next payment, without the words that stand before it."""
    page = client.get("/billing/").content.decode()
    return re.findall(r"<dt>Next payment</dt><dd>(.*?)</dd>", page)


def test_each_line_tells_the_amount_of_its_next_payment(both, client):
    client.force_login(both.user)
    on = day(both.row.current_period_end)
    assert coming(client) == [f"$20.00 on {on}", f"$5.00 on {on}"]


def test_a_further_lines_next_payment_is_what_is_charged_after_discounts(world, both, client):
    coupon = world.stripe("POST", "coupons", percent_off=40, duration="forever")["id"]
    world.stripe("POST", f"subscriptions/{both.storage}", discounts=[{"coupon": coupon}])
    world.deliver()
    client.force_login(both.user)
    on = day(both.row.current_period_end)
    assert coming(client) == [f"$20.00 on {on}", f"{on}. Stripe is working out the amount"]
    NextCharge.objects.update(ask_at=timezone.now())
    next_charges.each_minute()
    assert coming(client) == [f"$20.00 on {on}", f"$3.00 on {on}"]


def test_what_is_not_charged_by_its_price_alone_and_not_asked_either_shows_the_day_alone(both, client):
    NextCharge.objects.update(amount=None, ask_at=None)
    client.force_login(both.user)
    on = day(both.row.current_period_end)
    assert coming(client) == [on, on]


def test_a_hold_of_a_further_line_alone_is_said_there(both):
    def headlines():
        return [[banner.headline for banner in told] for told in map(told_of, overview.overviews_of(both.user))]

    def told_of(now):
        return wording.banners(now) if now.line == "main" else wording.banners_of_line(now)

    assert headlines() == [[], []]
    holds.place(customer_row(both), "dispute", "dp_1", subscription_id=both.storage)
    assert headlines() == [[], ["Access paused: a payment is disputed"]]
    holds.release(customer_row(both), "dispute", "dp_1")
    holds.place(customer_row(both), "staff", "1")
    assert headlines() == [["Access paused"], ["Access to Storage is paused too"]]
    assert "$5.00 is charged on" in told_of(overview.overviews_of(both.user)[1])[0].sentence


def test_a_further_line_without_a_card_is_resumed_by_its_own_button(both, client):
    Subscription.objects.filter(stripe_id=both.storage).update(status="paused", has_payment_method=True)
    client.force_login(both.user)
    page = client.get("/billing/").content.decode()
    assert '<form method="post" action="/billing/resume?line=storage">' in page
    assert 'href="/billing/resume' not in page
    Subscription.objects.filter(stripe_id=both.storage).update(status="trialing", has_payment_method=False)
    Subscription.objects.filter(stripe_id=both.storage).update(trial_end=timezone.now(), cancel_at=None)
    assert "have a card for you" in client.get("/billing/").content.decode()


def test_who_removed_the_card_is_told_what_is_due_unless_nothing_will_be_charged(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    card = world.stripe("GET", f"subscriptions/{ada.subscription}")["default_payment_method"]
    world.stripe("POST", f"payment_methods/{card}/detach")
    world.deliver()
    told = "have a card for you, and $20.00 is due on"
    assert told in client.get("/billing/").content.decode()
    world.stripe("POST", f"subscriptions/{ada.subscription}", collection_method="send_invoice", days_until_due=7)
    world.deliver()
    assert told not in client.get("/billing/").content.decode(), "it is paid on the invoice's page"
    world.change_card(ada, "pm_card_visa")
    world.stripe("POST", f"subscriptions/{ada.subscription}", collection_method="charge_automatically")
    world.deliver()
    assert told not in client.get("/billing/").content.decode()


def test_who_has_credit_for_the_next_payment_is_not_told_to_add_a_card(world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    world.stripe("POST", f"customers/{ada.customer}/balance_transactions", amount=-2000, currency="usd")
    card = world.stripe("GET", f"subscriptions/{ada.subscription}")["default_payment_method"]
    world.stripe("POST", f"payment_methods/{card}/detach")
    world.deliver()
    assert "have a card for you" not in client.get("/billing/").content.decode()


def scheduled_by_staff(world, subscriber, price):
    """Staff let another price begin with the next period."""
    subscription = world.stripe("GET", f"subscriptions/{subscriber.subscription}")
    schedule = world.stripe("POST", "subscription_schedules", from_subscription=subscription["id"])
    now = schedule["phases"][0]
    held = {"items": [{"price": subscription["items"]["data"][0]["price"]["id"], "quantity": 1}]}
    next_one = {"items": [{"price": price, "quantity": 1}], "duration": {"interval": "month", "interval_count": 1}}
    phases = [{**held, "start_date": now["start_date"], "end_date": now["end_date"]}, next_one]
    world.stripe("POST", f"subscription_schedules/{schedule['id']}", end_behavior="release", phases=phases)
    world.deliver()


def price_of_pro(world, amount):
    """Return the id of a further price of Pro, which staff have given to the plan."""
    product = world.stripe("GET", "prices", lookup_keys=["pro_month"])["data"][0]["product"]
    made = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=amount, recurring={"interval": "month"}
    )
    catalogue.give_price(made, Plan.objects.get(slug="pro"))
    return made["id"]


def test_a_price_that_rises_is_said_and_not_called_a_change_of_plan(world, ada):
    scheduled_by_staff(world, ada, price_of_pro(world, 2500))
    ((headline, sentence),) = said(ada).items()
    assert headline.startswith("The price of Pro changes on ")
    assert sentence == "New price: $25.00 per month. Until then nothing changes."


def test_a_year_that_becomes_a_month_of_the_same_plan_is_a_price_too(world):
    eve = world.subscribed("pro", "year")
    change.change(eve.user, "pro", "month")
    assert "New price: $20.00 per month. Until then nothing changes." in said(eve).values()


def test_another_plan_is_called_a_change_of_plan(world):
    Plan.objects.update(trial_days=0)
    eve = world.subscribed("team")
    change.change(eve.user, "pro", "month")
    assert "Until then you keep Team." in said(eve).values()


def test_time_that_staff_give_by_a_trial_is_followed_by_the_next_payment_and_not_by_a_first(world, ada):
    world.advance(days=10)
    until = int(ada.row.current_period_end.timestamp()) + 30 * 86_400
    world.stripe("POST", f"subscriptions/{ada.subscription}", trial_end=until, proration_behavior="none")
    world.deliver()
    assert next_words.next_date(overview.overview_of(ada.user)) == ("Next payment", ada.row.trial_end)


def test_a_trial_at_the_start_is_followed_by_the_first_payment(world):
    Plan.objects.filter(slug="pro").update(trial_days=14)
    eve = world.subscribed()
    assert next_words.next_date(overview.overview_of(eve.user)) == ("First payment", eve.row.trial_end)
