"""The project's receivers deliver what is its own and take it back once, whatever comes twice, late or fails."""

import pytest
from django.db import transaction

from billing import clock, signals
from billing.lifecycle import purchases
from billing.models import AccountDeletion, Alert, Credit, Grant, Pack, Purchase
from billing.setup import publishing_packs
from billing.sync import runs
from billing.testing import retry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

HANDBOOK = {"slug": "handbook", "name": "Handbook", "is_own": True, "prices": {"usd": 4_000}}


@pytest.fixture
def shop(world, settings):
    settings.BILLING_PACKS = [HANDBOOK]
    publishing_packs.publish()
    return world


@pytest.fixture
def shelf():
    """A receiver in the project: by address, how many handbooks somebody has."""
    shelf, problems = {}, []

    def lay(purchase, taken):
        email, count = purchase.customer.subscriber.email, purchase.quantity - taken
        transaction.on_commit(lambda: shelf.setdefault(email, []).append(count))

    def completed(purchase, **_):
        if problems:
            raise RuntimeError(problems.pop())
        lay(purchase, 0)

    def moved(purchase, taken, **_):
        lay(purchase, taken)

    signals.purchase_completed.connect(completed)
    signals.purchase_reversed.connect(moved)
    signals.purchase_restored.connect(moved)
    shelf["problems"] = problems
    yield shelf
    for signal, receiver in ((signals.purchase_completed, completed), (signals.purchase_reversed, moved),
                             (signals.purchase_restored, moved)):  # fmt: skip
        signal.disconnect(receiver)


@pytest.fixture
def ada(shop):
    return shop.sign_up("ada@example.com")


@pytest.fixture
def ben(shop, shelf):
    """A bystander who bought one too."""
    ben = shop.sign_up("ben@example.com")
    bought(shop, ben)
    yield ben
    assert shelf["ben@example.com"] == [1]


def bought(shop, user, quantity=1):
    purchase = purchases.start(user, "handbook", quantity)
    shop.control(f"checkout/{purchase.session_id}/complete")
    shop.deliver(scramble=True)
    return Purchase.objects.get(pk=purchase.pk)


def charge_of(shop, purchase):
    return shop.stripe("GET", f"payment_intents/{purchase.payment_intent}")["latest_charge"]


def own_of(user):
    return purchases.bought_by(user)[0].still_grants.own


def test_it_is_delivered_once_by_the_signal_and_gives_nothing_of_ours(shop, ada, ben, shelf):
    purchase = bought(shop, ada, 3)
    purchases.refresh(purchase)
    assert shelf["ada@example.com"] == [3]
    assert (own_of(ada), own_of(ben)) == (3, 1)
    assert not Credit.objects.exists()
    assert not Grant.objects.exists()


def test_the_sync_delivers_what_nobody_heard_of(shop, ada, ben, shelf):
    purchase = purchases.start(ada, "handbook")
    shop.control(f"checkout/{purchase.session_id}/complete")
    runs.hourly()
    runs.hourly()
    shop.deliver()
    assert shelf["ada@example.com"] == [1]


def test_a_receiver_that_fails_has_not_delivered_and_is_asked_again(shop, ada, ben, shelf):
    purchase = purchases.start(ada, "handbook")
    shop.control(f"checkout/{purchase.session_id}/complete")
    shelf["problems"] += ["the printer is out of paper"] * 9
    with pytest.raises(AssertionError, match="out of paper"):
        shop.deliver()
    assert Purchase.objects.get(pk=purchase.pk).delivered_at is None
    shelf["problems"].clear()
    retry()
    assert Purchase.objects.get(pk=purchase.pk).delivered_at is not None
    assert shelf["ada@example.com"] == [1]


def test_whole_ones_go_with_their_money_and_come_back_with_it(shop, ada, ben, shelf):
    purchase = bought(shop, ada, 3)
    charge = charge_of(shop, purchase)
    shop.stripe("POST", "refunds", charge=charge, amount=5_000)
    shop.deliver(scramble=True)
    assert shelf["ada@example.com"] == [3, 2]
    refund = shop.stripe("POST", "refunds", charge=charge)
    shop.deliver()
    assert (shelf["ada@example.com"][-1], own_of(ada)) == (0, 0)
    shop.control(f"refunds/{refund['id']}/fail")
    shop.deliver(scramble=True)
    assert shelf["ada@example.com"] == [3, 2, 0, 2]
    assert own_of(ada) == 2


@pytest.mark.parametrize(("status", "heard"), [("won", [1, 0, 1]), ("lost", [1, 0])])
def test_a_dispute_takes_it_and_gives_it_again_when_it_is_won(shop, ada, ben, shelf, status, heard):
    dispute = shop.control("disputes", charge=charge_of(shop, bought(shop, ada)))
    shop.deliver()
    shop.control(f"disputes/{dispute['id']}", status=status)
    shop.deliver()
    assert shelf["ada@example.com"] == heard


def test_an_account_that_is_being_deleted_gets_nothing_and_staff_are_told(shop, ada, ben, shelf):
    purchase = purchases.start(ada, "handbook")
    shop.control(f"checkout/{purchase.session_id}/complete")
    AccountDeletion.objects.create(subscriber=ada, requested_at=clock.now())
    shop.deliver()
    assert "ada@example.com" not in shelf
    assert Purchase.objects.get(pk=purchase.pk).delivered_at is None
    assert Alert.objects.filter(subject__contains="Paid and not delivered").count() == 1


def test_the_pages_and_the_api_show_it(shop, ada, ben, client):
    bought(shop, ada, 2)
    client.force_login(ada)
    assert "Handbook" in client.get("/billing/packs").content.decode()
    assert "Handbook" in client.get("/billing/").content.decode()
    [row] = client.get("/api/v1/packs").json()
    assert (row["grants"]["own"], row["grants"]["feature"], row["grants"]["plan"]) == (True, "", "")
    [mine] = client.get("/api/v1/purchases").json()
    assert mine["grants"]["own"] == 2


def test_it_is_no_longer_sold_once_it_is_taken_out(shop, ada, ben, settings):
    settings.BILLING_PACKS = []
    publishing_packs.publish()
    with pytest.raises(purchases.PackNotOffered):
        purchases.start(ada, "handbook")
    assert Pack.objects.get().is_own
