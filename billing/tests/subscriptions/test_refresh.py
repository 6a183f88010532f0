"""A refresh asks Stripe first, and returns the subscription that counts then."""

import pytest

from billing import subscriptions
from billing.models import Customer, Subscription
from billing.subscriptions import projection

pytestmark = pytest.mark.django_db


def test_the_subscription_that_counts_is_the_one_after_stripe_was_asked(monkeypatch):
    ada, ben = Customer.objects.create(pk="cus_ada"), Customer.objects.create(pk="cus_ben")

    def ask(customer):
        Subscription.objects.create(customer=customer, stripe_id=f"sub_{customer.pk}", status="active", counts=True)

    monkeypatch.setattr(projection, "refresh_rows", ask)
    assert subscriptions.refresh(ada).stripe_id == "sub_cus_ada"
    assert not Subscription.objects.filter(customer=ben).exists()
