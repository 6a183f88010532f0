"""Only the calendar brings these reminders, each once, by the sandbox's clock."""

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import lanes, signals
from billing.models import Customer, Price, Subscription
from billing.subscriptions import reminders


def yearly(world):
    ada = world.subscribed("pro", "year")
    world.heard.clear()
    return ada


def test_a_yearly_renewal_is_announced_once_and_once_again_a_year_later(world):
    ada = yearly(world)
    world.advance(days=330)
    reminders.hourly()
    assert "renewal_coming" not in world.said(ada)
    world.advance(days=6)
    reminders.hourly()
    reminders.hourly()
    assert world.said(ada).count("renewal_coming") == 1
    world.advance(days=30)
    world.deliver()
    world.advance(days=340)
    reminders.hourly()
    assert world.said(ada).count("renewal_coming") == 2


@pytest.mark.parametrize(("cadence", "is_told"), [("12 month", True), ("26 week", True), ("3 month", False)])
def test_a_renewal_of_half_a_year_or_longer_is_announced_whatever_its_interval(world, cadence, is_told):
    ada = world.subscribed("pro")
    count, interval = cadence.split()
    Price.objects.filter(pk=ada.row.price_id).update(interval=interval, interval_count=count)
    reminders_due = reminders.renewals_due(ada.row.current_period_end - timedelta(days=10))
    assert list(reminders_due) == ([ada.row] if is_told else [])


def test_what_costs_nothing_is_not_told_to_renew(world):
    ada = yearly(world)
    due = ada.row.current_period_end - timedelta(days=10)
    assert list(reminders.renewals_due(due)) == [ada.row]
    Price.objects.update(unit_amount=0)
    assert not reminders.renewals_due(due)


def test_neither_a_month_nor_what_is_cancelled_is_told_to_renew(world):
    ben, ada = world.subscribed(email="ben@example.com"), world.subscribed("pro", "year")
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end="true")
    world.advance(days=25)
    world.deliver()
    reminders.hourly()
    assert "renewal_coming" not in world.said(ben)
    world.advance(days=335)
    world.deliver()
    reminders.hourly()
    assert "renewal_coming" not in world.said(ada)


def test_a_card_that_ends_before_the_next_charge_is_told_once_and_a_new_one_is_not(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    for who in (ada, ben):
        expire_before_next_charge(world, who)
    world.deliver()
    reminders.hourly()
    assert "card_expiring" not in world.said(ada)
    world.change_card(ben, "pm_card_mastercard")
    world.advance(days=20)
    world.deliver()
    reminders.hourly()
    reminders.hourly()
    assert world.said(ada).count("card_expiring") == 1
    assert "card_expiring" not in world.said(ben)


def test_a_busy_lane_is_looked_at_again_an_hour_later(world):
    ada = yearly(world)
    world.advance(days=340)
    claim = lanes.take(ada.customer)
    assert reminders.hourly().startswith("0 renewals")
    lanes.let_go(claim)
    assert reminders.hourly().startswith("1 renewals")


def test_a_receiver_that_raises_silences_its_own_reminder_until_the_next_hour_and_no_other(world):
    ada = yearly(world)
    ben = world.subscribed("pro", "year", email="ben@example.com")
    world.advance(days=340)

    def raises(sender, subscription, **kwargs):
        if subscription.customer_id == ada.customer:
            raise LookupError

    signals.renewal_coming.connect(raises)
    try:
        assert reminders.hourly() == "1 renewals and 0 cards announced"
    finally:
        signals.renewal_coming.disconnect(raises)
    assert (ada.row.announced_renewal, ben.row.announced_renewal) == (None, ben.row.current_period_end)
    assert reminders.hourly() == "1 renewals and 0 cards announced"
    assert ada.row.announced_renewal == ada.row.current_period_end
    assert world.said(ben).count("renewal_coming") == 1


def expire_before_next_charge(world, who):
    card = world.stripe("GET", f"subscriptions/{who.subscription}")["default_payment_method"]
    end = who.row.current_period_end
    year, month = (end.year, end.month - 1) if end.month > 1 else (end.year - 1, 12)
    world.stripe("POST", f"payment_methods/{card}", card={"exp_month": month, "exp_year": year})


CHARGED = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def charged(db, settings):
    """A subscription that is charged on CHARGED by a card."""
    settings.BILLING_CLOCK = ""

    def make(customer, card_expires_on, announced=None):
        Customer.objects.create(pk=customer)
        return Subscription.objects.create(
            customer_id=customer, stripe_id=f"sub_{customer}", status="active",
            current_period_end=CHARGED, card_expires_on=card_expires_on,
            announced_card_expiry=announced,
        )  # fmt: skip

    return make


@pytest.mark.parametrize(
    ("expires_on", "is_due"),
    [(CHARGED.date() - DAY, True), (CHARGED.date(), False), (CHARGED.date() + DAY, False), (None, False)],
)
def test_a_card_is_told_of_if_it_ends_before_the_day_of_its_next_charge(charged, expires_on, is_due):
    row = charged("cus_ada", expires_on)
    charged("cus_ben", date(2030, 1, 31))
    assert list(reminders.expiring_cards(CHARGED - DAY)) == ([row] if is_due else [])


def test_who_was_told_of_this_card_is_not_told_again_and_who_was_told_of_another_is(charged):
    charged("cus_ada", date(2026, 5, 31), announced=date(2026, 5, 31))
    ben = charged("cus_ben", date(2026, 5, 31), announced=date(2024, 5, 31))
    eve = charged("cus_eve", date(2026, 5, 31))
    assert list(reminders.expiring_cards(CHARGED - DAY).order_by("customer")) == [ben, eve]


@pytest.mark.django_db
def test_of_a_card_that_nothing_is_charged_to_nothing_is_told(world):
    ada = world.subscribed()
    row = ada.row
    Subscription.objects.update(card_expires_on=row.current_period_end.date() - timedelta(days=2))
    due = row.current_period_end - timedelta(days=5)
    assert list(reminders.expiring_cards(due)) == [row]
    Subscription.objects.update(collection_method="send_invoice")
    assert not reminders.expiring_cards(due)
    Subscription.objects.update(collection_method="charge_automatically")
    Price.objects.update(unit_amount=0)
    assert not reminders.expiring_cards(due)
