"""A grant is accepted or refused at each bound; the same source gives the same once, and a bystander's stays."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model

from billing import signals
from billing.models import AccountDeletion, Customer, Grant, Plan
from billing.subscriptions import grants

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def noon(settings):
    settings.BILLING_CLOCK, settings.BILLING_FREE_PLAN = "", "free"
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def plan():
    Plan.objects.create(slug="free", name="Free", rank=0)
    plan = Plan.objects.create(slug="given", name="Given", rank=1)
    plan.limits.create(feature="exports", quantity=5)
    return plan


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada@example.com")


@pytest.fixture
def ben():
    """A bystander, who was given the same by the same source."""
    ben = get_user_model().objects.create_user("ben@example.com")
    grants.give(ben, plan="given", source="prize", until=NOW + DAY, reason="a prize")
    before = Grant.objects.filter(subscriber=ben).values().get()
    yield ben
    assert Grant.objects.filter(subscriber=ben).values().get() == before


@pytest.fixture
def heard():
    told = []
    receivers = {
        name: lambda grant, name=name, **sent: told.append((name, sent["subscriber"].email, grant.source))
        for name in ("grant_given", "grant_ended")
    }
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver)
    yield told
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)


GIVES = {"plan": "given", "source": "prize"}
FEATURE = {"plan": "", "feature": "exports"}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"source": "s" * 255}, None),
        ({"source": "s" * 256}, "1 to 255"),
        ({"source": ""}, "1 to 255"),
        ({"plan": ""}, "either a plan or a feature"),
        ({"feature": "exports"}, "either a plan or a feature"),
        ({"plan": "gone"}, "no plan 'gone'"),
        ({"plan": "free"}, "Everybody has"),
        (FEATURE, None),
        ({"plan": "", "feature": "gone"}, "No plan has the feature"),
        ({"quantity": 1}, "A quantity is of a feature"),
        ({**FEATURE, "quantity": 1}, None),
        ({**FEATURE, "quantity": 0}, "at least 1"),
        ({**FEATURE, "quantity": grants.MOST_QUANTITY}, None),
        ({**FEATURE, "quantity": grants.MOST_QUANTITY + 1}, "at least 1"),
        ({"until": NOW + SECOND}, None),
        ({"until": NOW}, "is past"),
        ({"until": NOW.replace(tzinfo=None)}, "needs a time zone"),
    ],
)
def test_what_can_be_given_is_given_up_to_each_bound_and_else_nothing_is(ada, ben, heard, changes, refusal):
    asked = {**GIVES, **changes}
    if refusal:
        with pytest.raises(grants.GrantRefused, match=refusal):
            grants.give(ada, **asked)
        assert not Grant.objects.filter(subscriber=ada).exists()
    else:
        made = grants.give(ada, **asked)
        assert (made.source, made.until, made.granted_at, made.reason) == (
            asked["source"], asked.get("until"), NOW, "")  # fmt: skip
        assert (made.feature, made.quantity) == (asked.get("feature", ""), asked.get("quantity"))
    assert heard == ([] if refusal else [("grant_given", "ada@example.com", asked["source"])])


def test_the_same_source_gives_the_same_once_and_nothing_else(ada, ben, heard):
    first = grants.give(ada, **GIVES, until=NOW + DAY)
    assert grants.give(ada, **GIVES, until=NOW + 2 * DAY) == first
    assert Grant.objects.get(pk=first.pk).until == NOW + DAY
    Plan.objects.create(slug="other", name="Other", rank=2)
    for other in ({"plan": "other"}, FEATURE, {**FEATURE, "quantity": 7}):
        with pytest.raises(grants.GrantRefused, match="before"):
            grants.give(ada, **{**GIVES, **other})
    assert heard == [("grant_given", "ada@example.com", "prize")]
    grants.give(ada, **{**GIVES, **FEATURE, "quantity": 7, "source": "second"})
    with pytest.raises(grants.GrantRefused, match="before"):
        grants.give(ada, **{**GIVES, **FEATURE, "quantity": 8, "source": "second"})


def test_who_is_leaving_is_given_nothing(ada, ben):
    customer = Customer.objects.create(pk="cus_ada", subscriber=ada)
    AccountDeletion.objects.create(customer=customer, subscriber=ada, lane="cus_ada", requested_at=NOW)
    with pytest.raises(grants.GrantRefused, match="being deleted"):
        grants.give(ada, **GIVES)


@pytest.mark.parametrize(
    ("until", "refusal"),
    [(NOW + 5 * DAY, None), (None, None), (NOW + SECOND, None), (NOW, "is past"), (NOW.replace(tzinfo=None), "zone")],
)
def test_what_is_in_force_ends_at_another_moment(ada, ben, until, refusal):
    made = grants.give(ada, **GIVES, until=NOW + DAY)
    if refusal:
        with pytest.raises(grants.GrantRefused, match=refusal):
            grants.extend(ada, "prize", until)
    else:
        assert grants.extend(ada, "prize", until).until == until
    assert Grant.objects.get(pk=made.pk).until == (NOW + DAY if refusal else until)


def test_what_has_run_out_was_ended_or_is_anothers_is_not_extended(ada, ben, noon):
    grants.give(ada, **GIVES, until=NOW + SECOND)
    with pytest.raises(grants.GrantRefused, match="is in force"):
        grants.extend(ada, "other", NOW + DAY)
    noon.move_to(NOW + SECOND)
    with pytest.raises(grants.GrantRefused, match="is in force"):
        grants.extend(ada, "prize", NOW + DAY)
    grants.end_lapsed(ada)
    with pytest.raises(grants.GrantRefused, match="is in force"):
        grants.extend(ada, "prize", NOW + DAY)


def test_what_is_revoked_ends_now_once_and_what_else_was_given_stays(ada, ben, heard):
    for source in ("prize", "second"):
        grants.give(ada, **{**GIVES, "source": source})
    heard.clear()
    assert [grants.revoke(ada, "prize"), grants.revoke(ada, "prize"), grants.revoke(ada, "none")] == [
        True,
        False,
        False,
    ]
    assert heard == [("grant_ended", "ada@example.com", "prize")]
    assert dict(Grant.objects.filter(subscriber=ada).values_list("source", "ended_at")) == {
        "prize": NOW,
        "second": None,
    }


def test_what_has_run_out_is_found_and_ended_at_its_moment_and_the_rest_goes_on(ada, ben, heard, noon):
    grants.give(ada, **GIVES, until=NOW + SECOND)
    grants.give(ada, **{**GIVES, "source": "second"}, until=NOW + SECOND * 5)
    assert grants.subscribers_past_grant() == []
    heard.clear()
    noon.move_to(NOW + SECOND)
    assert grants.subscribers_past_grant() == [ada]
    noon.move_to(NOW + 2 * SECOND)
    grants.end_lapsed(ben)
    grants.end_lapsed(ada)
    assert heard == [("grant_ended", "ada@example.com", "prize")]
    ended = Grant.objects.filter(subscriber=ada).values_list("source", "ended_at")
    assert dict(ended) == {"prize": NOW + SECOND, "second": None}
    assert grants.subscribers_past_grant() == []


def test_who_leaves_keeps_nothing_and_the_words_go_too(ada, ben, heard):
    grants.give(ada, **GIVES, reason="a prize")
    grants.give(ada, **{**GIVES, "source": "second"}, reason="another")
    grants.revoke(ada, "second")
    heard.clear()
    grants.end_all(ada)
    assert heard == [("grant_ended", "ada@example.com", "prize")]
    assert set(Grant.objects.filter(subscriber=ada).values_list("reason", "ended_at")) == {("", NOW)}
    assert Grant.objects.get(subscriber=ben).reason == "a prize"
