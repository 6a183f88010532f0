"""Who may pay twice by a customer that nobody is linked to is named to staff."""

import pytest

from billing.models import Customer, Plan, Subscription
from billing.subscriptions import doubts

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


def sold_to(email, **columns):
    """Staff sold a plan in Stripe's dashboard to a customer whom the sync imported, and who is linked to nobody."""
    customer = Customer.objects.create(pk="cus_other", email=email)
    usual = {"stripe_id": "sub_other", "status": "active", "plan": Plan.objects.get(slug="pro"), "whose": "ours"}
    return Subscription.objects.create(customer=customer, **{**usual, **columns})


def test_the_plan_sold_again_to_another_customer_of_the_same_address_is_named(ada):
    assert not doubts.lasting()
    sold_to(Customer.objects.get(pk=ada.customer).email)
    (sentence,) = doubts.lasting()
    assert "sub_other" in sentence
    assert "may pay twice" in sentence
    assert doubts.lasting("cus_other") == [sentence]
    assert not doubts.lasting(ada.customer)


@pytest.mark.parametrize("columns", [{"status": "canceled"}, {"status": "unpaid"}, {"line": "storage"}])
def test_one_that_is_not_billed_or_is_of_another_line_is_not(ada, columns):
    sold_to(Customer.objects.get(pk=ada.customer).email, **columns)
    assert not doubts.lasting()


def test_two_customers_without_an_address_or_of_different_ones_are_not(ada):
    row = sold_to("ben@example.com")
    assert not doubts.lasting()
    Customer.objects.filter(pk__in=[ada.customer, row.customer_id]).update(email="")
    assert not doubts.lasting()


def test_once_linked_to_the_subscriber_it_is_two_subscriptions_of_theirs(ada):
    row = sold_to(Customer.objects.get(pk=ada.customer).email, counts=True)
    Customer.objects.filter(pk=row.customer_id).update(subscriber=ada.user, is_current=False)
    (sentence,) = doubts.lasting()
    assert "is billed twice" in sentence
