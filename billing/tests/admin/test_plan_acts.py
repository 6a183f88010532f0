"""Staff cancel, resume, change plan and quantity, link a second customer and write notes."""

import pytest

from billing.models import Customer, Price

from .test_at_stripe import confirm, text
from .test_staff_actions import address, do, logged, member, page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(world):
    return member("root@example.com", "cancel_subscription", "switch_plan", "link_customer", "note_customer")


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def ben(world):
    return world.subscribed(email="ben@example.com")


def test_a_cancellation_at_the_end_is_previewed_made_and_taken_back(world, staff, ada, ben):
    preview, answer = confirm(staff, ada, "cancel")
    assert "The subscription and its access end on" in text(preview)
    assert "at the end of its period." in text(answer)
    assert ada.row.cancel_at
    assert ada.access.has_access
    assert "Undid the cancellation" in text(do(staff, ada, "resume"))
    assert (ada.row.cancel_at, ben.row.cancel_at) == (None, None)


def test_a_cancellation_now_ends_access_now(world, staff, ada, ben):
    preview, answer = confirm(staff, ada, "cancel", when="now")
    assert "The subscription and its access end now." in text(preview)
    assert "Cancelled" in text(answer)
    world.deliver()
    assert (ada.row.status, ben.row.status) == ("canceled", "active")
    assert not ada.access.has_access


def test_while_something_is_unpaid_the_end_of_the_period_is_refused_with_what_to_do(world, staff, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    assert "it can only end now" in text(do(staff, ada, "cancel"))
    preview, _ = confirm(staff, ada, "cancel", when="now")
    assert "The unpaid invoices are closed: $20.00." in text(preview)
    world.deliver()
    assert ada.row.status == "canceled"


def test_a_higher_plan_is_previewed_and_charged_at_once(world, staff, ada, ben):
    price = Price.objects.get(plan__slug="team", interval="month")
    preview, answer = confirm(staff, ada, "change-plan", price=price.pk)
    assert "Team begins now." in text(preview)
    assert "each renewal costs" in text(preview)
    assert "Changed the plan from" in text(answer)
    assert (ada.row.plan.slug, ben.row.plan.slug) == ("team", "pro")


def test_a_plan_that_they_have_is_refused(world, staff, ada):
    price = Price.objects.get(plan__slug="pro", interval="month")
    assert "You already have this plan" in text(do(staff, ada, "change-plan", price=price.pk))
    assert logged() == []


def test_a_quantity_is_previewed_and_set(world, staff, ada, ben):
    preview, answer = confirm(staff, ada, "quantity", quantity="3")
    assert "The quantity changes from 1 to 3 now." in text(preview)
    assert "Each renewal costs $60.00 then" in text(preview)
    assert "from 1 to 3" in text(answer)
    assert (ada.row.quantity, ben.row.quantity) == (3, 1)


def test_a_quantity_that_a_project_counts_is_not_offered(world, staff, ada, settings):
    settings.BILLING_SEATS = "billing.tests.admin.test_plan_acts.one"
    assert address(ada, "quantity") not in page(staff, ada)


def one(subscriber):
    return 1


def nobodys(world):
    """Returns the customer of somebody who paid and whose account is known no more."""
    eve = world.subscribed(email="eve@example.com")
    Customer.objects.filter(pk=eve.customer).update(subscriber=None)
    return eve.customer


def test_a_customer_of_nobodys_is_linked_and_what_it_pays_for_is_theirs(world, staff, ada, ben):
    other = nobodys(world)
    confirm(staff, ada, "cancel", when="now")
    world.deliver()
    assert not ada.access.has_access
    preview, answer = confirm(staff, ada, "merge", other=other)
    assert f"{other} (eve@example.com) becomes a customer of ada@example.com." in text(preview)
    assert "It has: Pro (active), and 1 payments." in text(preview)
    assert f"Linked the customer {other} too." in text(answer)
    assert ada.access.has_access
    assert Customer.objects.get(pk=other).subscriber_id == ada.user.pk
    key = world.stripe("GET", f"customers/{other}")["metadata"]
    assert str(ada.user.pk) in key.values()


@pytest.mark.parametrize("whose", ["ben's", "cus_unknown", "' OR 1=1"])
def test_a_customer_of_somebody_else_or_of_no_one_known_is_not_linked(world, staff, ada, ben, whose):
    other = ben.customer if whose == "ben's" else whose
    assert "belongs to somebody" in text(do(staff, ada, "merge", other=other))
    assert Customer.objects.get(pk=ben.customer).subscriber_id == ben.user.pk
    assert logged() == []


def test_a_note_stands_on_the_page_and_in_the_history(world, staff, ada, ben):
    answer = do(staff, ada, "note", "They pay by transfer <each January>.")
    assert logged() == ["Note: They pay by transfer <each January>."]
    assert "They pay by transfer &lt;each January&gt;." in answer.content.decode()
    assert "They pay by transfer" not in page(staff, ben)


def test_without_the_permission_there_is_no_door(world, ada):
    bob = member("bob@example.com", "hold_customer")
    for name in ("cancel", "resume", "change-plan", "quantity", "merge", "note"):
        assert bob.post(address(ada, name), {"reason": "r"}).status_code == 403
