"""A guest buys a pack without an account; it waits for the subscriber who confirms the address, and for nobody else."""

import uuid
from datetime import timedelta

import pytest

from billing import clock, lanes, usage
from billing.events import sweep, worker
from billing.lifecycle import deletion, guests, purchases
from billing.lifecycle.refusals import AddressRefused, CheckoutReplaced, GuestsNotServed, NotGivable, PackNotOffered
from billing.models import Alert, Customer, Purchase, StripeEvent
from billing.setup import publishing_packs
from billing.sync import runs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

CONFIRMED: set[str] = set()
GINA = "Gina@Example.com"


def is_confirmed(subscriber):
    """BILLING_EMAIL_IS_CONFIRMED of these tests."""
    return subscriber.email in CONFIRMED


@pytest.fixture
def shop(world, settings):
    CONFIRMED.clear()
    settings.BILLING_GUESTS_BUY_PACKS = True
    settings.BILLING_EMAIL_IS_CONFIRMED = f"{__name__}.is_confirmed"
    publishing_packs.publish()
    return world


@pytest.fixture
def ben(shop):
    """A bystander, who bought the same pack with an account."""
    ben = shop.sign_up("ben@example.com")
    CONFIRMED.add(ben.email)
    shop.control(f"checkout/{purchases.start(ben, 'credits_1000').session_id}/complete")
    shop.deliver()
    yield ben
    assert credits_of(ben) == 1000
    assert Customer.objects.all_of(ben).count() == 1


def key():
    return str(uuid.uuid4())


def paid(shop, email=GINA, slug="credits_1000", *, is_heard=True):
    purchase = guests.start(email, slug, key())
    shop.control(f"checkout/{purchase.session_id}/complete")
    if is_heard:
        shop.deliver()
    return Purchase.objects.get(pk=purchase.pk)


def sign_up(shop, email="gina@example.com", *, is_sure=True):
    user = shop.sign_up(email)
    if is_sure:
        CONFIRMED.add(user.email)
    return user


def settle(shop):
    """Let the worker do what it owes, and hear of it."""
    sweep.sweep()
    for lane in lanes.waiting(100):
        worker.drain(lane)
    shop.deliver()


def credits_of(user):
    found = usage.summary(user)["generations"]
    return found.credits


def test_what_a_guest_paid_waits_and_is_delivered_to_the_confirmed_address(shop, ben):
    purchase = paid(shop)
    assert (purchase.status, purchase.delivered_at, purchase.guest_email) == ("paid", None, GINA)
    assert shop.stripe("GET", f"customers/{purchase.customer_id}")["email"] == GINA
    assert not Alert.objects.exists()
    guests.match_all()
    assert Purchase.objects.get(pk=purchase.pk).delivered_at is None
    gina = sign_up(shop)
    guests.match_all()
    guests.match_all()
    purchase.refresh_from_db()
    assert (purchase.status, purchase.guest_email, credits_of(gina)) == ("paid", "", 1000)
    assert purchase.delivered_at
    assert Customer.objects.of(gina).pk == purchase.customer_id
    assert [row.pk for row in purchases.bought_by(gina)] == [purchase.pk]


def test_a_stranger_who_signs_up_with_the_address_gets_nothing(shop, ben):
    purchase = paid(shop)
    eve = sign_up(shop, is_sure=False)
    guests.match_all()
    assert Customer.objects.of(eve) is None
    assert Purchase.objects.unmatched().get() == purchase
    eve.email = "eve@example.com"
    eve.save()
    CONFIRMED.add("eve@example.com")
    guests.match_all()
    assert credits_of(eve) == 0
    assert Purchase.objects.unmatched().exists()


def test_doubled_and_shuffled_events_deliver_once(shop, ben):
    gina = sign_up(shop)
    purchase = guests.start(GINA, "credits_1000", key())
    shop.control(f"checkout/{purchase.session_id}/complete")
    events = shop.events()
    for seed in (3, 4):
        shop.deliver(events, scramble=True, seed=seed)
        guests.match_all()
    assert credits_of(gina) == 1000


def test_a_form_sent_twice_is_one_purchase_and_two_guests_of_one_address_are_two(shop, ben):
    one = key()
    first, again = guests.start(GINA, "credits_1000", one), guests.start(GINA, "credits_1000", one)
    assert (first.pk, first.session_id) == (again.pk, again.session_id)
    other = guests.start(GINA, "credits_1000", key())
    assert other.customer_id != first.customer_id
    with pytest.raises(CheckoutReplaced):
        guests.start("max@example.com", "credits_1000", one)
    with pytest.raises(CheckoutReplaced):
        guests.start(GINA, "credits_1000", "no key")


def test_a_guest_whose_webhook_was_lost_is_found_by_the_sync(shop, ben, time_machine):
    gina = sign_up(shop)
    purchase = paid(shop, is_heard=False)
    shop.delivered.update(event["id"] for event in shop.events())
    assert purchase.status == "open"
    runs.run(runs.Wanted(customer=purchase.customer_id))
    guests.match_all()
    assert credits_of(gina) == 1000


