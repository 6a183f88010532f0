"""What was decided for one use is kept for the next, and every change of access makes it old at once."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import grants, usage
from billing.models import (
    AccessChange,
    AccountDeletion,
    Customer,
    Grant,
    Hold,
    LimitOverride,
    Plan,
    PlanLimit,
    Subscription,
    Usage,
)

from ..parallel import at_once
from .test_allowances import subscribe

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    """A clock that stands; the free plan has 10 generations a calendar month."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def statements(user):
    with CaptureQueriesContext(connection) as queries:
        usage.consume(user, "generations")
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


def is_kept(user):
    return statements(user) == 1


def test_the_second_use_is_one_statement_with_the_same_answer(ada, ben):
    first = usage.consume(ada, "generations", 2)
    assert is_kept(ada)
    second = usage.consume(ada, "generations", 2)
    assert (second, second.resets_at) == (usage.Quota(5, 10), first.resets_at)
    assert not is_kept(ben)


def test_what_does_not_fit_is_refused_and_another_feature_is_not_counted(ada):
    usage.consume(ada, "generations", 9)
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations", 2)
    assert usage.consume(ada, "generations").remaining == 0
    with pytest.raises(usage.NoAccess):
        usage.consume(ada, "teleports")


CHANGES = {
    "a subscription": lambda ada: Subscription.objects.filter(customer__subscriber=ada).update(status="unpaid"),
    "a subscription that is deleted": lambda ada: Subscription.objects.filter(customer__subscriber=ada).delete(),
    "a customer that moves": lambda ada: Customer.objects.filter(subscriber=ada).update(subscriber=None),
    "a hold": lambda ada: Hold.objects.create(
        customer=Customer.objects.get(subscriber=ada), kind="staff", reference="x", placed_at=NOON
    ),
    "a grant": lambda ada: Grant.objects.create(
        subscriber=ada, plan=Plan.objects.get(slug="team"), source="x", granted_at=NOON
    ),
    "a deletion": lambda ada: AccountDeletion.objects.create(subscriber=ada, requested_at=NOON),
    "an own limit": lambda ada: LimitOverride.objects.create(
        subscriber=ada, feature="generations", quantity=0, set_at=NOON
    ),
    "credits": lambda ada: grants.give_credits(ada, "generations", 5, source="x"),
    "a limit of the plan": lambda _: PlanLimit.objects.filter(plan__slug="pro").update(quantity=3),
    "a plan": lambda _: Plan.objects.filter(slug="pro").update(rank=99),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_makes_it_old_in_the_same_transaction(ada, ben, change):
    for user in (ada, ben):
        subscribe(user, "pro")
        usage.consume(user, "generations", 5)
        assert is_kept(user)
    assert usage.kept.standing(ada, "generations") is not None
    change(ada)
    assert usage.kept.standing(ada, "generations") is None
    before = Usage.objects.get(subscriber=ada, feature="generations", period_start__day=10).used
    assert usage.kept.count(ada, "generations", 1) is None
    assert Usage.objects.get(subscriber=ada, feature="generations", period_start__day=10).used == before
    is_of_all = AccessChange.objects.order_by("-pk")[0].key == AccessChange.CATALOGUE
    assert (usage.kept.count(ben, "generations", 1) is None) == is_of_all


def test_credits_that_come_back_are_a_change_and_are_told_beside_what_is_kept(ada):
    usage.consume(ada, "generations", 10)
    grants.give_credits(ada, "generations", 2, source="x")
    usage.consume(ada, "generations", 2, "job 1")
    PlanLimit.objects.filter(plan__slug="free").update(quantity=50)
    usage.consume(ada, "generations")
    assert is_kept(ada)
    usage.release(ada, "generations", "job 1")
    assert not is_kept(ada)
    assert usage.kept.standing(ada, "generations") is not None
    assert statements(ada) <= 6
    assert usage.consume(ada, "generations").credits == 2


@pytest.mark.parametrize("ends", ["the month", "grace", "a grant", "an own limit", "ten minutes"])
def test_it_holds_no_longer_than_time_lets_it(ada, clock, ends):
    end = NOON + timedelta(minutes=5)
    row = subscribe(ada, "pro")
    if ends == "the month":
        end = datetime(2026, 6, 10, tzinfo=UTC)
        clock.move_to(end - timedelta(minutes=5))
    elif ends == "grace":
        late = {"status": "past_due", "past_due_since": end - timedelta(days=3)}
        Subscription.objects.filter(pk=row.pk).update(**late)
    elif ends == "a grant":
        grants.grant(ada, feature="generations", quantity=5, until=end, source="x")
    elif ends == "an own limit":
        usage.override_limit(ada, "generations", 500, until=end)
    else:
        end = NOON + timedelta(minutes=10)
    usage.consume(ada, "generations")
    clock.move_to(end - timedelta(seconds=1))
    assert is_kept(ada)
    clock.move_to(end)
    assert usage.kept.count(ada, "generations", 1) is None


def test_nothing_is_kept_where_the_projects_rule_decides_too(ada, settings):
    settings.BILLING_ACCESS_RULE = f"{__name__}.nobody"
    usage.consume(ada, "generations")
    assert not is_kept(ada)


def nobody(_subscriber):
    return ""


def test_changes_are_forgotten_after_an_hour_and_those_that_saw_them_ask_anew(ada):
    usage.consume(ada, "generations")
    AccessChange.objects.update(at=NOON - timedelta(hours=2))
    with time_machine.travel(NOON, tick=False):
        usage.kept.hourly()
    assert not AccessChange.objects.exists()
    assert not is_kept(ada)
    assert is_kept(ada)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_limit_that_is_lowered_beside_fifty_uses_is_never_exceeded_after_it(ada):
    usage.override_limit(ada, "generations", 1000)
    usage.consume(ada, "generations")

    def act(number):
        if number == 25:
            usage.override_limit(ada, "generations", 0)
            return Usage.objects.get(subscriber=ada).used
        return usage.consume(ada, "generations")

    at_once(act, 50)
    after = Usage.objects.get(subscriber=ada).used
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations")
    assert Usage.objects.get(subscriber=ada).used == after


def test_triggers_that_are_there_are_left_alone_and_another_is_made_anew():
    from billing.setup import watching

    watching.install()
    with CaptureQueriesContext(connection) as again:
        watching.install()
    assert [query["sql"] for query in again if "TRIGGER" in query["sql"].upper().split("SELECT")[0]] == []
    table = Grant._meta.db_table
    with connection.cursor() as cursor:
        of_table = f" ON {table}" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER {table}_noted_update{of_table}")
    with CaptureQueriesContext(connection) as anew:
        watching.install()
    made = [query["sql"] for query in anew if query["sql"].startswith("CREATE TRIGGER")]
    assert {table in sql for sql in made} == {True}
    assert len(made) == 3
