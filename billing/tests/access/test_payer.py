"""The payer of a request need not be its sender, and a person with access need not be allowed to change it."""

import html
import re

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from billing.access import payer
from billing.api.permissions import HasAccess
from billing.decorators import access_required
from billing.models import Subscription, Usage

pytestmark = pytest.mark.django_db

API = "/api/v1/subscriptions"
PRO = {"plan": "pro", "interval": "month"}
ACTS = [
    ("post", "checkout", PRO),
    ("post", "preview", PRO),
    ("post", "change", PRO),
    ("delete", "change", None),
    ("post", "cancel", {"when": "now"}),
    ("post", "resume", None),
    ("post", "portal", None),
    ("get", "invoices", None),
]
PAGES = [
    ("get", "checkout?plan=team&interval=month"),
    ("post", "checkout?plan=team&interval=month"),
    ("get", "change"),
    ("post", "change"),
    ("post", "change/take-back"),
    ("get", "cancel"),
    ("post", "cancel"),
    ("post", "resume"),
    ("post", "portal"),
    ("get", "invoices"),
]


def who_leads(request):
    """BILLING_REQUEST_SUBSCRIBER of these tests: ada pays for everyone at example.com."""
    is_member = request.user.email.endswith("@example.com")
    return get_user_model().objects.filter(email="ada@example.com").first() if is_member else None


def leads(request, subscriber):
    """BILLING_MAY_MANAGE of these tests."""
    return request.user == subscriber


@pytest.fixture(autouse=True)
def _ada_pays_for_all(settings):
    settings.BILLING_REQUEST_SUBSCRIBER = "billing.tests.access.test_payer.who_leads"
    settings.BILLING_MAY_MANAGE = "billing.tests.access.test_payer.leads"


@pytest.fixture
def ada(world):
    """Make the owner, who has bought pro."""
    world.control("portal")
    return world.subscribed()


@pytest.fixture
def leader(world):
    """The same, who has bought nothing yet."""
    return world.sign_up()


@pytest.fixture
def ben(world):
    """A member who does not lead."""
    return world.sign_up("ben@example.com")


@pytest.fixture
def charlie(world):
    """Nobody pays for him."""
    return world.sign_up("charlie@elsewhere.net")


