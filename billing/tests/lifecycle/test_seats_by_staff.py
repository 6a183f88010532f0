"""Staff set a quantity where nobody counts it; each thing that speaks against it refuses alone, and nothing is sent."""

from types import SimpleNamespace

import pytest

from billing.lifecycle import refusals, seats_by_staff
from billing.models import Plan

FREE_TO_CHANGE = {
    "found": {"id": "sub_1"}, "is_trial": False, "pending": None, "schedule": None, "has_pending_update": False,
    "is_refused": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def written(monkeypatch):
    calls = []
    post = lambda path, idempotency_key, **params: calls.append((path, idempotency_key, params))  # noqa: E731
    monkeypatch.setattr("billing.stripe_client.post", post)
    monkeypatch.setattr(seats_by_staff.seats, "is_counted", lambda: False)
    monkeypatch.setattr(seats_by_staff, "check_changeable", check_changeable)
    return calls


def check_changeable(now):
    if now.is_refused:
        raise refusals.PaymentOverdue


def standing(quantity=1, min_seats=2, **changes):
    price = SimpleNamespace(plan=Plan(name="Team", min_seats=min_seats))
    item = {"id": "si_1", "quantity": quantity}
    return SimpleNamespace(item=item, price=price, **{**FREE_TO_CHANGE, **changes})


@pytest.mark.parametrize(("is_trial", "behavior"), [(False, "create_prorations"), (True, "none")])
@pytest.mark.parametrize("quantity", [2, 3])
def test_the_quantity_is_set_by_the_key_and_prorated_but_for_a_trial(written, quantity, is_trial, behavior):
    seats_by_staff.set_quantity(standing(is_trial=is_trial), quantity, "key")
    items = [{"id": "si_1", "quantity": quantity}]
    assert written == [("/v1/subscriptions/sub_1", "key", {"items": items, "proration_behavior": behavior})]


@pytest.mark.parametrize(
    ("now", "kind", "words"),
    [
        ({"is_refused": True}, refusals.PaymentOverdue, ""),
        ({"quantity": None}, refusals.PriceNotOffered, "This price is charged by use, and has no quantity."),
        ({"min_seats": 6}, refusals.PriceNotOffered, "Team is sold for 6 at least."),
        ({"pending": "a change"}, refusals.ChangePending, ""),
        ({"schedule": {"id": "sub_sched_1"}}, refusals.ChangePending, ""),
        ({"has_pending_update": True}, refusals.ChangePending, ""),
    ],
)
def test_what_speaks_against_it_refuses_alone(written, now, kind, words):
    with pytest.raises(kind) as refused:
        seats_by_staff.set_quantity(standing(**now), 5, "key")
    assert (words in str(refused.value), written) == (True, [])


def test_what_is_counted_is_not_set(written, monkeypatch):
    monkeypatch.setattr(seats_by_staff.seats, "is_counted", lambda: True)
    with pytest.raises(refusals.PriceNotOffered, match="BILLING_SEATS counts the seats"):
        seats_by_staff.set_quantity(standing(), 5, "key")
    assert written == []
