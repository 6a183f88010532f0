"""Metadata: Stripe's limits on it, and how it is merged, unset key by key, and emptied."""

import pytest
import stripe


@pytest.mark.parametrize(
    ("metadata", "param"),
    [
        ({f"k{i}": "v" for i in range(51)}, "metadata"),
        ({"k" * 41: "v"}, f"metadata[{'k' * 41}]"),
        ({"k": "v" * 501}, "metadata[k]"),
    ],
)
def test_what_is_beyond_the_limits_is_refused(
    client: stripe.StripeClient, metadata: dict[str, str], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.create({"metadata": metadata})
    assert refused.value.param == param


def test_the_limits_themselves_are_allowed(client: stripe.StripeClient) -> None:
    full = {f"{i:040}": "v" * 500 for i in range(50)}
    customer = client.v1.customers.create({"metadata": full})
    assert len(customer.metadata.to_dict()) == 50
    with pytest.raises(stripe.InvalidRequestError, match="up to 50 keys"):
        client.v1.customers.update(customer.id, {"metadata": {"one": "more"}})


def test_a_key_is_unset_by_an_empty_value_and_all_by_an_empty_string(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"metadata": {"a": "1", "b": "2", "c": ""}})
    assert customer.metadata.to_dict() == {"a": "1", "b": "2"}
    assert client.v1.customers.update(customer.id, {"metadata": {"a": "", "d": "4"}}).metadata.to_dict() == {
        "b": "2",
        "d": "4",
    }
    assert client.v1.customers.update(customer.id, {"metadata": ""}).metadata.to_dict() == {}
