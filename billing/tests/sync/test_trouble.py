"""One customer's trouble is that customer's: sync, import and the worker's hourly tasks go on with everybody else."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, OperationalError
from django.utils import timezone

from billing.models import Alert, Customer, NextCharge, Subscription, SyncRun
from billing.stripe_client import fetch
from billing.subscriptions import columns, next_charges

pytestmark = pytest.mark.django_db(transaction=True)

LONG = f"{'a' * 250}@{'b' * 120}.example.com"  # Stripe allows 512 characters


@pytest.fixture
def poison(monkeypatch):
    """Make one subscription raise whenever its columns are read."""

    def make(subscription, error=KeyError):
        card = columns.card_columns

        def card_columns(found):
            if found["id"] == subscription:
                raise error("a shape that nobody has seen")
            return card(found)

        monkeypatch.setattr(columns, "card_columns", card_columns)

    return make


def sync(*arguments):
    out = StringIO()
    call_command("sync_stripe", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.postgres
def test_an_address_as_long_as_stripe_allows_holds_up_nobody(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    world.stripe("POST", f"customers/{ada.customer}", email=LONG)
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert ada.row.status == "canceled"
    Subscription.objects.filter(customer=ben.customer).update(quantity=9)
    assert "corrected 1 of 1" in sync("--full")
    assert Customer.objects.get(pk=ada.customer).email == LONG


@pytest.mark.postgres
def test_a_text_longer_than_its_column_is_cut_and_costs_nothing_else(world):
    ada = world.subscribed()
    row = ada.row
    row.collection_method, row.card_brand = "x" * 99, "y" * 99
    row.save()
    row.refresh_from_db()
    assert (row.collection_method, row.card_brand) == ("x" * 30, "y" * 20)


def test_a_sync_leaves_out_who_is_in_trouble_heals_the_others_and_tells_staff(world, poison):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    Subscription.objects.filter(customer=ben.customer).update(quantity=9)
    poison(ada.subscription)
    said = sync("--full")
    assert (ben.row.quantity, SyncRun.objects.get().troubled) == (1, 1)
    assert "left out 1 customer in trouble" in said
    assert f"{ada.customer} could not be synced: KeyError." in said
    assert Alert.objects.get(cause="sync_trouble").subject == "1 customer could not be synced"


def test_a_database_that_is_away_is_everybodys_trouble(world, poison):
    ada = world.subscribed()
    poison(ada.subscription, OperationalError)
    with pytest.raises(CommandError, match="database"):
        sync("--customer", ada.customer)
    assert SyncRun.objects.get().status == "failed"


def test_a_stranger_in_trouble_is_not_imported_and_the_next_one_is(world, poison):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    NextCharge.objects.all().delete()
    Subscription.objects.all().delete()
    poison(ada.subscription, DataError)
    sync("--full")
    assert set(Subscription.objects.values_list("stripe_id", flat=True)) == {ben.subscription}


def test_an_amount_that_cannot_be_asked_does_not_keep_the_others_waiting(world, monkeypatch):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    NextCharge.objects.update(ask_at=timezone.now(), amount=None)
    ask = next_charges._ask

    def refuse_ada(row):
        if row.subscription.stripe_id == ada.subscription:
            raise KeyError("a shape that nobody has seen")
        ask(row)

    monkeypatch.setattr(next_charges, "_ask", refuse_ada)
    assert next_charges.each_minute() == "2 next charges asked"
    left = NextCharge.objects.get(subscription=ada.row)
    assert (left.attempts, left.ask_at > timezone.now()) == (1, True)
    assert NextCharge.objects.get(subscription=ben.row).amount == 2000


def test_an_amount_asked_again_after_a_restore_is_todays(world):
    ada = world.subscribed()
    NextCharge.objects.update(ask_at=timezone.now())
    before = NextCharge.objects.get()
    next_charges.each_minute()
    world.stripe("POST", f"customers/{ada.customer}", balance=-500)
    before.save()  # as a backup had it
    next_charges.each_minute()
    assert NextCharge.objects.get().amount == 1500


def test_an_import_leaves_out_who_is_in_trouble(world, poison):
    users = {name: world.sign_up(f"{name}@example.com") for name in ("ada", "ben")}
    bought = {name: world.subscribe(user=user) for name, user in users.items()}
    NextCharge.objects.all().delete()
    Subscription.objects.all().delete()
    Customer.objects.all().delete()
    poison(bought["ada"].subscription)
    out = StringIO()
    call_command("import_customers", "--by", "email", stdout=out)
    assert "could not be imported" in out.getvalue()
    linked = Customer.objects.exclude(subscriber=None).values_list("pk", flat=True)
    assert list(linked) == [bought["ben"].customer]
    assert fetch.subscriptions(bought["ada"].customer)
