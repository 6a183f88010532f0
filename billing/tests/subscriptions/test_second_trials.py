"""A second trial is told by the card or the address of an earlier one; a bystander or another line is no reason."""

import pytest

from billing import lanes
from billing.models import StripeWrite, Subscription, Trial
from billing.subscriptions import trials

from . import test_trials as remembered
from .test_trials import DAY, NOW, SECOND, trial_of

pytestmark = pytest.mark.django_db

_noon, committed = remembered._noon, remembered.committed

# Compared

SAME = {"card_digest": "c1", "email_digest": "e1"}


@pytest.mark.parametrize(
    ("user", "columns", "is_same"),
    [
        ("ben", {}, True),
        ("", {}, True),
        ("ada", {}, False),
        ("ben", {"line": "storage"}, False),
        ("ben", {"card_digest": "c2"}, True),
        ("ben", {"email_digest": "e2"}, True),
        ("ben", {"card_digest": "c2", "email_digest": "e2"}, False),
        ("ben", {"card_digest": "", "email_digest": ""}, False),
    ],
)
def test_an_earlier_trial_of_another_by_card_or_address_is_told(committed, user, columns, is_same):
    earlier = trial_of("ben", user, **{**SAME, **columns})
    trial = trial_of("ada", "ada", **SAME)
    answer, alerts = committed(trials.compare, trial)
    assert (answer, len(alerts)) == (is_same, int(is_same))
    assert trials.compare(earlier) is False, "a later one is no reason"
    assert Trial.objects.get(pk=trial.pk).same_person_as == (earlier if is_same else None)


def test_trials_that_know_neither_card_nor_address_are_nobodys():
    trial_of("ben", "ben")
    assert trials.compare(trial_of("ada", "ada")) is False


def test_the_card_is_named_before_the_address_and_the_first_of_several():
    by_address = trial_of("one", "one", email_digest="e1")
    first, _ = trial_of("two", "two", card_digest="c1"), trial_of("three", "three", card_digest="c1")
    trial = trial_of("ada", "ada", **SAME)
    trials.compare(trial)
    assert (by_address.pk < first.pk, trial.same_person_as) == (True, first)
    (text,) = trials.lasting()
    assert text.startswith("The card of the trial sub_ada of the customer cus_ada was used for the trial sub_two of")
    assert "'Let the trial run'" in text


@pytest.mark.parametrize(
    ("rule", "columns", "ends"),
    [
        ("end", {"card_digest": "c1"}, True),
        ("end", {"email_digest": "e1"}, False),
        ("alert", {"card_digest": "c1"}, False),
    ],
)
def test_the_trial_ends_only_for_the_same_card_where_the_site_says_so(settings, committed, rule, columns, ends):
    settings.BILLING_TRIAL_SAME_CARD = rule
    trial_of("ben", "ben", **columns)
    trial = trial_of("ada", "ada", **SAME)
    _, (text,) = committed(trials.compare, trial)
    owed = list(StripeWrite.objects.values_list("action", "object_id"))
    assert owed == ([("move_trial", "sub_ada")] if ends else [])
    assert Trial.objects.get(pk=trial.pk).settled_at == (NOW if ends else None)
    assert ("It ends at once" in text) is ends


def marked():
    return list(Trial.objects.exclude(same_person_as=None).order_by("pk").values_list("subscription_id", flat=True))


@pytest.mark.parametrize(
    ("columns", "is_found"),
    [
        ({"card_digest": "c1"}, True),
        ({"email_digest": "e1"}, True),
        ({"card_digest": "c2", "email_digest": "e2"}, False),
        ({}, False),
        ({**SAME, "line": "storage"}, False),
        ({**SAME, "ends_at": NOW}, False),
        ({**SAME, "ends_at": NOW + SECOND}, True),
    ],
)
def test_running_trials_are_compared_once_more(columns, is_found):
    trial_of("ben", "ben", **SAME)
    trial_of("eve", "eve")
    trial_of("ada", "ada", **columns)
    assert trials.compare_missed() == int(is_found)
    assert marked() == (["sub_ada"] if is_found else [])
    assert trials.compare_missed() == 0


def test_one_that_trials_no_more_or_whose_lane_is_busy_is_left():
    trial_of("ben", "ben", **SAME)
    trial_of("ada", "ada", **SAME)
    Subscription.objects.filter(stripe_id="sub_ada").update(status="active")
    assert (trials.compare_missed(), marked()) == (0, [])
    Subscription.objects.filter(stripe_id="sub_ada").update(status="trialing")
    lanes.wake("cus_ada")
    claim = lanes.take("cus_ada")
    assert (trials.compare_missed(), marked()) == (0, [])
    lanes.release(claim)
    assert (trials.compare_missed(), marked()) == (1, ["sub_ada"])


# Settled


def test_what_waits_for_staff_is_settled_one_by_one_or_all_of_a_customer():
    earlier = trial_of("ben", "ben")
    ada, fay = (trial_of(name, name, same_person_as=earlier) for name in ("ada", "fay"))
    second = Trial.objects.create(customer=ada.customer, subscription_id="sub_2", started_at=NOW, ends_at=NOW + DAY,
                                  same_person_as=earlier)  # fmt: skip
    Subscription.objects.create(customer=ada.customer, stripe_id="sub_2", status="trialing", counts=False)
    assert set(trials.unsettled(ada.customer)) == {ada, second}
    assert set(trials.unsettled()) == {ada, second, fay}
    assert trials.settle(ada.customer, "sub_2")
    assert not trials.settle(ada.customer, "sub_fay")
    assert set(trials.unsettled()) == {ada, fay}
    assert trials.settle(ada.customer)
    assert not trials.settle(ada.customer)
    assert list(trials.unsettled()) == [fay]
    assert Trial.objects.get(pk=ada.pk).settled_at == NOW


@pytest.mark.parametrize(("ends_at", "status", "waits"), [
    (NOW + SECOND, "trialing", True), (NOW, "trialing", False), (NOW + SECOND, "active", False),
])  # fmt: skip
def test_only_a_trial_that_runs_waits_for_staff(ends_at, status, waits):
    trial = trial_of("ada", "ada", same_person_as=trial_of("ben", "ben"), ends_at=ends_at)
    Subscription.objects.filter(stripe_id="sub_ada").update(status=status)
    assert list(trials.unsettled()) == ([trial] if waits else [])
