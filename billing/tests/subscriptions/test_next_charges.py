"""The next charge is the amount that Stripe will really take, or nothing is said."""

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from billing.lifecycle import cancel, change, overview
from billing.models import NextCharge
from billing.subscriptions import end_for_deleted_customer, next_charges
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


def at_stripe(world, subscriber):
    return world.stripe("GET", f"subscriptions/{subscriber.subscription}")


def shown(subscriber):
    charge = overview.overview_of(subscriber.user).next_charge
    return charge and (charge.amount, charge.currency)


def changed(world, subscriber, **params):
    world.stripe("POST", f"subscriptions/{subscriber.subscription}", **params)
    world.deliver()


def previews(world):
    return sum(call["count"] for call in world.calls()["data"] if call["path"].endswith("create_preview"))


def renewed(world, subscriber):
    """Let the period end, and return what was then charged."""
    end = at_stripe(world, subscriber)["items"]["data"][0]["current_period_end"]
    world.control("advance", to=end + 7200)
    world.deliver()
    return world.stripe("GET", "invoices", subscription=subscriber.subscription)["data"][0]["amount_due"]


def test_a_price_is_reckoned_here_and_the_api_says_it(world, ada):
    api = APIClient()
    api.force_authenticate(ada.user)
    told = api.get("/api/v1/subscriptions/current").json()["next_charge"]
    end = ada.row.current_period_end.isoformat().replace("+00:00", "Z")
    assert told == {"amount": 2000, "currency": "usd", "at": end}
    assert previews(world) == 0
    assert renewed(world, ada) == 2000


def coupon(world, ada):
    half = world.stripe("POST", "coupons", percent_off=50, duration="forever")["id"]
    changed(world, ada, discounts=[{"coupon": half}])


def coupon_of_the_item(world, ada):
    tenth = world.stripe("POST", "coupons", percent_off=10, duration="forever")["id"]
    item = at_stripe(world, ada)["items"]["data"][0]["id"]
    changed(world, ada, items=[{"id": item, "discounts": [{"coupon": tenth}]}])


def balance(world, ada):
    world.stripe("POST", f"customers/{ada.customer}", balance=-1500)
    world.deliver()


def balance_that_covers_all(world, ada):
    world.stripe("POST", f"customers/{ada.customer}", balance=-9900)
    world.deliver()


def tax(world, ada):
    rate = world.stripe("POST", "tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"]
    changed(world, ada, default_tax_rates=[rate])


def waiting_item(world, ada):
    world.advance(hours=1)
    world.stripe("POST", "invoiceitems", customer=ada.customer, subscription=ada.subscription, amount=700,
                 currency="usd")  # fmt: skip
    world.deliver()


@pytest.mark.parametrize(
    ("become", "amount"),
    [(coupon, 1000), (coupon_of_the_item, 1800), (balance, 500), (balance_that_covers_all, 0), (tax, 2400),
     (waiting_item, 2700)],
)  # fmt: skip
def test_anything_else_is_asked_of_stripe_once_by_the_worker_and_not_said_before(world, ada, become, amount):
    become(world, ada)
    assert shown(ada) is None
    assert previews(world) == 0
    NextCharge.objects.update(currency="")
    assert next_charges.each_minute() == "1 next charges asked"
    assert next_charges.each_minute() == "0 next charges asked"
    assert shown(ada) == (amount, "usd")
    assert NextCharge.objects.get().at == ada.row.current_period_end
    assert previews(world) == 1
    world.deliver(scramble=True)
    assert renewed(world, ada) == amount


def test_what_an_upgrade_has_invoiced_already_is_not_waited_for(world, ada):
    world.advance(hours=1)
    change.change(ada.user, "team", "month")
    world.deliver()
    assert shown(ada) == (6000, "usd")


def test_when_the_coupon_goes_the_price_is_known_again(world, ada):
    coupon(world, ada)
    next_charges.each_minute()
    changed(world, ada, discounts="")
    assert shown(ada) == (2000, "usd")
    assert previews(world) == 1


def test_a_change_of_plan_at_the_renewal_is_charged_then(world):
    team = world.subscribed(plan="team")
    world.stripe("POST", f"subscriptions/{team.subscription}", trial_end="now")
    world.deliver()
    assert shown(team) == (6000, "usd")
    change.change(team.user, "pro", "month")
    assert shown(team) == (2000, "usd")
    assert renewed(world, team) == 2000


def test_a_trial_is_charged_at_its_end(world):
    team = world.subscribed(plan="team")
    charge = overview.overview_of(team.user).next_charge
    assert (charge.amount, charge.at) == (6000, team.row.trial_end)


@pytest.mark.parametrize(
    "params",
    [
        {"cancel_at_period_end": True},
        {"pause_collection": {"behavior": "void"}},
        {"pause_collection": {"behavior": "keep_as_draft"}},
    ],
)
def test_what_will_not_be_charged_is_not_announced(world, ada, params):
    changed(world, ada, **params)
    assert shown(ada) is None
    assert next_charges.each_minute() == "0 next charges asked"


