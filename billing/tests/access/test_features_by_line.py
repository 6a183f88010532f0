"""A feature that was granted counts in every line, and is no plan of a line."""

import pytest
from django.contrib.auth import get_user_model

from billing import access, clock
from billing.models import Customer, Grant, Plan, PlanLimit, Subscription

pytestmark = pytest.mark.django_db


def test_a_granted_feature_is_access_by_itself_and_in_a_line_only_beside_a_plan_of_it():
    ada, ben = (get_user_model().objects.create_user(f"{name}@example.com") for name in ("ada", "ben"))
    plan = Plan.objects.create(slug="kept", name="Kept", rank=1, line="storage")
    PlanLimit.objects.create(plan=Plan.objects.create(slug="other", name="Other", rank=1), feature="calls", quantity=1)
    Grant.objects.create(subscriber=ada, feature="calls", quantity=5, source="gift", granted_at=clock.now())
    assert access.has_access(ada, feature="calls") is True
    assert access.has_access(ada, feature="calls", line="storage") is False
    assert access.has_access(ben, feature="calls") is False
    customer = Customer.objects.create(pk="cus_ada", subscriber=ada)
    Subscription.objects.create(customer=customer, stripe_id="sub_1", status="active", counts=True, plan=plan,
                                line="storage")  # fmt: skip
    assert access.has_access(ada, feature="calls", line="storage") is True
