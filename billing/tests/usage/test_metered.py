"""A host's view counts a use by a decorator, and gives it back if it fails."""

import asyncio
import json

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from rest_framework.decorators import api_view
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from billing import usage
from billing.decorators import metered

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of(rf):
    def make(user, **query):
        request = rf.get("/", query)
        request.user = user
        return request

    return make


def used(user):
    return usage.summary(user)["generations"].used


@metered("generations", cost=lambda request: int(request.GET.get("cost", 1)))
def view(request):
    if request.GET.get("fails"):
        raise RuntimeError("broken")
    return HttpResponse(status=int(request.GET.get("status", 200)))


def test_a_request_counts_what_it_costs(request_of, ada, ben):
    assert view(request_of(ada)).status_code == view(request_of(ada, cost=4)).status_code == 200
    assert (used(ada), used(ben)) == (5, 0)


@pytest.mark.parametrize(("status", "counted"), [(200, 3), (399, 3), (400, 0), (500, 0)])
def test_an_answer_that_is_an_error_counts_nothing(request_of, ada, status, counted):
    assert view(request_of(ada, cost=3, status=status)).status_code == status
    assert used(ada) == counted


def test_a_view_that_raises_counts_nothing(request_of, ada):
    with pytest.raises(RuntimeError, match="broken"):
        view(request_of(ada, fails=1))
    assert used(ada) == 0


def test_above_the_limit_the_view_is_not_reached_and_the_answer_is_402(request_of, ada):
    answer = view(request_of(ada, cost=11, fails=1))
    assert (answer.status_code, json.loads(answer.content)["code"]) == (402, "quota_exceeded")


def test_the_host_may_answer_in_its_own_format(request_of, ada):
    mine = metered("exports", refuse=lambda request, refused: HttpResponse(str(refused), status=418))(view)
    answer = mine(request_of(ada))
    assert (answer.status_code, answer.content) == (418, b"Your plan does not include exports.")


def test_a_stranger_is_refused(request_of):
    from django.contrib.auth.models import AnonymousUser

    answer = view(request_of(AnonymousUser()))
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "no_subscriber")


@pytest.mark.parametrize(("status", "counted"), [(200, 1), (503, 0)])
def test_a_view_of_rest_framework_is_counted_too(ada, status, counted):
    @api_view(["POST"])
    @metered("generations")
    def generate(request):
        return Response({}, status=status)

    request = APIRequestFactory().post("/")
    force_authenticate(request, ada)
    assert generate(request).status_code == status
    assert used(ada) == counted


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("status", "counted"), [(200, 1), (500, 0)])
def test_an_async_view_is_counted_too(request_of, status, counted):
    ada = get_user_model().objects.create_user("ada@example.com")

    @metered("generations")
    async def generate(request):
        return HttpResponse(status=status)

    assert asyncio.run(generate(request_of(ada))).status_code == status
    assert used(ada) == counted
