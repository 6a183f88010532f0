"""Whether the number of an add-on may change, and when: each reason alone refuses, and each bound is touched."""

from contextlib import nullcontext

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from billing.lifecycle import add_on_items, add_on_rules, held_add_ons, refusals
from billing.lifecycle.live_subscription import Standing
from billing.models import AddOn, AddOnPrice, Customer, Hold, Plan, Price, Subscription
from billing.tests.subscriptions.test_projection import found, item

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def prices():
    """A low plan by the month and the year, and a high one by the month."""
    made = {}
    for rank, (slug, interval) in enumerate([("low", "month"), ("high", "month"), ("low", "year")]):
        plan, _ = Plan.objects.get_or_create(slug=slug, defaults={"name": slug.title(), "rank": rank})
        made[f"{slug}_{interval}"] = Price.objects.create(
            pk=f"price_{slug}_{interval}", plan=plan, currency="usd", unit_amount=1, interval=interval
        )
    return made


@pytest.fixture
def extra():
    made = AddOn.objects.create(slug="extra", name="Extra", most=5)
    for interval, amount in (("month", 800), ("year", 8000)):
        AddOnPrice.objects.create(
            pk=f"price_extra_{interval}", add_on=made, currency="usd", amounts={"usd": amount}, interval=interval
        )
    return made


@pytest.fixture
def other():
    """Another add-on, to which nothing happens."""
    made = AddOn.objects.create(slug="other", name="Other")
    AddOnPrice.objects.create(pk="price_other", add_on=made, currency="usd", amounts={"usd": 5}, interval="month")
    return made


def of(price, quantity=1, name=""):
    return {**item(price, quantity), "id": name or f"si_{price}"}


def standing(has=2, *, on="low_month", others=(), **changes):
    items = [of(f"price_{on}", name="si_plan")]
    items += [of(f"price_extra_{on.partition('_')[2]}", has)] if has else []
    return Standing(Customer(pk="cus_1"), found(items=[*items, *others], **changes))


def scheduled(price, quantity):
    """A schedule under which another price of a plan, or another number, comes with the next period."""
    phase = {"start_date": 2000, "items": [of(price), *([of("price_extra_month", quantity)] if quantity else [])]}
    return {"schedule": {"status": "active", "current_phase": {"end_date": 2000}, "phases": [phase]}}


WAITS = {"pending_update": {"subscription_items": [of("price_low_month"), of("price_extra_month", 3)], "expires_at": 9}}


def effect(now, add_on, quantity):
    try:
        return add_on_rules.effect(now, add_on, quantity)
    except refusals.Refused as refusal:
        return type(refusal).__name__


@pytest.mark.parametrize(
    ("now", "quantity", "effect_of_it"),
    [
        ({}, 2, None),
        ({}, 3, "now"),
        ({}, 5, "now"),
        ({}, 6, "AddOnNotOffered"),
        ({}, 1, "period_end"),
        ({}, 0, "period_end"),
        ({"has": 0}, 0, None),
        ({"has": 0}, 1, "now"),
        ({"status": "trialing"}, 3, "now"),
        ({"status": "trialing"}, 1, "now"),
        ({"status": "past_due"}, 3, "PaymentOverdue"),
        ({"status": "past_due"}, 1, "PaymentOverdue"),
        ({"status": "past_due"}, 2, None),
        ({"status": "canceled"}, 1, "NoSubscription"),
        ({"cancel_at_period_end": True}, 3, "CancellationScheduled"),
        # What comes with the next period.
        (scheduled("price_low_month", 1), 1, None),
        (scheduled("price_low_month", 1), 2, "takes_back"),
        (scheduled("price_low_month", 1), 0, "period_end"),
        (scheduled("price_low_month", 1), 3, "ChangePending"),
        (scheduled("price_low_month", 1), 6, "AddOnNotOffered"),
        (scheduled("price_high_month", 2), 1, "period_end"),
        # What waits for its payment.
        (WAITS, 3, None),
        (WAITS, 2, "takes_back"),
        (WAITS, 1, "ChangePending"),
        (WAITS, 4, "ChangePending"),
        # A yearly price is there too.
        ({"on": "low_year"}, 3, "now"),
    ],
)
def test_more_starts_now_and_less_with_the_next_period(extra, other, now, quantity, effect_of_it):
    assert effect(standing(**now), extra, quantity) == effect_of_it


def test_whose_access_is_withheld_gets_no_more_but_may_have_less_and_a_bystander_gets_more(extra):
    customer = Customer.objects.create(pk="cus_1")
    bystander = Customer.objects.create(
        pk="cus_ben", subscriber=get_user_model().objects.create_user("ben@example.com")
    )
    Hold.objects.create(customer=customer, kind="staff", placed_at=timezone.now())
    now = standing()
    assert (effect(now, extra, 3), effect(now, extra, 1)) == ("AccessWithheld", "period_end")
    assert effect(Standing(bystander, now.found), extra, 3) == "now"


