"""What changes in Stripe's catalogue is sold, shown and mapped here at once, and no customer's event waits for it."""

import pytest
from django.core.management import call_command

from billing.cadence import Cadence
from billing.catalogue import price_for_sale, refreshing
from billing.lifecycle import change, checkout, previews
from billing.lifecycle.refusals import PriceNotOffered, PriceReplaced
from billing.models import CheckoutAttempt, Customer, Plan, Price, StripeEvent

pytestmark = pytest.mark.django_db
MONTH = Cadence("month")


def pro():
    return Plan.objects.get(slug="pro")


def sold():
    return price_for_sale(pro(), MONTH)


def keyed(world, key="pro_month"):
    return world.stripe("GET", "prices", lookup_keys=[key])["data"][0]


def replaced(world, amount=2500, **params):
    """Replace the monthly price of Pro as staff do: the new one takes the lookup key, the old one is archived."""
    old = keyed(world)
    given = {"product": old["product"], "currency": "usd", "recurring": {"interval": "month"}, "unit_amount": amount}
    new = world.stripe("POST", "prices", lookup_key="pro_month", transfer_lookup_key=True, **{**given, **params})
    world.stripe("POST", f"prices/{old['id']}", active=False)
    return new["id"], old["id"]


def prices_asked(world):
    return sum(row["count"] for row in world.calls()["data"] if row["path"].startswith("/v1/prices"))


def tell_by_event(world):
    world.deliver()


def tell_by_sync(world):
    call_command("sync_stripe", verbosity=0)


@pytest.mark.parametrize("tell", [tell_by_event, tell_by_sync])
def test_a_replaced_price_is_sold_at_once_and_the_old_one_stays_with_who_pays_it(world, tell):
    ada = world.subscribed()
    new, old = replaced(world)
    tell(world)
    assert (sold().pk, sold().unit_amount) == (new, 2500)
    archived = Price.objects.get(pk=old)
    assert (archived.is_active, archived.lookup_key, archived.plan.slug) == (False, "", "pro")
    world.deliver()
    assert (ada.access.plan.slug, ada.row.price_id) == ("pro", old)
    assert checkout.start(world.sign_up("ben@example.com"), "pro", "month").price_id == new


@pytest.mark.parametrize("tell", [tell_by_event, tell_by_sync])
@pytest.mark.parametrize("end", ["archived", "product", "key"])
def test_what_stripe_sells_no_more_is_sold_no_more(world, tell, end):
    price = keyed(world)
    path = f"products/{price['product']}" if end == "product" else f"prices/{price['id']}"
    world.stripe("POST", path, **({"lookup_key": ""} if end == "key" else {"active": False}))
    tell(world)
    if end == "key":
        assert (sold().pk, sold().lookup_key) == (price["id"], ""), "it is the only one, and still active"
        return
    assert sold() is None
    with pytest.raises(PriceNotOffered):
        checkout.start(world.sign_up(), "pro", "month")
    world.stripe("POST", path, active=True)
    tell(world)
    assert sold().pk == price["id"]


def test_a_price_that_stripe_has_no_more_is_ended_and_not_forgotten(world):
    gone = Price.objects.create(
        pk="price_gone", plan=pro(), currency="usd", unit_amount=1, interval="week", lookup_key="pro_week"
    )
    call_command("sync_stripe", verbosity=0)
    gone.refresh_from_db()
    assert (gone.is_active, gone.lookup_key) == (False, "")


def test_a_key_of_another_account_ends_no_price(world):
    world.control("reset")
    done = refreshing.refresh_all()
    assert (done.is_foreign, Price.objects.filter(is_active=False).count()) == (True, 0)


