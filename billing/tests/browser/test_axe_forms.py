"""axe-core finds no violation on a customer's page and in the forms of staff, by day, in the dark and on a phone."""

import pytest
from django.contrib.admin.utils import quote

from billing.models import Customer
from billing.subscriptions import grants
from billing.tests.lifecycle.test_guests import paid, shop

from . import states
from .test_axe_staff import enter, look

__all__ = ["enter", "look", "shop"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# state → the forms that are opened there; what a state offers beside these is opened in another one.
FORMS = {
    "active": "refresh grant extend-grant end-grant hold refund-money credit invoice cancel change-plan quantity "
    "discount discount-link pause note merge",
    "trial_with_card": "extend-trial end-trial",
    "discounted": "end-discount",
    "past_due_in_grace": "void",
    "cancelled_at_end": "resume",
    "dispute_hold": "release",
    "unknown_price": "map-price keep-price",
}


@pytest.mark.parametrize("state", FORMS)
def test_a_customers_page_and_its_forms(world, enter, look, state):
    user = getattr(states, state)(world)
    if state == "active":
        grants.give(user, plan="team", source="staff:1", reason="A pilot")
    of = f"/admin/billing/customer/{quote(Customer.objects.get().pk)}"
    page = enter()
    page.goto(f"{of}/change/")
    offered = page.locator("#content a[href*='/do/']").evaluate_all("links => links.map(link => link.pathname)")
    opened = [f"{of}/do/{name}/" for name in FORMS[state].split()]
    assert [form for form in opened if form not in offered] == []
    assert look(page, [f"{of}/change/", *opened]) == {}


def test_what_a_guest_bought_and_its_forms(shop, enter, look):
    of = f"/admin/billing/purchase/{paid(shop).pk}"
    assert look(enter(), [f"{of}/change/", f"{of}/do/give/", f"{of}/do/forget/"]) == {}
