"""Features of products, and what a customer is entitled to while a subscription to one lives."""

from typing import Any

import pytest
import stripe

from .test_discounts import member
from .test_schedules import types

__all__ = ["member"]
UPDATED = "entitlements.active_entitlement_summary.updated"


@pytest.fixture
def export(client: stripe.StripeClient, price: Any) -> Any:
    feature = client.v1.entitlements.features.create({"lookup_key": "export", "name": "Export"})
    client.v1.products.features.create(price.product, {"entitlement_feature": feature.id})
    return feature


def active(client: stripe.StripeClient, customer: Any) -> list[str]:
    return [row.lookup_key for row in client.v1.entitlements.active_entitlements.list({"customer": customer.id}).data]


def test_a_subscription_entitles_to_its_products_features(
    client: stripe.StripeClient, customer: Any, member: Any, export: Any
) -> None:
    assert active(client, customer) == []
    sub = member()
    assert active(client, customer) == ["export"]
    listed = client.v1.entitlements.active_entitlements.list({"customer": customer.id, "expand": ["data.feature"]})
    assert listed.data[0].feature.name == "Export"
    assert client.v1.entitlements.active_entitlements.retrieve(listed.data[0].id).lookup_key == "export"
    client.v1.subscriptions.cancel(sub.id)
    assert active(client, customer) == []
    assert types(client).count(UPDATED) == 2
    event = client.v1.events.list({"type": UPDATED}).data[0]
    assert (event.data.object.customer, event.data.object.entitlements.data) == (customer.id, [])


def test_a_feature_added_to_a_product_is_given_to_who_has_it(
    client: stripe.StripeClient, customer: Any, member: Any, export: Any, price: Any
) -> None:
    member()
    api = client.v1.entitlements.features.create({"lookup_key": "api", "name": "API"})
    made = client.v1.products.features.create(price.product, {"entitlement_feature": api.id})
    assert sorted(active(client, customer)) == ["api", "export"]
    assert client.v1.products.features.list(price.product).data[0].id == made.id
    assert client.v1.products.features.retrieve(price.product, made.id).entitlement_feature.id == api.id
    assert client.v1.products.features.delete(price.product, made.id).deleted is True
    assert active(client, customer) == ["export"]


def test_features_are_archived_and_found_by_lookup_key(client: stripe.StripeClient, export: Any, price: Any) -> None:
    features = client.v1.entitlements.features
    with pytest.raises(stripe.InvalidRequestError, match="lookup key"):
        features.create({"lookup_key": "export", "name": "Again"})
    assert features.update(export.id, {"active": False, "name": "Old export"}).name == "Old export"
    assert features.retrieve(export.id).active is False
    assert [row.id for row in features.list({"archived": True}).data] == [export.id]
    assert features.list({"lookup_key": "nothing"}).data == []
    with pytest.raises(stripe.InvalidRequestError, match="archived"):
        client.v1.products.features.create(price.product, {"entitlement_feature": export.id})