def test_less_is_refused_where_the_coming_plan_cannot_have_it_at_all(extra):
    now = standing(**scheduled("price_high_month", 1))
    assert effect(now, extra, 0) == "period_end"
    AddOn.objects.update(plans=["low"])
    extra.refresh_from_db()
    assert effect(now, extra, 0) == "AddOnNotOffered"


@pytest.mark.parametrize(
    ("columns", "currency", "quantity", "is_offered"),
    [
        ({}, "usd", 5, True),
        ({}, "usd", 6, False),
        ({"most": None}, "usd", add_on_rules.MOST, True),
        ({"most": None}, "usd", add_on_rules.MOST + 1, False),
        ({"is_public": False}, "usd", 1, False),
        ({"plans": ["low"]}, "usd", 1, True),
        ({"plans": ["high"]}, "usd", 1, False),
        ({}, "eur", 1, False),
    ],
)
def test_an_add_on_is_offered_beside_its_plans_in_its_currencies_up_to_its_number(
    prices, extra, columns, currency, quantity, is_offered
):
    for name, value in columns.items():
        setattr(extra, name, value)
    refused = nullcontext() if is_offered else pytest.raises(refusals.AddOnNotOffered, match=r"\w")
    with refused:
        add_on_rules.check_offered(extra, prices["low_month"], currency, quantity)


def test_an_add_on_is_named_by_its_slug_also_when_it_is_sold_no_more(extra, other):
    AddOn.objects.update(is_public=False)
    assert add_on_rules.add_on_named("extra") == extra
    with pytest.raises(refusals.AddOnNotOffered, match="no such add-on"):
        add_on_rules.add_on_named("nothing")


def test_more_is_paid_at_the_price_that_is_paid_and_else_at_the_one_that_is_sold(extra, other):
    own = AddOnPrice.objects.create(
        pk="price_old", add_on=extra, currency="usd", amounts={"usd": 1}, interval="month", is_active=False
    )
    mine = standing(0, others=[of("price_other"), of("price_old")])
    assert add_on_rules.price_to_pay(mine, extra) == own
    assert add_on_rules.price_to_pay(standing(0), extra).pk == "price_extra_month"
    AddOnPrice.objects.filter(add_on=extra).update(is_active=False)
    with pytest.raises(refusals.AddOnNotOffered, match="We don't sell Extra with Low"):
        add_on_rules.price_to_pay(standing(0), extra)


# The items


def test_one_item_bills_as_many_as_are_asked_for(extra, other):
    price = AddOnPrice.objects.get(pk="price_extra_month")
    beside = [of("price_other", 4)]
    assert add_on_items.with_quantity(standing(0, others=beside), price, 3) == [{"price": price.pk, "quantity": 3}]
    assert add_on_items.with_quantity(standing(2, others=beside), price, 3) == [
        {"id": "si_price_extra_month", "quantity": 3}
    ]
    twice = standing(2, others=[*beside, of("price_extra_month", 1, "si_again")])
    assert add_on_items.with_quantity(twice, price, 3) == [
        {"id": "si_price_extra_month", "quantity": 3}, {"id": "si_again", "deleted": True},
    ]  # fmt: skip
    assert add_on_items.with_quantity(twice, price, 0) == [
        {"id": "si_price_extra_month", "deleted": True}, {"id": "si_again", "deleted": True},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("to", "plans", "params", "outlook"),
    [
        ("high_month", [], [], (True, 1600)),
        ("low_year", [], [{"id": "si_price_extra_month", "price": "price_extra_year", "quantity": 2}], (True, 16000)),
        ("high_month", ["high"], [], (True, 1600)),
        ("high_month", ["low"], [{"id": "si_price_extra_month", "deleted": True}], (False, None)),
        ("low_year", ["low"], [{"id": "si_price_extra_month", "price": "price_extra_year", "quantity": 2}],
         (True, 16000)),
    ],
)  # fmt: skip
def test_beside_another_price_an_add_on_stays_takes_the_intervals_price_or_is_dropped(
    prices, extra, to, plans, params, outlook
):
    AddOn.objects.update(plans=plans)
    now = standing(others=[of("price_shirt")])
    assert add_on_items.beside(now, prices[to]) == params
    (told,) = add_on_items.outlooks(now, prices[to])
    assert (told.slug, told.name, told.quantity, told.is_kept, told.cost) == ("extra", "Extra", 2, *outlook)


