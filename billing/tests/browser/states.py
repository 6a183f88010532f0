"""Subscribers in every state that there is, each brought about at the sandbox as it comes about at Stripe."""

from typing import Any

from billing.lifecycle import cancel, change
from billing.models import Plan, PlanLimit, Price
from billing.subscriptions import next_charges
from billing.tests.world import Subscriber, World

Person = Any  # of the user model


def free(world: World) -> Person:
    return world.sign_up()


def trial_with_card(world: World) -> Person:
    Plan.objects.filter(slug="team").update(trial_days=14)
    return world.subscribed("team").user


def trial_without_card(world: World) -> Person:
    Plan.objects.filter(slug="team").update(trial_days=14, trial_without_card="cancel")
    return world.subscribed("team", card="").user


def active(world: World) -> Person:
    return world.subscribed().user


def discounted(world: World) -> Person:
    ada = world.subscribed()
    coupon = world.stripe("POST", "coupons", percent_off=50, duration="repeating", duration_in_months=3, name="Spring")
    world.stripe("POST", f"subscriptions/{ada.subscription}", discounts=[{"coupon": coupon["id"]}])
    world.deliver()
    next_charges.each_minute()
    return ada.user


def past_due_in_grace(world: World) -> Person:
    return _declined(world, days=32).user


def grace_over(world: World) -> Person:
    ada = _declined(world, days=32)
    world.advance(days=6)
    world.deliver()
    return ada.user


def debit_under_way(world: World) -> Person:
    ada = world.subscribed()
    world.change_card(ada, "pm_usBankAccount_success")
    world.advance(days=32)
    world.deliver()
    return ada.user


def overdue_terms(world: World) -> Person:
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", collection_method="send_invoice", days_until_due=7)
    world.advance(days=42)
    world.deliver()
    return ada.user


def cancelled_at_end(world: World) -> Person:
    ada = world.subscribed()
    cancel.cancel(ada.user, "period_end")
    world.deliver()
    return ada.user


def downgrade_scheduled(world: World) -> Person:
    Plan.objects.update(trial_days=0)
    ada = world.subscribed("team")
    change.change(ada.user, "pro", "month")
    world.deliver()
    return ada.user


def dispute_hold(world: World) -> Person:
    ada = world.subscribed()
    world.dispute(ada)
    world.deliver()
    return ada.user


def unknown_price(world: World) -> Person:
    ada = world.subscribed()
    product = world.stripe("POST", "products", name="Something else")["id"]
    price = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=900, recurring={"interval": "month"}
    )
    found = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"][0]
    items = [{"id": found["id"], "price": price["id"]}]
    world.stripe("POST", f"subscriptions/{ada.subscription}", items=items, proration_behavior="none")
    world.deliver()
    return ada.user


def two_lines(world: World) -> Person:
    storage = Plan.objects.create(slug="storage", name="Storage", line="storage", rank=1)
    PlanLimit.objects.create(plan=storage, feature="gigabytes", quantity=100)
    product = world.stripe("POST", "products", name="Storage")["id"]
    terms = {"product": product, "currency": "usd", "unit_amount": 500, "lookup_key": "storage_month"}
    price = world.stripe("POST", "prices", recurring={"interval": "month"}, **terms)
    Price.objects.create(pk=price["id"], plan=storage, interval="month", **terms)
    ada = world.subscribed()
    world.subscribed("storage", user=ada.user)
    return ada.user


def _declined(world: World, days: int) -> Subscriber:
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=days)
    world.deliver()
    return ada
