"""The doctor finds each way in which credits could fail to add up, and names the row; sound rows are named by none."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import F
from django.utils import timezone

from billing import grants, usage
from billing.lifecycle import redeeming
from billing.models import Code, Credit, Customer, KeyedUse, Pack, Plan, Purchase, Usage
from billing.setup.doctor import balances

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world):
    return get_user_model().objects.create_user("ada@example.com")


@pytest.fixture(autouse=True)
def ben(world):
    """A bystander, whose rows are sound."""
    ben = get_user_model().objects.create_user("ben@example.com")
    grants.give_credits(ben, "generations", 50, source="pack")
    usage.consume(ben, "generations", 15, "job 1")
    return ben


def problems():
    return [(each.level, each.text) for check in balances.CHECKS for each in check() if each.level != "ok"]


@pytest.fixture
def unguarded(ada):
    """Return a function that changes Ada's credits past the constraints, as a hand in the database would."""
    held = [each for each in Credit._meta.constraints if "adds_up" in each.name or "owes" in each.name]
    is_sqlite = connection.vendor == "sqlite"
    theirs = Credit.objects.filter(subscriber=ada)
    yield lambda **columns: _guarded(held, is_sqlite, is_on=False) or theirs.update(**columns)
    theirs.delete()
    _guarded(held, is_sqlite, is_on=True)


def _guarded(held, is_sqlite, *, is_on):
    if is_sqlite:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA ignore_check_constraints = {'OFF' if is_on else 'ON'}")
        return
    with connection.schema_editor() as editor:
        for constraint in held:
            (editor.add_constraint if is_on else editor.remove_constraint)(Credit, constraint)


def test_sound_rows_are_added_up_and_nothing_is_wrong(ada):
    grants.give_credits(ada, "generations", 20, source="pack")
    assert problems() == []
    assert [each.text for each in balances.credit_balance()] == [
        "generations: 70 given, 65 left, 5 used, 0 expired, 0 taken back."
    ]


@pytest.mark.postgres
@pytest.mark.parametrize("column", ["left", "used", "expired", "taken_back", "quantity"])
def test_a_row_of_which_any_part_was_changed_by_hand_is_named(ada, unguarded, column):
    row = grants.give_credits(ada, "generations", 20, source="pack")
    unguarded(**{column: F(column) + 3})
    assert ("error", f"Rows of credits that do not add up: {row.pk}.") in problems()


@pytest.mark.postgres
def test_two_wrong_rows_that_hide_each_other_in_the_sum_are_named(ada, unguarded):
    first = grants.give_credits(ada, "generations", 20, source="pack")
    second = grants.give_credits(ada, "generations", 20, source="second")
    unguarded(left=F("left") + 1)
    Credit.objects.filter(pk=second.pk).update(left=F("left") - 2)
    named = [text for _, text in problems()]
    assert named == [f"Rows of credits that do not add up: {first.pk}, {second.pk}."]


def test_uses_with_a_key_that_took_more_than_was_used_are_named(ada):
    row = grants.give_credits(ada, "generations", 20, source="pack")
    usage.consume(ada, "generations", 15, "job 1")
    Credit.objects.filter(pk=row.pk).update(used=F("used") - 1, left=F("left") + 1)
    assert problems() == [("error", f"Keys took more of these credits than were used: {row.pk}.")]


def test_a_counter_that_holds_less_than_its_keys_counted_is_named(ada):
    usage.consume(ada, "generations", 5, "job 1")
    usage.consume(ada, "generations", 2)
    Usage.objects.filter(subscriber=ada).update(used=4)
    [(level, text)] = problems()
    assert (level, text) == ("error", f"Keys counted more than a month's counter holds, for the subscribers {ada.pk}.")


def test_a_delivered_pack_whose_credits_are_gone_is_named(ada):
    pack = Pack.objects.create(slug="p", name="P", feature="generations", quantity=10)
    customer = Customer.objects.create(id="cus_ada", subscriber=ada)
    now = timezone.now()
    how = {"customer": customer, "pack": pack, "currency": "usd", "status": "paid", "created_at": now}
    kept = Purchase.objects.create(**how, delivered_at=now, times_given=1)
    grants.give_credits(ada, "generations", 10, source=kept.source)
    assert problems() == []
    Credit.objects.filter(source=kept.source).delete()
    assert problems() == [("error", f"Packs marked as delivered, whose credits nobody has: {kept.pk}.")]


def test_a_redeemed_code_that_gave_nothing_is_named(ada):
    plan = Plan.objects.get(slug="pro")
    for name in ("GOOD", "LOST"):
        Code.objects.create(code=name, batch="b", plan=plan, made_at=timezone.now())
        redeeming.redeem(ada, name)
    ada.billing_grants.filter(source="code:LOST").delete()
    assert problems() == [("error", "Codes that were redeemed, and gave nothing that is there: LOST.")]


def test_what_the_worker_should_have_done_is_a_warning(ada):
    past = timezone.now() - timedelta(hours=4)
    row = grants.give_credits(ada, "generations", 20, source="pack")
    Credit.objects.filter(pk=row.pk).update(until=past)
    usage.reserve(ada, "generations", 3, key="job 1")
    KeyedUse.objects.filter(subscriber=ada).update(lapses_at=past)
    [(level, text)] = problems()
    assert (level, "still hold use: 1" in text, "not written off: 1" in text) == ("warning", True, True)