def test_an_end_later_than_the_period_is_preceded_by_charges(world, ada):
    end = at_stripe(world, ada)["items"]["data"][0]["current_period_end"]
    changed(world, ada, cancel_at=end + 86_400 * 45)
    next_charges.each_minute()
    assert shown(ada) == (2000, "usd")


def test_the_next_try_of_a_failed_payment_is_a_charge(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    renewed(world, ada)
    charge = overview.overview_of(ada.user).next_charge
    invoice = world.stripe("GET", "invoices", subscription=ada.subscription, status="open")["data"][0]
    assert (charge.amount, int(charge.at.timestamp())) == (2000, invoice["next_payment_attempt"])


def test_a_renewals_draft_is_a_charge_within_the_hour(world, ada):
    end = at_stripe(world, ada)["items"]["data"][0]["current_period_end"]
    world.control("advance", to=end + 600)
    world.deliver()
    charge = overview.overview_of(ada.user).next_charge
    assert (charge.amount, int(charge.at.timestamp())) == (2000, end + 3600)


def test_after_the_end_nothing_is_charged(world, ada):
    cancel.cancel(ada.user, "now")
    assert shown(ada) is None


def test_an_outage_leaves_it_to_be_asked_again(world, ada):
    coupon(world, ada)
    with world.down():
        assert next_charges.each_minute() == "0 next charges asked"
    assert NextCharge.objects.exclude(ask_at=None).get().attempts == 0
    next_charges.each_minute()
    assert shown(ada) == (1000, "usd")


def test_an_answer_to_an_older_question_does_not_count(world, ada, monkeypatch):
    coupon(world, ada)
    row = NextCharge.objects.select_related("subscription").get()
    NextCharge.objects.update(version=row.version + 1)
    next_charges._ask(row)
    assert shown(ada) is None


def test_of_a_deleted_customer_nothing_is_asked(world, ada):
    waiting_item(world, ada)
    end_for_deleted_customer(customer_row(ada))
    assert next_charges.each_minute() == "0 next charges asked"


def test_an_item_that_waits_is_not_waited_for_by_another_product(world, ada):
    product = world.stripe("POST", "products", name="Magazine")["id"]
    price = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=700, recurring={"interval": "month"}
    )  # fmt: skip
    world.subscribe_again(ada, price["id"])
    waiting_item(world, ada)
    assert [row.subscription.stripe_id for row in NextCharge.objects.all()] == [ada.subscription]


# What no subscription shows


def asked_of_the_catalogue(world, ada, **params):
    price = at_stripe(world, ada)["items"]["data"][0]["price"]["id"]
    world.stripe("POST", f"prices/{price}", **params)


@pytest.mark.parametrize("how", ["event", "sync"])
def test_a_price_that_charges_otherwise_is_asked_of_stripe_anew(world, ada, how):
    asked_of_the_catalogue(world, ada, tax_behavior="inclusive")
    if how == "event":
        world.deliver()
    else:
        call_command("sync_stripe", verbosity=0)
    assert shown(ada) is None
    next_charges.each_minute()
    assert shown(ada) == (2000, "usd")
    assert previews(world) == 1


def test_a_burst_about_prices_costs_one_call_for_each_who_pays_and_none_for_others(world, ada):
    ben = world.subscribed("team", email="ben@example.com")
    price = at_stripe(world, ada)["items"]["data"][0]["price"]
    for code in ("txcd_10000000", "txcd_10103001", "txcd_10000000"):
        world.stripe("POST", f"products/{price['product']}", tax_code=code)
    asked_of_the_catalogue(world, ada, tax_behavior="exclusive")
    world.deliver()
    assert (shown(ada), shown(ben)) == (None, (6000, "usd"))
    next_charges.each_minute()
    assert previews(world) == 1


def test_a_new_name_and_a_price_that_is_sold_no_more_leave_the_amount(world, ada):
    price = at_stripe(world, ada)["items"]["data"][0]["price"]
    world.stripe("POST", f"products/{price['product']}", name="Pro for all")
    asked_of_the_catalogue(world, ada, nickname="Monthly", active=False)
    world.deliver()
    assert shown(ada) == (2000, "usd")
    assert not NextCharge.objects.filter(ask_at__isnull=False).exists()


def test_a_tax_id_has_stripe_asked_about_that_customer_alone(world, ada):
    ben = world.subscribed(email="ben@example.com")
    world.stripe("POST", f"customers/{ada.customer}/tax_ids", type="eu_vat", value="DE123456789")
    world.deliver()
    assert (shown(ada), shown(ben)) == (None, (2000, "usd"))
    next_charges.each_minute()
    assert (shown(ada), previews(world)) == ((2000, "usd"), 1)


def test_where_nothing_will_be_charged_a_price_changes_nothing(world, ada):
    changed(world, ada, cancel_at_period_end=True)
    asked_of_the_catalogue(world, ada, tax_behavior="inclusive")
    world.deliver()
    assert shown(ada) is None
    next_charges.each_minute()
    assert previews(world) == 0