def test_a_new_price_by_a_lookup_key_becomes_the_plans_and_that_of_another_product_does_not(world):
    product = world.stripe("POST", "products", name="Magazine")["id"]
    given = {"product": product, "currency": "usd", "unit_amount": 700, "recurring": {"interval": "month"}}
    world.stripe("POST", "prices", lookup_key="magazine_month", **given)
    world.stripe("POST", "prices", **{**given, "recurring": {"interval": "year"}})
    world.stripe("POST", f"products/{product}", name="Journal")
    before = Price.objects.count()
    world.control("faults")
    asked = prices_asked(world)
    world.deliver()
    assert (Price.objects.count(), Plan.objects.count(), prices_asked(world)) == (before, 3, asked)
    notes = set(StripeEvent.objects.filter(lane=refreshing.LANE).values_list("status", "error_message"))
    assert notes == {("processed", "No effect: this price or product belongs to no plan.")}


def test_a_drain_of_the_catalogue_makes_one_call_however_many_events(world):
    price = keyed(world)
    for amount in (2100, 2200, 2300):
        replaced(world, amount)
    world.stripe("POST", f"products/{price['product']}", name="Pro for all")
    asked = prices_asked(world)
    world.deliver()
    assert prices_asked(world) == asked + 1
    assert sold().unit_amount == 2300


def test_events_out_of_order_and_twice_end_at_what_stripe_says(world):
    replaced(world, 2100)
    new, _ = replaced(world, 2200)
    world.deliver(scramble=True, seed=7)
    assert sold().pk == new


def test_a_customers_event_does_not_wait_for_a_price(world, monkeypatch):
    ada = world.subscribe()
    replaced(world)

    def fail(*_):
        raise RuntimeError("the catalogue is broken")

    monkeypatch.setattr(refreshing, "refresh_about", fail)
    with pytest.raises(AssertionError):
        world.deliver()
    failed = StripeEvent.objects.filter(status="failed")
    assert set(failed.values_list("lane", flat=True)) == {refreshing.LANE}
    assert ada.access.plan.slug == "pro"
    assert not Customer.objects.filter(pk=refreshing.LANE).exists()


def test_a_plan_is_renamed_with_its_product_unless_staff_named_it_otherwise(world):
    product = keyed(world)["product"]
    world.stripe("POST", f"products/{product}", name="Professional")
    world.deliver()
    assert pro().name == "Professional"
    Plan.objects.filter(slug="pro").update(name="Ours")
    world.stripe("POST", f"products/{product}", name="Theirs")
    world.deliver()
    assert pro().name == "Ours"


# Before any event came


def test_a_purchase_of_a_price_replaced_this_moment_sells_the_new_one(world):
    new, _ = replaced(world)
    attempt = checkout.start(world.sign_up(), "pro", "month")
    assert (attempt.price_id, bool(attempt.url)) == (new, True)
    assert CheckoutAttempt.objects.filter(status="open").count() == 1


def test_a_purchase_of_a_price_archived_this_moment_is_refused_in_words(world):
    world.stripe("POST", f"prices/{keyed(world)['id']}", active=False)
    with pytest.raises(PriceNotOffered):
        checkout.start(world.sign_up(), "pro", "month")


def test_a_change_to_a_price_replaced_this_moment_charges_nothing_and_the_preview_shows_the_new_one(world):
    ada = world.subscribed("pro")
    team = keyed(world, "team_month")
    given = {"product": team["product"], "currency": "usd", "recurring": {"interval": "month"}}
    world.stripe("POST", "prices", lookup_key="team_month", transfer_lookup_key=True, unit_amount=9900, **given)
    world.stripe("POST", f"prices/{team['id']}", active=False)
    with pytest.raises(PriceReplaced, match="Nothing was charged"):
        change.change(ada.user, "team", "month")
    assert previews.preview(ada.user, "team", "month").renewal_amount == 9900


def test_a_dry_run_tells_what_differs_and_writes_nothing(world, capsys):
    _, old = replaced(world)
    call_command("sync_stripe", dry_run=True)
    assert "difference" in capsys.readouterr().out
    assert sold().pk == old
