"""A preview tells use beyond the limits of another plan, with what add-ons that are kept add to them."""

import pytest

from billing.lifecycle import previews
from billing.lifecycle.add_on_items import Outlook
from billing.models import Plan, Price

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("adds", "limits"),
    [
        ([], {"calls": 5, "free": None}),
        ([("calls", 3)], {"calls": 8, "free": None}),
        ([("calls", None)], {"calls": None, "free": None}),
        ([("free", 3)], {"calls": 5, "free": None}),
        ([("seats", 3)], {"calls": 5, "free": None, "seats": 3}),
        ([("seats", 3), ("seats", 2)], {"calls": 5, "free": None, "seats": 5}),
    ],
)
def test_add_ons_add_to_the_limits_of_the_plan_from_nothing_where_it_has_none(monkeypatch, adds, limits):
    plan = Plan.objects.create(slug="low", name="Low", rank=1)
    plan.limits.create(feature="calls", quantity=5)
    plan.limits.create(feature="free", quantity=None)
    asked = []
    monkeypatch.setattr(previews.catalogue.add_ons, "limits_of", lambda kept: asked.append(kept) or adds)
    monkeypatch.setattr(previews, "overflows", lambda subscriber, limits: (subscriber, limits))
    rows = [Outlook("stays", "Stays", 2, True, 1), Outlook("goes", "Goes", 1, False, None)]
    assert previews._overflows("ada", Price(plan=plan), rows) == ("ada", limits)
    assert asked == [{"stays": 2}]
