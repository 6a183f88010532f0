"""Who presses a button after the session has ended logs in, and lands where the button leads."""

import uuid

import pytest
from django.conf import settings as django_settings
from django.urls import URLPattern, get_resolver, include, path, reverse

from billing import testing

pytestmark = pytest.mark.django_db

CLOSED = "django.contrib.auth.middleware.LoginRequiredMiddleware"
CHOICE = {"plan": "pro", "interval": "month", "currency": "usd"}
PASSWORD = "correct-horse-battery"

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("billing.urls")),
    path("", include("notifications.urls")),
]


@pytest.fixture(params=[False, True], ids=["open", "closed by default"])
def site(request, settings):
    """A host without and with Django's LoginRequiredMiddleware."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [*django_settings.MIDDLEWARE, *([CLOSED] if request.param else [])]


def every_address():
    def walk(patterns, before, given):
        for found in patterns:
            names = {**given, **{name: _sample(kind) for name, kind in found.pattern.converters.items()}}
            if isinstance(found, URLPattern):
                yield [*before, found], names
            else:
                yield from walk(found.url_patterns, [*before, found], names)

    for places, given in walk(get_resolver(__name__).url_patterns[1:], [], {}):
        spaces = [place.namespace for place in places[:-1] if place.namespace]
        yield reverse(":".join([*spaces, places[-1].name]), kwargs=given)


def _sample(converter):
    return uuid.UUID(int=0) if type(converter).__name__ == "UUIDConverter" else "x"


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_address_answers_a_stranger_alike_in_a_site_that_is_closed_by_default(world, client, settings, method):
    settings.ROOT_URLCONF = __name__
    addresses = list(every_address())

    def answers():
        found = {address: getattr(client, method)(address) for address in addresses}
        return {address: (answer.status_code, answer.headers.get("Location")) for address, answer in found.items()}

    is_open = answers()
    settings.MIDDLEWARE = [*django_settings.MIDDLEWARE, CLOSED]
    assert answers() == is_open
    assert len(addresses) > 25
    assert is_open["/billing/"] == (302, "/accounts/login/?next=/billing/")


def test_webhooks_arrive_in_a_site_that_is_closed_by_default(world, site):
    ada = world.subscribe()
    world.deliver()
    assert ada.access.has_access


def press(client, address, **fields):
    """Post a form without a session, log in on the page that comes, and return the pages one is led to."""
    led = client.post(address, fields)
    answer = client.post(led.headers["Location"], {"username": "ada@example.com", "password": PASSWORD}, follow=True)
    return [url for url, _ in answer.redirect_chain], answer


def test_choosing_a_plan_leads_on_to_its_checkout(world, client, site):
    world.sign_up()
    ((address,), answer) = press(client, "/billing/checkout", **CHOICE)
    assert address == "/billing/checkout?plan=pro&interval=month&currency=usd"
    assert 'name="plan" value="pro"' in answer.content.decode()


def test_a_change_leads_on_to_its_preview(world, client, site):
    world.subscribed()
    ((address,), answer) = press(client, "/billing/change", plan="team", interval="month", proration_date="1")
    assert address == "/billing/change?plan=team&interval=month"
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["portal", "resume", "take_back"])
def test_a_button_without_a_page_of_its_own_leads_to_the_account(world, client, site, name):
    world.subscribed()
    addresses, answer = press(client, reverse(f"billing:{name}"))
    assert addresses[-1] == "/billing/"
    assert answer.status_code == 200


def test_a_checkout_without_a_plan_leads_to_the_prices(world, client, site):
    client.force_login(world.sign_up())
    assert client.get("/billing/checkout").headers["Location"] == "/"


def test_a_login_elsewhere_is_given_a_whole_address(world, client, site, settings):
    settings.LOGIN_URL = "https://accounts.example.com/log-in"
    led = client.post("/billing/checkout", CHOICE).headers["Location"]
    assert led.startswith("https://accounts.example.com/log-in?next=http%3A//testserver/billing/checkout%3Fplan")


def test_the_door_of_the_kit_is_open(site):
    assert testing.post(b"{}").status_code == 400
