"""Staff change how many of an add-on a subscriber has, with a permission, a preview, a reason and a log."""

import pytest

from billing.lifecycle import add_ons
from billing.models import AddOn
from billing.monitoring.dashboard import add_ons as section
from billing.setup import publishing_add_ons

from .test_at_stripe import confirm, text
from .test_staff_actions import address, do, logged, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world):
    publishing_add_ons.publish()
    return world.subscribed()


def chosen(quantity):
    return {"add_on": str(AddOn.objects.get(slug="extra").pk), "quantity": str(quantity)}


def test_more_is_previewed_charged_and_logged_and_less_waits(world, ada):
    staff = member("root@example.com", "change_add_ons")
    preview, answer = confirm(staff, ada, "add-ons", **chosen(2))
    assert "$16.00 is charged now. At each renewal it costs $16.00" in text(preview)
    assert "Changed extra from 0 to 2." in text(answer)
    assert ada.row.add_ons == {"extra": 2}
    _, answer = confirm(staff, ada, "add-ons", **chosen(1))
    assert "Changed extra from 2 to 1, from the next period on." in text(answer)
    assert (ada.row.add_ons, ada.row.pending_add_ons) == ({"extra": 2}, {"extra": 1})
    assert next(line.split(":")[0] for line in logged()) == "Changed extra from 0 to 2"


def test_what_is_refused_is_said_and_without_the_permission_there_is_no_door(world, ada):
    staff, bob = member("root@example.com", "change_add_ons"), member("bob@example.com", "hold_customer")
    assert bob.post(address(ada, "add-ons"), {"reason": "r"}).status_code == 403
    assert "at most" in text(do(staff, ada, "add-ons", **chosen(10_001)))
    world.change_card(ada, "pm_card_chargeCustomerFail")
    _, answer = confirm(staff, ada, "add-ons", **chosen(1))
    assert "declined" in text(answer)
    assert (ada.row.add_ons, logged()) == ({}, [])


def test_the_dashboard_parts_the_mrr_by_plan_and_add_on(world, ada):
    ben = world.subscribed(plan="pro", interval="year", email="ben@example.com")
    add_ons.set_quantity(ada.user, "extra", 3)
    add_ons.set_quantity(ben.user, "extra", 1)
    rows = [[str(getattr(cell, "text", cell)) for cell in row] for row in section.table().rows]
    assert [(row[0], row[2]) for row in rows] == [("Pro", "2"), ("500 more generations", "4")]
    assert (rows[0][3], rows[1][3]) == ("$36.67", "$30.67")
    assert ada.row.mrr + ben.row.mrr == 3667 + 3067
