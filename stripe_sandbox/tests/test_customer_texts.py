"""Texts of a customer that Stripe would not keep are refused by name, at creation and later."""

from typing import Any

import pytest
import stripe

WRONG = [("name", "N" * 257), ("phone", "1" * 21), ("email", "nobody"), ("description", "d" * 5001)]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_text_that_is_too_long_or_no_address_is_refused(client: stripe.StripeClient, name: str, value: str) -> None:
    customer = client.v1.customers.create()
    wrong: Any = {name: value}
    for write in (lambda: client.v1.customers.create(wrong), lambda: client.v1.customers.update(customer.id, wrong)):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            write()
        assert refused.value.param == name
    assert client.v1.customers.retrieve(customer.id)[name] is None
