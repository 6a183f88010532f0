"""A discount of the customer counts for a subscription that has none of its own, and is marked as the customer's."""

import pytest

from billing.subscriptions import discounts


@pytest.mark.parametrize("customer", [{"id": "cus_1", "discount": {"id": "di_1"}}, "cus_1", {"id": "cus_1"}])
def test_the_customers_own_discount_is_marked_as_such_and_counts_beside_no_other(customer):
    found = {"customer": customer, "discounts": [], "items": {"data": []}}
    theirs = customer.get("discount") if isinstance(customer, dict) else None
    expected = [discounts.Given(theirs, is_of_customer=True)] if theirs else []
    assert discounts.given_to(found) == expected
    own = {"id": "di_own"}
    assert discounts.given_to({**found, "discounts": [own]}) == [discounts.Given(own)]
