"""Staff change plans and the plan of a price."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from billing.models import (
    Plan,
    Price,
)

from .test_pages import address

pytestmark = pytest.mark.django_db


# Plans


def inline(prefix: str, *forms: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(forms), f"{prefix}-INITIAL_FORMS": initial}
    return data | {f"{prefix}-{n}-{key}": value for n, form in enumerate(forms) for key, value in form.items()}


def plan_form(plan: Plan, quantity: str, **changed: Any) -> dict[str, Any]:
    limit = plan.limits.get()
    limits = inline(
        "limits",
        {"id": limit.pk, "plan": plan.pk, "feature": limit.feature, "quantity": quantity, "rollover": 0},
        initial=1,
    )
    return {
        "name": plan.name,
        "description": "",
        "line": "main",
        "rank": 1,
        "grace_days": 5,
        "trial_days": 0,
        "min_seats": 1,
        **limits,
        **changed,
    }


def test_staff_may_change_a_plans_limits_and_days(rows):
    plan = rows[Plan]
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    codenames = ["view_plan", "change_plan", "change_planlimit", "view_planlimit"]
    bob.user_permissions.set(Permission.objects.filter(codename__in=codenames, content_type__app_label="billing"))
    client = Client()
    client.force_login(bob)
    assert client.post(address(Plan, "change", plan.pk), plan_form(plan, "250")).status_code == 302
    plan.refresh_from_db()
    assert (plan.grace_days, plan.limits.get().quantity) == (5, 250)


def test_a_plans_slug_is_chosen_once(staff, rows):
    plan = rows[Plan]
    prices = inline("prices")
    staff.post(address(Plan, "change", plan.pk), {**plan_form(plan, "10", slug="gold"), **prices})
    plan.refresh_from_db()
    assert plan.slug == "pro"


def test_a_price_changes_its_plan_and_nothing_else(staff, rows):
    team = Plan.objects.create(slug="team", name="Team", rank=2)
    staff.post(address(Price, "change", "price_1"), {"plan": team.pk, "unit_amount": 1, "is_active": ""})
    price = Price.objects.get(pk="price_1")
    assert (price.plan, price.unit_amount, price.is_active) == (team, 2000, True)


def test_a_price_is_not_changed_without_the_permission(rows):
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(codename="view_price", content_type__app_label="billing"))
    client = Client()
    client.force_login(bob)
    assert client.post(address(Price, "change", "price_1"), {"plan": rows[Plan].pk}).status_code == 403
