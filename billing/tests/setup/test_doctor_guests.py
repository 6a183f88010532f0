"""The doctor finds what guests paid and nobody gets."""

from datetime import timedelta

import pytest

from billing.models import Purchase
from billing.setup.doctor import guests
from billing.tests.lifecycle.test_guests import paid, shop

__all__ = ["shop"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_purchases_of_guests_that_wait_are_found(shop, settings):
    assert [found.level for found in guests.guests()] == ["ok"]
    purchase = paid(shop)
    assert [found.level for found in guests.guests()] == ["ok"]
    Purchase.objects.filter(pk=purchase.pk).update(created_at=purchase.created_at - timedelta(days=3))
    [found] = guests.guests()
    assert found.text == "1 purchases of guests wait for their owners for days."
    settings.BILLING_GUESTS_BUY_PACKS = False
    [found] = guests.guests()
    assert "no longer sold to guests" in found.text
