"""Only the calendar brings these reminders, each once, by the sandbox's clock."""

from billing import lanes
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


def expire_before_next_charge(world, who):
    card = world.stripe("GET", f"subscriptions/{who.subscription}")["default_payment_method"]
    end = who.row.current_period_end
    year, month = (end.year, end.month - 1) if end.month > 1 else (end.year - 1, 12)
    world.stripe("POST", f"payment_methods/{card}", card={"exp_month": month, "exp_year": year})
