"""axe-core finds no violation on any page of subscribers and visitors, by day, in the dark and on a phone.

One person opens page after page, so that the shop, the log-in and the browser are made once.
"""

import pytest

from billing import usage
from billing.lifecycle import checkout
from billing.models import Plan
from billing.setup import publishing_packs

from . import axe
from .test_subscriber import site
from .test_thirteen_states import enter

__all__ = ["enter", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OF_ANYBODY = (
    "/accounts/signup/ /accounts/login/?next=/billing/ /accounts/password-reset/ /accounts/password-reset/sent/ "
    "/accounts/password-reset/done/ /accounts/password-reset/MQ/wrong/ /accounts/deleted/ /accounts/confirm/MQ/wrong/ "
    "/billing/packs /billing/packs/credits_1000 /billing/redeem /accounts/nothing"
)
OF_SUBSCRIBERS = (
    "/ /billing/ /billing/change /billing/change?plan=team&interval=month /billing/change?plan=pro&interval=year "
    "/billing/cancel /billing/pause /billing/invoices /billing/packs /billing/add-ons /billing/redeem?code=nothing "
    "/billing/spending /accounts/ /accounts/email/ /accounts/password/ /accounts/sessions/ /accounts/tokens/ "
    "/accounts/language/ /accounts/confirmation/ /accounts/delete/ /accounts/second-step/setup/ "
    "/accounts/email/wrong/ /billing/return?session_id=cs_nobodys"
)


@pytest.fixture
def look(shoot):
    """`look(page, paths)`: what axe-core found, by path and look."""
    return lambda page, paths: axe.on_each(page, paths, shoot)


@pytest.fixture
def shop(world, settings):
    settings.BILLING_GUESTS_BUY_PACKS = True
    publishing_packs.publish()
    return world


def test_pages_of_visitors(shop, site, browse, look):
    page = browse(f"{site}/")
    assert look(page, ["/", *OF_ANYBODY.split()]) == {}


def test_pages_of_a_subscriber(shop, enter, look):
    ada = shop.subscribed()
    usage.consume(ada.user, "generations", 640)
    page = enter(ada.user)
    assert look(page, OF_SUBSCRIBERS.split()) == {}


def test_pages_of_who_buys(shop, enter, look):
    Plan.objects.filter(slug="team").update(trial_days=14)
    ada = shop.sign_up()
    attempt = checkout.start(ada, "pro", "month")
    paths = [
        "/",
        "/billing/",
        "/billing/checkout?plan=pro&interval=month",
        "/billing/checkout?plan=nope&interval=month",
    ]
    assert look(enter(ada), [*paths, f"/billing/return?session_id={attempt.session_id}"]) == {}
