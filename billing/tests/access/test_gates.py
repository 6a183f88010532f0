"""The gates a host project puts before its views: permission, decorator, template tag."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from billing import access
from billing.api.permissions import HasAccess
from billing.catalogue import definitions
from billing.decorators import access_required
from billing.models import Customer, Hold, Plan, PlanLimit, Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plans(settings):
    settings.BILLING_CLOCK = ""
    definitions.update_plans()


@pytest.fixture
def charlie():
    return get_user_model().objects.create_user("charlie@example.com")


@pytest.fixture
def ada():
    """On the plan pro."""
    user = get_user_model().objects.create_user("ada@example.com")
    customer = Customer.objects.create(pk="cus_ada", subscriber=user)
    pro = Plan.objects.get(slug="pro")
    Subscription.objects.create(customer=customer, stripe_id="sub_1", status="active", plan=pro)
    return user


def hold(user):
    Hold.objects.create(customer=user.billing_customers.get(), kind="staff", reference="x", placed_at=timezone.now())


# The question itself


@pytest.mark.parametrize(
    "asked", [{}, {"plan": "pro"}, {"feature": "generations"}, {"plan": "pro", "feature": "generations"}]
)
def test_it_is_one_query_however_it_is_asked(ada, django_assert_num_queries, asked):
    ada = get_user_model().objects.get()
    with django_assert_num_queries(1):
        assert access.has_access(ada, **asked)


@pytest.mark.parametrize(
    ("plan", "is_in"), [("free", True), ("pro", True), ("team", False), ("nothing-of-the-kind", False)]
)
def test_a_plan_is_that_one_or_one_above_it(ada, plan, is_in):
    assert access.has_access(ada, plan=plan) is is_in


def test_a_feature_is_what_the_paid_plan_names(ada, charlie):
    PlanLimit.objects.create(plan=Plan.objects.get(slug="team"), feature="exports", quantity=None)
    assert access.has_access(ada, feature="generations")
    assert not access.has_access(ada, feature="exports")
    assert not access.has_access(charlie, feature="generations")


def test_past_due_counts_within_its_grace(ada):
    row = Subscription.objects.get()
    row.status, row.past_due_since = "past_due", timezone.now() - timedelta(days=2)
    row.save()
    assert access.has_access(ada, plan="pro")
    row.past_due_since -= timedelta(days=2)
    row.save()
    assert not access.has_access(ada, plan="pro")


def test_nobody_has_no_access_and_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not access.has_access(AnonymousUser())
        assert not access.has_access(None)


# DRF


class View(APIView):
    permission_classes: Any = (IsAuthenticated, HasAccess)

    def get(self, request):
        return Response({})


class TeamOnly(HasAccess):
    plan = "team"


class TeamView(View):
    permission_classes = (TeamOnly,)


def ask(view, user):
    request = APIRequestFactory().get("/")
    if user:
        force_authenticate(request, user)
    response = view.as_view()(request)
    return response.status_code, (response.data or {}).get("code")


def test_the_permission_lets_in_who_has_access_in_one_query(ada, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert ask(View, ada) == (200, None)


def test_the_permission_says_no_access_to_a_stranger_and_401_to_nobody(ada, charlie):
    assert ask(View, charlie) == (403, "no_access")
    assert ask(View, None) == (401, "not_authenticated")
    hold(ada)
    assert ask(View, ada) == (403, "no_access")


def test_a_permission_may_ask_for_a_plan(ada):
    assert ask(TeamView, ada) == (403, "no_access")


# Pages


def page(user, **asked):
    request = RequestFactory().get("/report?of=may")
    request.user = user
    guarded = access_required(**asked) if asked else access_required
    return guarded(lambda request: HttpResponse("the report"))(request)


def test_the_decorator_lets_in_who_has_access_in_one_query(ada, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert page(ada).content == b"the report"


def test_the_decorator_leads_to_log_in_and_refuses_a_stranger(charlie):
    assert page(AnonymousUser())["Location"] == "/accounts/login/?next=/report%3Fof%3Dmay"
    with pytest.raises(PermissionDenied):
        page(charlie)


def test_the_decorator_may_lead_elsewhere_and_ask_for_more(ada, charlie):
    assert page(charlie, redirect_to="billing:prices")["Location"] == "/"
    assert page(ada, plan="team", redirect_to="billing:prices")["Location"] == "/"
    assert page(charlie, subscriber=lambda request: ada).content == b"the report"


@pytest.mark.django_db(transaction=True)
def test_the_decorator_guards_async_views_too(ada, charlie):
    @access_required
    async def view(request):
        return HttpResponse("the report")

    def answer(user):
        request = RequestFactory().get("/")
        request.user = user
        return asyncio.run(view(request))

    assert answer(ada).content == b"the report"
    with pytest.raises(PermissionDenied):
        answer(charlie)


# Templates


def shown(user, arguments=""):
    template = Template(
        "{% load billing_access %}{% has_access " + arguments + " as is_in %}{% if is_in %}in{% else %}out{% endif %}"
    )
    return template.render(Context({"user": user}))


def test_a_template_shows_what_is_for_subscribers_in_one_query(ada, charlie, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert shown(ada) == "in"
    assert shown(charlie) == "out"
    assert shown(AnonymousUser()) == "out"


def test_a_template_may_ask_for_a_plan_a_feature_or_someone_else(ada, charlie):
    assert shown(ada, 'plan="team"') == "out"
    assert shown(ada, 'feature="generations"') == "in"
    assert Template("{% load billing_access %}{% has_access ada %}").render(Context({"ada": ada})) == "True"
