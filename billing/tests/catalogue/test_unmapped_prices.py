"""A price that belongs to no plan is named with the lookup key by which it could."""

import pytest

from billing.catalogue.prices import UnmappedPrice


@pytest.mark.parametrize(("key", "named"), [("old_month", "old_month"), (None, "none"), ("", "none")])
def test_the_price_and_its_lookup_key_are_named(key, named):
    error = UnmappedPrice({"id": "price_1", "lookup_key": key})
    assert f"The Stripe price price_1 (lookup key {named}) belongs to no plan." in str(error)
