"""Staff read these sentences about somebody's access: each with each of its turns, and silence where there is
nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from billing.access import NO_SUBSCRIPTION, Access, explanation, history, words
from billing.models import AccountDeletion, Customer, Grant, Hold, Plan, StripeEvent, Subscription, SubscriptionChange

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 10, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
PRO, TEAM = Plan(pk=1, slug="pro", name="Pro"), Plan(pk=2, slug="team", name="Team")


def told(decided, **facts):
    usual = {"holds": [], "changes": [], "events": []}
    return str(explanation.Explanation("ada", AT, decided, **{**usual, **facts}))


def access(has_access=True, reason="active", plan=PRO, row=None, **facts):
    return Access(has_access, reason, plan, row, **facts)


def subscription(**columns):
    return Subscription(**{"stripe_id": "sub_1", "status": "active", "plan": PRO, **columns})


@pytest.mark.parametrize(
    ("decided", "sentence"),
    [
        (NO_SUBSCRIPTION, "There is no subscription; the free plan is in effect."),
        (access(row=subscription(stripe_id="")), "There is no subscription; Pro is in effect."),
        (access(row=subscription()), "The subscription sub_1 to Pro is active, and its plan is in effect."),
        (
            access(plan=TEAM, reason="grant", row=subscription(), grants=(Grant(plan=TEAM, source="staff:1"),)),
            "The subscription sub_1 to Pro is active, but Team is in effect.",
        ),
        (
            access(False, "unpaid", None, subscription(status="unpaid")),
            "The subscription sub_1 to Pro is unpaid, but the free plan is in effect.",
        ),
        (
            access(False, "unmapped_price", None, subscription(plan=None)),
            "The subscription sub_1 to a price without a plan is active, but the free plan is in effect.",
        ),
    ],
)
def test_the_subscription_is_told_with_what_is_in_effect(decided, sentence):
    assert sentence in told(decided).splitlines()


@pytest.mark.parametrize(
    ("since", "ends", "sentence"),
    [
        (None, None, "No payment is overdue."),
        (AT - DAY, AT + TICK, "A payment is overdue: grace counts from 9 May 2026, 12:00 and ends 10 May 2026, 12:00."),
        (AT - DAY, AT, "A payment is overdue: grace counts from 9 May 2026, 12:00 and ended 10 May 2026, 12:00."),
        (AT - DAY, None, "A payment is overdue: grace counts from 9 May 2026, 12:00 and ended an unknown date."),
    ],
)
def test_grace_ends_while_it_is_ahead_and_has_ended_from_its_moment(since, ends, sentence):
    decided = access(row=subscription(past_due_since=since), grace_ends_at=ends)
    assert sentence in told(decided).splitlines()


def test_without_anything_to_tell_there_is_a_line_each_and_no_heading():
    assert told(NO_SUBSCRIPTION).splitlines() == [
        "On 10 May 2026, 12:00, ada has no access (no_subscription). There has never been a subscription.",
        "There is no subscription; the free plan is in effect.",
        "No payment is overdue.",
        "Stripe sent no event about this customer until then.",
    ]


def test_everything_is_told_with_its_cause():
    grants = [
        Grant(plan=TEAM, granted_at=AT - DAY, until=AT + DAY, source="staff:1", reason="They waited."),
        Grant(feature="exports", quantity=500, granted_at=AT, source="appsumo:XYZ"),
    ]
    holds = [
        Hold(kind="staff", reference="case 7", reason="They asked.", placed_at=AT),
        Hold(kind="dispute", reference="dp_1", placed_at=AT),
    ]
    changes = [
        SubscriptionChange(recorded_at=AT, status="active", plan=PRO),
        SubscriptionChange(recorded_at=AT - DAY, status="none"),
    ]
    event = StripeEvent(type="invoice.paid", status="processed", created=int(AT.timestamp()))
    lines = told(
        access(row=subscription()), grants=grants, holds=holds, changes=changes, events=[event],
        deletion=AccountDeletion(requested_at=AT),
    ).splitlines()  # fmt: skip
    step = AccountDeletion().next_step
    kinds = [hold.get_kind_display() for hold in holds]
    assert lines[3:] == [
        "A member of staff gave Team until 11 May 2026, 12:00, since 9 May 2026, 12:00: They waited.",
        "The source appsumo:XYZ gave 500 exports a month for good, since 10 May 2026, 12:00: no reason.",
        f"Access is on hold since 10 May 2026, 12:00: {kinds[0]}, They asked.",
        f"Access is on hold since 10 May 2026, 12:00: {kinds[1]}, for dp_1.",
        f"Deletion of the account was requested on 10 May 2026, 12:00; it waits for Stripe, next step: {step}.",
        "What we knew, newest first:",
        "  10 May 2026, 12:00: active on Pro",
        "  9 May 2026, 12:00: none",
        "Stripe's last events:",
        "  10 May 2026, 12:00: invoice.paid (processed)",
    ]


@pytest.mark.parametrize(
    ("decided", "sentence"),
    [
        (
            access(row=subscription(current_period_end=AT)),
            "The subscription is active and paid until 10 May 2026, 12:00.",
        ),
        (access(), "The subscription is active and paid until an unknown date."),
        (
            access(row=subscription(current_period_end=AT, cancel_at=AT + DAY)),
            (
                "The subscription is active and paid until 10 May 2026, 12:00. "
                "It is cancelled and ends 11 May 2026, 12:00."
            ),
        ),
        (
            access(False, "canceled", None, subscription(ended_at=AT, cancel_at=AT)),
            "The subscription ended 10 May 2026, 12:00.",
        ),
        (access(reason="trialing", row=subscription(trial_end=AT)), "The trial runs until 10 May 2026, 12:00."),
        (
            access(reason="grace", row=subscription(past_due_since=AT - DAY), grace_ends_at=AT),
            "A payment has been due since 9 May 2026, 12:00, and grace lasts until 10 May 2026, 12:00.",
        ),
        (
            access(reason="grant", grants=(Grant(plan=TEAM, until=AT, source="staff:1"),)),
            "A member of staff gave Team until 10 May 2026, 12:00.",
        ),
        (access(reason="grant", grants=(Grant(plan=TEAM, source="a-code"),)), "The source a-code gave Team for good."),
        (access(False, "host_left_the_building", None), "This project's own rule says: left the building."),
        (access(False, "hold_unheard_of", None), "Hold unheard of."),
    ],
)
def test_each_reason_is_a_sentence_with_its_days(decided, sentence):
    assert words.sentence_of(decided) == sentence


# What was so at a moment


@pytest.fixture
def ada():
    customer = Customer.objects.create(pk="cus_ada")
    Customer.objects.filter(pk="cus_ada").update(created_at=AT - DAY)
    Subscription.objects.create(customer=customer, stripe_id="sub_1", status="unpaid")
    return Customer.objects.get(pk="cus_ada")


@pytest.fixture
def user():
    return get_user_model().objects.create_user("ben@example.com")


def changed(customer, at, status, stripe_id="sub_1", **columns):
    SubscriptionChange.objects.create(
        customer=customer, recorded_at=at, status=status, stripe_id=stripe_id, mrr=0, **columns
    )


def test_the_state_at_a_moment_is_the_latest_recorded_up_to_it_of_that_customer(ada):
    ben = Customer.objects.create(pk="cus_ben")
    changed(ben, AT, "canceled")
    changed(ada, AT, "trialing")
    changed(ada, AT + DAY, "active")
    moments = {AT - TICK: None, AT: "trialing", AT + DAY - TICK: "trialing", AT + DAY: "active"}
    for at, status in moments.items():
        found = history.states_at(ada, at)
        assert {line: row.status for line, row in found.items()} == ({"main": status} if status else {})


def test_in_each_line_it_is_the_one_that_counted_then(ada):
    changed(ada, AT, "active")
    changed(ada, AT, "trialing", stripe_id="sub_2", counts=False)
    changed(ada, AT, "past_due", stripe_id="sub_3", line="storage")
    changed(ada, AT + DAY, "canceled", counts=False)
    changed(ada, AT + DAY, "active", stripe_id="sub_2")
    then, later = history.states_at(ada, AT), history.states_at(ada, AT + DAY)
    assert {line: row.stripe_id for line, row in then.items()} == {"main": "sub_1", "storage": "sub_3"}
    assert {line: row.stripe_id for line, row in later.items()} == {"main": "sub_2", "storage": "sub_3"}


def test_with_nothing_recorded_it_is_what_it_was_since_the_customer_came(ada):
    assert history.states_at(ada, AT - DAY)["main"].status == "unpaid"
    assert history.states_at(ada, AT - DAY - TICK) == {}


def test_what_counts_at_a_moment_is_what_was_in_force_then(ada):
    Hold.objects.create(customer=ada, kind="staff", reference="1", placed_at=AT, released_at=AT + DAY)
    ben = Customer.objects.create(pk="cus_ben")
    Hold.objects.create(customer=ben, kind="staff", reference="1", placed_at=AT - DAY)
    for at, held in ((AT - TICK, 0), (AT, 1), (AT + DAY - TICK, 1), (AT + DAY, 0)):
        assert len(explanation.explain_customer(ada, at).holds) == held


def test_a_deletion_and_a_departure_count_from_their_moment(ada):
    changed(ada, AT - DAY, "active")
    AccountDeletion.objects.create(customer=ada, lane=ada.pk, requested_at=AT)
    Customer.objects.filter(pk=ada.pk).update(deleted_at=AT + DAY)
    assert explanation.explain_customer(ada, AT - TICK).deletion is None
    assert explanation.explain_customer(ada, AT).deletion
    before, after = (explanation.explain_customer(ada, at).reason for at in (AT + DAY - TICK, AT + DAY))
    assert (before == "customer_deleted", after) == (False, "customer_deleted")


def test_the_last_five_events_and_changes_up_to_then_are_told_newest_first(ada):
    for number in range(7):
        changed(ada, AT + number * DAY, "active")
        for lane in ("cus_ada", "cus_ben"):
            StripeEvent.objects.create(
                pk=f"evt_{lane}_{number}", type="invoice.paid", status="processed", lane=lane, livemode=False,
                created=int((AT + number * DAY).timestamp()), received_at=AT, payload={},
            )  # fmt: skip
    found = explanation.explain_customer(ada, AT + 5 * DAY)
    assert [event.pk for event in found.events] == [f"evt_cus_ada_{number}" for number in (5, 4, 3, 2, 1)]
    assert [row.recorded_at for row in found.changes] == [AT + number * DAY for number in (5, 4, 3, 2, 1)]


def test_what_was_given_is_told_of_the_moments_in_which_it_was_in_force(ada, user):
    pro, team = (Plan.objects.create(slug=f"words-{name}", name=name, rank=1) for name in ("Pro", "Team"))
    Customer.objects.filter(pk=ada.pk).update(subscriber=user)
    of = {"subscriber": user}
    Grant.objects.create(**of, source="a", plan=pro, granted_at=AT, until=AT + 9 * DAY, ended_at=AT + DAY)
    Grant.objects.create(**of, source="b", plan=team, granted_at=AT + DAY, until=AT + 2 * DAY)
    grants = [explanation.explain_customer(ada, at).grants for at in (AT - TICK, AT, AT + DAY, AT + 3 * DAY)]
    assert [[grant.plan.name for grant in some] for some in grants] == [[], ["Pro"], ["Team"], []]


@pytest.mark.parametrize(
    ("columns", "who"),
    [({}, "nobody's customer (cus_ada)"), ({"email": "ada@example.com"}, "ada@example.com (cus_ada)")],
)
def test_a_customer_is_named_as_well_as_they_are_known(ada, columns, who):
    Customer.objects.filter(pk=ada.pk).update(**columns)
    assert explanation.explain_customer(ada, AT).who == who


def test_who_was_given_access_before_any_subscription_is_explained_by_that(user):
    plan = Plan.objects.create(slug="given", name="Given", rank=1)
    Grant.objects.create(subscriber=user, source="a", plan=plan, granted_at=AT, until=AT + DAY)
    assert explanation.explain(user, AT).reason == "grant"
    assert explanation.explain(user, AT - TICK).reason == "no_subscription"
    Customer.objects.create(pk="cus_ben", subscriber=user)
    assert explanation.explain(user, AT).reason == "grant"
