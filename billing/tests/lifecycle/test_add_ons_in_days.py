"""Somebody who pays by debit or invoice has more of an add-on once it is paid; what is never paid is put back."""

import pytest

from billing import testing, usage
from billing.lifecycle import add_ons, change
from billing.models import AddOn
from billing.setup import publishing_add_ons

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    publishing_add_ons.publish()
    return world.subscribed()


def debited(world, ada, token):
    world.change_card(ada, token)
    world.deliver()


def sent(world, ada):
    world.stripe("POST", f"subscriptions/{ada.subscription}", collection_method="send_invoice", days_until_due=7)
    world.deliver()


def items_of(world, ada):
    found = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"]
    return {item["price"]["lookup_key"]: item.get("quantity") for item in found}


def limit_of(ada):
    return usage.summary(ada.user)["generations"].limit


def pass_days(world, days):
    world.advance(days=days)
    world.deliver()
    testing.work()
    world.deliver()


def test_an_add_on_comes_with_the_money_of_a_debit(world, ada):
    debited(world, ada, "pm_usBankAccount_success")
    row = add_ons.set_quantity(ada.user, "extra", 2)
    assert (row.add_ons, row.pending_kind, row.pending_add_ons) == ({}, "awaiting_payment", {"extra": 2})
    world.deliver(scramble=True)
    assert (limit_of(ada), ada.row.mrr) == (1000, 2000)
    pass_days(world, 8)
    assert (ada.row.add_ons, ada.row.pending_kind, limit_of(ada), ada.row.mrr) == ({"extra": 2}, "", 2000, 3600)


def test_a_debit_that_is_refused_takes_the_item_away_again(world, ada):
    debited(world, ada, "pm_usBankAccount_insufficientFunds")
    add_ons.set_quantity(ada.user, "extra", 2)
    world.deliver()
    pass_days(world, 8)
    assert (items_of(world, ada), ada.row.add_ons, ada.row.pending_kind) == ({"pro_month": 1}, {}, "")
    assert world.stripe("GET", "invoices", subscription=ada.subscription, status="open")["data"] == []


def test_a_sent_invoice_that_is_taken_back_puts_the_number_back(world, ada):
    add_ons.set_quantity(ada.user, "extra", 1)
    sent(world, ada)
    assert add_ons.set_quantity(ada.user, "extra", 3).add_ons == {"extra": 1}
    row = add_ons.set_quantity(ada.user, "extra", 1)
    assert (row.pending_kind, row.add_ons) == ("", {"extra": 1})
    assert items_of(world, ada) == {"pro_month": 1, "addon_extra_month": 1}


def test_a_plan_that_is_never_paid_brings_back_the_add_on_that_it_took(world, ada):
    add_ons.set_quantity(ada.user, "extra", 2)
    AddOn.objects.update(plans=["pro"])
    sent(world, ada)
    row = change.change(ada.user, "team", "month")
    assert (row.plan.slug, row.add_ons, limit_of(ada)) == ("pro", {"extra": 2}, 2000)
    assert items_of(world, ada) == {"team_month": 1}
    row = change.change(ada.user, "pro", "month")
    assert (row.plan.slug, row.add_ons) == ("pro", {"extra": 2})
    assert items_of(world, ada) == {"pro_month": 1, "addon_extra_month": 2}
