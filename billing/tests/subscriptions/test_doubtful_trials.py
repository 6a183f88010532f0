"""A trial that somebody began twice is told with the earlier one, and compared where its lane is free."""

from types import SimpleNamespace

import pytest

from billing import lanes
from billing.models import Customer, Trial
from billing.subscriptions import trials

EARLIER = Trial(subscription_id="sub_first", customer_id="cus_first")


@pytest.mark.parametrize(
    ("earlier", "known"), [(EARLIER, "the trial sub_first of the customer cus_first."), (None, "another trial.")]
)
@pytest.mark.parametrize(("has_same_card", "what"), [(True, "The card of"), (False, "The e-mail address of")])
@pytest.mark.parametrize(
    ("settled_at", "ends"), [("then", "It ends at once, and the first payment"), (None, "choose 'End the trial'")]
)
def test_the_earlier_trial_and_what_tells_its_person_are_named(earlier, known, has_same_card, what, settled_at, ends):
    trial = SimpleNamespace(same_person_as=earlier, has_same_card=has_same_card, settled_at=settled_at,
                            subscription_id="sub_1", customer_id="cus_1")  # fmt: skip
    said = trials._words(trial)
    assert said.startswith(f"{what} the trial sub_1 of the customer cus_1 was used for {known} ")
    assert ends in said


@pytest.mark.django_db(transaction=True)
def test_while_another_worker_has_the_lane_the_trial_is_left_to_the_next_run(monkeypatch):
    monkeypatch.setattr(trials, "compare", lambda row: pytest.fail("the lane is another's"))
    trial = Trial(subscription_id="sub_1", customer=Customer.objects.create(pk="cus_1"))
    with lanes.exclusive("cus_1"):
        assert trials._compare_in_lane(trial) is False