def by_api(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


def text(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


# Access


def passes(user):
    """Return who gets through decorator, permission and template tag, in this order."""
    request = RequestFactory().get("/")
    request.user = user
    asked = APIRequestFactory().get("/")
    force_authenticate(asked, user)
    shown = Template("{% load billing_access %}{% has_access %}").render(Context({"request": request}))
    page = access_required(lambda request: HttpResponse(), redirect_to="/")(request)
    return page.status_code == 200, View.as_view()(asked).status_code == 200, shown == "True"


class View(APIView):
    permission_classes = (HasAccess,)

    def get(self, request):
        return Response()


def test_whoever_is_paid_for_has_access_and_nobody_else(ada, ben, charlie):
    assert passes(ada.user) == passes(ben) == (True, True, True)
    assert passes(charlie) == (False, False, False)


def test_a_member_sees_what_they_have_and_uses_it_on_the_payers_account(ada, ben):
    current = by_api(ben).get(f"{API}/current").json()
    assert (current["plan"], current["has_access"]) == ("pro", True)
    assert by_api(ben).post("/api/v1/usage/generations", {"quantity": 2}).json()["used"] == 2
    assert Usage.objects.get().subscriber == ada.user


# Who may not manage


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_a_member_who_may_not_manage_changes_and_learns_nothing_by_api(leader, ben, method, path, body):
    answer = getattr(by_api(ben), method)(f"{API}/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "may_not_manage")
    assert answer.json()["detail"] == str(payer.MayNotManage())


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_nor_on_any_page(leader, ben, client, method, path):
    client.force_login(ben)
    answer = getattr(client, method)(f"/billing/{path}", {"when": "now"} if path == "cancel" else {})
    assert (answer.status_code, str(payer.MayNotManage()) in text(answer)) == (403, True)


def test_the_billing_page_of_a_member_has_the_state_and_neither_buttons_nor_money(ada, ben, client):
    client.force_login(ben)
    page = re.search("<main.*</main>", client.get("/billing/").content.decode(), re.DOTALL)[0]
    assert "Pro <span" in page
    assert str(payer.MayNotManage()) in page
    assert not any(words in page for words in ("Cancel", "Change plan", "Payments", "Invoice", "<form"))


def test_what_was_refused_has_changed_nothing(world, ada, ben, client):
    client.force_login(ben)
    client.post("/billing/cancel", {"when": "now"})
    by_api(ben).post(f"{API}/cancel", {"when": "now"})
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "active"


def test_a_payment_to_confirm_is_shown_to_who_manages_alone(world, ada, ben, client):
    world.change_card(ada, "pm_card_authenticationRequired")
    by_api(ada.user).post(f"{API}/change", {"plan": "team", "interval": "month"})
    links = [by_api(user).get(f"{API}/current").json()["pending_change"]["confirm_url"] for user in (ada.user, ben)]
    assert (bool(links[0]), links[1]) == (True, "")
    client.force_login(ben)
    assert links[0] not in client.get("/billing/").content.decode()


def test_prices_offer_a_member_nothing_to_buy(ada, ben, client):
    client.force_login(ben)
    page = client.get("/")
    assert "$60 / month" in text(page)
    assert str(payer.MayNotManage()) in text(page)
    assert "Change to Team" not in text(page)


def test_who_manages_is_not_kept_from_anything(ada, client):
    client.force_login(ada.user)
    assert client.get("/billing/cancel").status_code == 200
    client.post("/billing/cancel", {"when": "now"})
    assert Subscription.objects.get().status == "canceled"


def test_a_member_comes_back_from_checkout_for_the_payer_and_a_stranger_does_not(world, ben, charlie, client):
    ada = world.subscribe()
    session = world.stripe("GET", "checkout/sessions", customer=ada.customer)["data"][0]["id"]
    client.force_login(charlie)
    assert client.get(f"/billing/return?session_id={session}").status_code == 404
    client.force_login(ben)
    assert "Welcome to Pro" in text(client.get(f"/billing/return?session_id={session}"))


# Whom nobody pays for


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_who_belongs_nowhere_is_told_so_by_api(charlie, method, path, body):
    answer = getattr(by_api(charlie), method)(f"{API}/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "no_subscriber")


def test_who_belongs_nowhere_is_on_the_free_plan_and_uses_nothing(ada, charlie):
    current = by_api(charlie).get(f"{API}/current").json()
    assert (current["plan"], current["reason"], current["has_access"]) == ("free", "no_subscriber", False)
    answer = by_api(charlie).post("/api/v1/usage/generations", {"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (403, "no_subscriber")


def test_who_belongs_nowhere_sees_prices_and_why_there_is_nothing_to_choose(world, charlie, client):
    client.force_login(charlie)
    for address in ("/", "/billing/"):
        assert str(payer.NobodyPays()) in text(client.get(address))
    assert "Choose Pro" not in text(client.get("/"))
    answer = client.post("/billing/checkout", PRO)
    assert (answer.status_code, str(payer.NobodyPays()) in text(answer)) == (403, True)


def test_a_visitor_chooses_before_signing_in(world, client):
    assert "Choose Pro" in text(client.get("/"))


def test_a_project_that_does_not_say_who_pays_is_told_so(settings, ada):
    settings.BILLING_SUBSCRIBER_MODEL = "auth.Group"
    del settings.BILLING_REQUEST_SUBSCRIBER
    request = RequestFactory().get("/")
    request.user = ada.user
    with pytest.raises(ImproperlyConfigured, match="BILLING_REQUEST_SUBSCRIBER"):
        payer.payer_of(request)


def who_is_no_more(request):
    """Deleted meanwhile, or never saved."""
    return get_user_model()(email="gone@example.com")


def test_a_payer_who_is_in_no_table_is_nobody(world, ada, client, settings):
    settings.BILLING_REQUEST_SUBSCRIBER = "billing.tests.access.test_payer.who_is_no_more"
    client.force_login(ada.user)
    assert by_api(ada.user).get(f"{API}/current").json()["reason"] == "no_subscriber"
    assert by_api(ada.user).post(f"{API}/portal").json()["code"] == "no_subscriber"
    assert [client.get(path).status_code for path in ("/", "/billing/", "/billing/change")] == [200, 200, 403]
    assert passes(ada.user) == (False, False, False)