def test_a_debit_is_delivered_when_its_money_comes_also_after_the_match(shop, ben):
    purchase = guests.start(GINA, "credits_1000", key())
    shop.control(f"checkout/{purchase.session_id}/complete", payment_method="pm_usBankAccount_success")
    shop.deliver()
    gina = sign_up(shop)
    guests.match_all()
    purchase = Purchase.objects.get(pk=purchase.pk)
    assert (purchase.status, purchase.guest_email, credits_of(gina)) == ("processing", "", 0)
    shop.control(f"payments/{purchase.payment_intent}", outcome="succeeded")
    shop.deliver()
    assert credits_of(gina) == 1000


def test_a_refund_before_the_match_leaves_nothing_to_have(shop, ben):
    purchase = paid(shop)
    charge = shop.stripe("GET", f"payment_intents/{purchase.payment_intent}")["latest_charge"]
    shop.stripe("POST", "refunds", charge=charge)
    shop.deliver()
    gina = sign_up(shop)
    guests.match_all()
    assert credits_of(gina) == 0


def test_what_is_off_or_cannot_be_is_refused_and_leaves_nothing(shop, settings):
    for wrong in ("", "gina", "gina@", "gina@example.com\n.org", "x" * 260 + "@example.com"):
        with pytest.raises(AddressRefused):
            guests.start(wrong, "credits_1000", key())
    with pytest.raises(PackNotOffered):
        guests.start(GINA, "nothing", key())
    with pytest.raises(PackNotOffered):
        guests.start(GINA, "credits_1000", key(), currency="sek")
    settings.BILLING_GUESTS_BUY_PACKS = False
    with pytest.raises(GuestsNotServed):
        guests.start(GINA, "credits_1000", key())
    settings.BILLING_GUESTS_BUY_PACKS, settings.BILLING_EMAIL_IS_CONFIRMED = True, ""
    with pytest.raises(GuestsNotServed):
        guests.start(GINA, "credits_1000", key())
    assert not Purchase.objects.exists()
    assert not Customer.objects.exists()


def test_a_guest_who_never_paid_is_deleted_with_the_address(shop, ben):
    abandoned, waits = guests.start(GINA, "credits_1000", key()), paid(shop, "max@example.com")
    shop.control("advance", seconds=3 * 86_400)
    shop.deliver()
    guests.hourly()
    settle(shop)
    abandoned.refresh_from_db()
    customer = Customer.objects.get(pk=abandoned.customer_id)
    assert (abandoned.status, abandoned.guest_email, customer.email) == ("expired", "", "")
    assert customer.deleted_at
    assert shop.stripe("GET", f"customers/{customer.pk}")["deleted"]
    assert not any("ina@" in str(event.payload).lower() for event in StripeEvent.objects.filter(lane=customer.pk))
    waits.refresh_from_db()
    assert waits.guest_email == "max@example.com"


def test_staff_delete_a_guest_who_asks_for_it(shop, ben):
    purchase = paid(shop)
    guests.forget(purchase)
    guests.forget(purchase)
    settle(shop)
    purchase.refresh_from_db()
    assert (purchase.guest_email, purchase.amount) == ("", 1500)
    assert Customer.objects.get(pk=purchase.customer_id).deleted_at
    gina = sign_up(shop)
    with pytest.raises(NotGivable):
        guests.give_to(purchase, gina)


def test_the_deletion_of_the_account_takes_a_matched_purchase_along(shop, ben):
    purchase, gina = paid(shop), sign_up(shop)
    guests.match_all()
    deletion.begin(gina)
    settle(shop)
    assert deletion.deletion_of(gina).is_done
    customer = Customer.objects.get(pk=purchase.customer_id)
    assert (customer.email, customer.subscriber_id) == ("", None)


def test_an_account_that_is_being_deleted_is_given_nothing(shop, ben):
    purchase, gina = paid(shop), sign_up(shop)
    deletion.begin(gina)
    guests.match_all()
    with pytest.raises(NotGivable):
        guests.give_to(purchase, gina)
    assert Purchase.objects.unmatched().exists()


def test_a_session_that_a_crash_left_without_a_row_is_made_again_by_the_same_form(shop, ben, monkeypatch):
    one = key()

    def dies(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(purchases, "with_session", dies)
        with pytest.raises(KeyboardInterrupt):
            guests.start(GINA, "credits_1000", one)
    assert guests.start(GINA, "credits_1000", one).session_id


def test_nothing_abandoned_is_deleted_before_its_time(shop, ben):
    guests.start(GINA, "credits_1000", key())
    guests.hourly()
    assert Purchase.objects.of_guests().filter(created_at__gt=clock.now() - timedelta(days=1)).count() == 1