def test_a_price_that_is_paid_stays_in_its_interval_though_another_is_sold(prices, extra):
    AddOnPrice.objects.create(pk="price_new", add_on=extra, currency="usd", amounts={"usd": 9}, interval="month")
    AddOnPrice.objects.filter(pk="price_extra_month").update(is_active=False)
    assert add_on_items.beside(standing(), prices["high_month"]) == []
    AddOnPrice.objects.filter(pk="price_extra_year").delete()
    assert add_on_items.beside(standing(), prices["low_year"]) == [{"id": "si_price_extra_month", "deleted": True}]


def test_a_phase_after_a_change_has_the_plan_the_wanted_numbers_and_all_other_items(prices, extra, other):
    others = [of("price_shirt", 7), of("price_other", 4), of("price_extra_month", 9, "si_again")]
    now = standing(others=others)
    after = add_on_items.after(now, prices["high_month"], {"extra": 1, "other": 0})(3)
    assert [(each["price"], each["quantity"]) for each in after] == [
        ("price_high_month", 3), ("price_extra_month", 1), ("price_shirt", 7),
    ]  # fmt: skip
    assert add_on_items.after(now, prices["low_year"], {"extra": 1})(1)[1]["price"] == "price_extra_year"
    AddOn.objects.update(plans=["low"])
    after = add_on_items.after(standing(others=others), prices["high_month"], {"extra": 1, "other": 4})(3)
    assert [each["price"] for each in after] == ["price_high_month", "price_shirt"]


def test_what_puts_a_change_back_are_the_items_of_plan_and_add_ons(extra, other):
    now = standing(others=[of("price_shirt", 7), of("price_other", 4)])
    assert add_on_items.snapshot(now) == [
        {"id": "si_plan", "price": "price_low_month", "quantity": 1},
        {"id": "si_price_extra_month", "price": "price_extra_month", "quantity": 2},
        {"id": "si_price_other", "price": "price_other", "quantity": 4},
    ]


# What somebody has, by our rows


def subscribed(name="1", **columns):
    customer = Customer.objects.create(pk=f"cus_{name}")
    price = Price.objects.get(pk="price_low_month")
    usual = {
        "status": "active",
        "plan": price.plan,
        "price": price,
        "currency": "usd",
        "add_ons": {"other": 4, "extra": 2},
    }
    row = Subscription.objects.create(customer=customer, stripe_id=f"sub_{name}", **{**usual, **columns})
    for slug in ("price_low_month", "price_other", "price_extra_month"):
        own = AddOnPrice.objects.filter(pk=slug).first()
        row.items.create(stripe_id=f"si_{name}_{slug}", stripe_price=slug, add_on_price=own, quantity=1)
    return row


@pytest.mark.parametrize(
    ("pending", "then"),
    [
        (None, [None, None]),
        ({"extra": 2, "other": 4}, [None, None]),
        ({"extra": 1, "other": 4}, [1, None]),
        ({}, [0, 0]),
    ],
)
def test_what_is_held_is_told_in_the_order_of_sale_with_what_comes(extra, other, pending, then):
    AddOn.objects.filter(pk=other.pk).update(place=1)
    subscribed("ben", add_ons={"other": 1})
    held = held_add_ons.held_by(subscribed(pending_add_ons=pending))
    told = [(each.add_on.slug, each.price.pk, each.quantity, each.amount, each.currency) for each in held]
    assert told == [("extra", "price_extra_month", 2, 1600, "usd"), ("other", "price_other", 4, 20, "usd")]
    assert [each.then for each in held] == then


@pytest.mark.parametrize(
    ("columns", "slugs"),
    [
        ({}, ["extra", "other"]),
        ({"add_ons": {}}, []),
        ({"add_ons": {"extra": 1, "gone": 2}}, ["extra"]),
        ({"status": "past_due"}, ["extra", "other"]),
        ({"status": "canceled"}, []),
        ({"status": "incomplete_expired"}, []),
    ],
)
def test_only_what_lives_and_is_known_is_held(extra, other, columns, slugs):
    assert [each.add_on.slug for each in held_add_ons.held_by(subscribed(**columns))] == slugs
    assert held_add_ons.held_by(None) == []


@pytest.mark.parametrize(
    ("columns", "plans", "offered"),
    [
        ({}, [], ["price_extra_month", "price_other"]),
        ({}, ["high"], ["price_other"]),
        ({"currency": "eur"}, [], []),
        ({"plan": None}, [], []),
        ({"price": None}, [], []),
    ],
)
def test_what_is_sold_with_the_plan_is_offered_by_its_interval_and_currency(extra, other, columns, plans, offered):
    AddOn.objects.filter(pk=extra.pk).update(plans=plans)
    row = subscribed(**columns)
    assert [price.pk for _, price in held_add_ons.offered_to(row)] == offered
    assert held_add_ons.offered_to(None) == []
