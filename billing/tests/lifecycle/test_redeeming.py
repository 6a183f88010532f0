"""A code gives once to each who redeems it, and to no more than it is for."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model

from billing import access, grants, usage
from billing.catalogue import definitions
from billing.lifecycle import redeeming
from billing.lifecycle.refusals import AccountClosing, CodeOver, CodeSpent, UnknownCode
from billing.models import AccountDeletion, Code, Credit, Grant, Plan, Redemption

from ..parallel import at_once

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(settings):
    settings.BILLING_CLOCK = ""
    definitions.update_plans()
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada@example.com")


@pytest.fixture
def ben():
    return get_user_model().objects.create_user("ben@example.com")


def code_for(plan="", **columns):
    given = {"code": "SUMMER26", "batch": "partner", "made_at": NOON}
    return Code.objects.create(plan=Plan.objects.filter(slug=plan).first(), **{**given, **columns})


def test_a_plan_for_good_however_the_code_is_typed(ada, ben):
    code_for("team")
    made = redeeming.redeem(ada, " summer-26 ")
    assert (made.code.what, made.until) == ("Team", None)
    assert access.has_access(ada, plan="team")
    assert not access.has_access(ben)
    assert Grant.objects.get().source == "code:SUMMER26"


def test_a_plan_for_some_days_from_redeeming(ada, clock):
    code_for("pro", lasts_days=30)
    clock.move_to(NOON + timedelta(days=5))
    assert redeeming.redeem(ada, "SUMMER26").until == NOON + timedelta(days=35)
    assert Grant.objects.get().until == NOON + timedelta(days=35)


def test_credits_and_a_monthly_quantity(ada):
    code_for(feature="generations", quantity=500, once=True)
    code_for(feature="generations", quantity=7, code="MONTHLY")
    redeeming.redeem(ada, "SUMMER26")
    redeeming.redeem(ada, "MONTHLY")
    assert usage.summary(ada)["generations"] == usage.Quota(0, 17, credits=500)


def test_the_same_code_again_changes_nothing_and_answers_the_same(ada):
    code_for(feature="generations", quantity=500, once=True, most_uses=5)
    first = redeeming.redeem(ada, "SUMMER26")
    usage.consume(ada, "generations", 100)
    assert redeeming.redeem(ada, "SUMMER26").pk == first.pk
    assert (Code.objects.get().used, Credit.objects.get().left) == (1, 410)


@pytest.mark.parametrize(("most_uses", "refused"), [(1, 2), (2, 1), (3, 0), (None, 0)])
def test_no_more_than_it_is_for(ada, ben, most_uses, refused):
    code_for("team", most_uses=most_uses)
    eve = get_user_model().objects.create_user("eve@example.com")
    spent = 0
    for who in (ada, ben, eve):
        try:
            redeeming.redeem(who, "SUMMER26")
        except CodeSpent:
            spent += 1
            assert not access.has_access(who)
    assert (spent, Redemption.objects.count(), Code.objects.get().used) == (refused, 3 - refused, 3 - refused)


@pytest.mark.parametrize(("after", "is_valid"), [(timedelta(seconds=-1), True), (timedelta(), False)])
def test_it_is_valid_until_its_moment(ada, clock, after, is_valid):
    code_for("team", valid_until=NOON + timedelta(days=1))
    clock.move_to(NOON + timedelta(days=1) + after)
    if is_valid:
        redeeming.redeem(ada, "SUMMER26")
    else:
        with pytest.raises(CodeOver):
            redeeming.redeem(ada, "SUMMER26")
    assert (Code.objects.get().used, access.has_access(ada)) == (int(is_valid), is_valid)


def test_what_was_withdrawn_is_unknown_and_what_it_gave_stays(ada, ben):
    code = code_for("team", most_uses=None)
    redeeming.redeem(ada, "SUMMER26")
    Code.objects.filter(pk=code.pk).update(withdrawn_at=NOON)
    with pytest.raises(UnknownCode):
        redeeming.redeem(ben, "SUMMER26")
    assert redeeming.redeem(ada, "SUMMER26").code == code
    assert access.has_access(ada, plan="team")


@pytest.mark.parametrize("text", ["", "  ", "-", "WINTER26", "x" * 65, "SUMMER26' OR 1=1", "é" * 40])
def test_what_is_no_code_is_unknown(ada, text):
    code_for("team")
    with pytest.raises(UnknownCode):
        redeeming.redeem(ada, text)


def test_an_account_that_is_being_deleted_redeems_nothing(ada):
    code_for("team")
    AccountDeletion.objects.create(subscriber=ada, requested_at=NOON)
    with pytest.raises(AccountClosing):
        redeeming.redeem(ada, "SUMMER26")
    assert Code.objects.get().used == 0


def test_a_source_that_gave_something_else_loses_no_use(ada):
    code_for("team")
    grants.grant(ada, plan="pro", source="code:SUMMER26")
    with pytest.raises(CodeOver, match="Nothing was changed"):
        redeeming.redeem(ada, "SUMMER26")
    assert (Code.objects.get().used, Redemption.objects.count()) == (0, 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_as_many_get_it_as_it_is_for():
    code_for("team", most_uses=7)
    users = [get_user_model().objects.create_user(f"user{number}@example.com") for number in range(20)]
    outcomes = at_once(lambda number: redeeming.redeem(users[number], "SUMMER26"), 20)
    assert sum(isinstance(outcome, Redemption) for outcome in outcomes) == 7
    assert sum(isinstance(outcome, CodeSpent) for outcome in outcomes) == 13
    assert (Code.objects.get().used, Grant.objects.count()) == (7, 7)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_who_sends_it_ten_times_at_once_gets_it_once(ada):
    code_for(feature="generations", quantity=500, once=True, most_uses=5)
    outcomes = at_once(lambda _: redeeming.redeem(ada, "SUMMER26"), 10)
    assert {outcome.pk for outcome in outcomes} == {Redemption.objects.get().pk}
    assert (Code.objects.get().used, Credit.objects.get().left) == (1, 500)
