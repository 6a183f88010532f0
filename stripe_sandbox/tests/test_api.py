"""The API's manners: keys, versions, errors, idempotency, lists, expansion."""

import base64
import http.client
import json
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox

from .conftest import Control


def raw(
    sandbox: Sandbox, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    connection = http.client.HTTPConnection(sandbox.host, sandbox.port, timeout=5)
    named = {"Authorization": "Bearer sk_test_x", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    given = json.loads(answer.read())
    connection.close()
    return answer.status, given, dict(answer.getheaders())


def test_without_a_key_401(sandbox: Sandbox) -> None:
    assert raw(sandbox, "GET", "/v1/customers", Authorization="")[0] == 401
    assert raw(sandbox, "GET", "/v1/customers", Authorization="Bearer sk_live_x")[0] == 401


def test_basic_auth_is_taken_too(sandbox: Sandbox) -> None:
    key = base64.b64encode(b"sk_test_x:").decode()
    status, body, headers = raw(sandbox, "GET", "/v1/customers", Authorization=f"Basic {key}")
    assert (status, body["object"], headers["Request-Id"][:4]) == (200, "list", "req_")


def test_another_version_is_refused(sandbox: Sandbox) -> None:
    status, body, _ = raw(sandbox, "GET", "/v1/customers", Stripe_Version="2024-06-20")
    assert (status, "2024-06-20" in body["error"]["message"]) == (400, True)


def test_an_unknown_route_is_a_404_in_stripes_shape(sandbox: Sandbox) -> None:
    status, body, _ = raw(sandbox, "GET", "/v1/nonsense")
    assert (status, body["error"]["type"]) == (404, "invalid_request_error")


@pytest.mark.parametrize(
    ("path", "body", "code", "param"),
    [
        ("/v1/customers", "emial=a", "parameter_unknown", "emial"),
        ("/v1/prices", "unit_amount=5", "parameter_missing", "currency"),
        ("/v1/prices", "currency=usd&unit_amount=abc", "parameter_invalid_integer", "unit_amount"),
        ("/v1/refunds", "charge=ch_none", "resource_missing", "charge"),
        ("/v1/checkout/sessions", "mode=subscription&line_items[0][qty]=1", "parameter_unknown", "line_items[0][qty]"),
        ("/v1/subscriptions", "application_fee_percent=3", "sandbox_not_covered", "application_fee_percent"),
        ("/v1/customers", "metadata=x&metadata[a]=b", None, "metadata[a]"),
        ("/v1/customers?limit=5", "", "parameter_unknown", "limit"),
    ],
)
def test_a_wrong_parameter_is_named(sandbox: Sandbox, path: str, body: str, code: str | None, param: str) -> None:
    status, answer, _ = raw(sandbox, "POST", path, body)
    assert (status, answer["error"].get("code"), answer["error"]["param"]) == (400, code, param)


def test_a_value_outside_an_enum_is_refused(client: stripe.StripeClient, subscribed: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="must be one of"):
        client.v1.subscriptions.update(subscribed().id, {"proration_behavior": "maybe"})


def test_an_unknown_id_is_a_404(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.retrieve("cus_nothing")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_a_declined_card_is_a_402_with_its_code(client: stripe.StripeClient, customer: Any) -> None:
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_methods.attach("pm_card_chargeDeclinedInsufficientFunds", {"customer": customer.id})
    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    assert refused.value.error.decline_code == "insufficient_funds"


def test_the_same_idempotency_key_gives_the_same_answer(client: stripe.StripeClient) -> None:
    first = client.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k1"})
    again = client.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k1"})
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.customers.list().data) == 1


def test_an_idempotency_key_is_for_one_request(client: stripe.StripeClient) -> None:
    client.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"email": "b@example.com"}, {"idempotency_key": "k1"})


def test_a_refused_request_does_not_use_up_its_key(client: stripe.StripeClient, customer: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_methods.attach("pm_none", {"customer": customer.id}, {"idempotency_key": "k"})
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id}, {"idempotency_key": "k"})


def test_lists_page_both_ways(client: stripe.StripeClient) -> None:
    ids = [client.v1.customers.create({"email": f"{n}@example.com"}).id for n in range(7)][::-1]
    first = client.v1.customers.list({"limit": 3})
    assert ([row.id for row in first.data], first.has_more) == (ids[:3], True)
    second = client.v1.customers.list({"limit": 3, "starting_after": ids[2]})
    assert [row.id for row in second.data] == ids[3:6]
    back = client.v1.customers.list({"limit": 2, "ending_before": ids[5]})
    assert ([row.id for row in back.data], back.has_more) == (ids[3:5], True)
    assert [row.id for row in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == ids


def test_lists_filter_on_created(client: stripe.StripeClient, control: Control) -> None:
    old = client.v1.customers.create({"email": "old@example.com"})
    control("/advance", {"seconds": 100})
    new = client.v1.customers.create({"email": "new@example.com"})
    assert [row.id for row in client.v1.customers.list({"created": {"gt": old.created}}).data] == [new.id]
    assert [row.id for row in client.v1.customers.list({"created": {"lte": old.created}}).data] == [old.id]
    assert [row.id for row in client.v1.customers.list({"email": "new@example.com"}).data] == [new.id]


def test_expansion_goes_four_levels_deep_and_no_further(client: stripe.StripeClient, subscribed: Any) -> None:
    subscribed()
    deep = ["data.latest_invoice.customer", "data.items.data.price.product", "data.default_payment_method"]
    sub = client.v1.subscriptions.list({"expand": deep}).data[0]
    assert sub.latest_invoice.customer.email == "alice@example.com"
    assert sub["items"]["data"][0].price.product.name == "Pro"
    for path in ("a.b.c.d.e", "data.status", "data.nothing"):
        with pytest.raises(stripe.InvalidRequestError, match="expand"):
            client.v1.subscriptions.list({"expand": [path]})


def test_the_way_from_a_charge_to_its_subscription_is_one_call(client: stripe.StripeClient, subscribed: Any) -> None:
    sub = subscribed()
    charge = client.v1.charges.list({"customer": sub.customer}).data[0]
    params: Any = {
        "payment": {"type": "payment_intent", "payment_intent": charge.payment_intent},
        "expand": ["data.invoice"],
    }
    paid = client.v1.invoice_payments.list(params).data[0]
    assert paid.invoice.parent.subscription_details.subscription == sub.id
    other = client.v1.payment_intents.create({"amount": 900, "currency": "usd"})
    none: Any = {"payment": {"type": "payment_intent", "payment_intent": other.id}}
    assert client.v1.invoice_payments.list(none).data == []


def test_prices_have_lookup_keys_and_currency_options(client: stripe.StripeClient, price: Any) -> None:
    options: Any = {"jpy": {"unit_amount": 3000}, "kwd": {"unit_amount": 6500}}
    client.v1.prices.update(price.id, {"currency_options": options})
    found = client.v1.prices.list({"lookup_keys": ["pro", "team"], "expand": ["data.currency_options"]}).data
    assert [row.id for row in found] == [price.id]
    assert found[0].currency_options["kwd"].unit_amount == 6500


def test_what_the_sandbox_has_none_of_is_an_empty_list(client: stripe.StripeClient, price: Any) -> None:
    assert client.v1.coupons.list().data == client.v1.tax_rates.list().data == []
    assert client.v1.subscription_schedules.list().data == client.v1.accounts.list().data == []
    assert client.v1.products.features.list(price.product).data == []
    assert client.v1.accounts.retrieve_current().id == client.v1.accounts.retrieve("acct_1SandboxSandbox").id


def test_a_deleted_product_is_found_no_more(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Never sold"})
    client.v1.products.delete(product.id)
    with pytest.raises(stripe.InvalidRequestError, match=f"No such product: '{product.id}'") as refused:
        client.v1.products.retrieve(product.id)
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_a_deleted_customer_ends_its_subscriptions(client: stripe.StripeClient, subscribed: Any) -> None:
    sub = subscribed()
    client.v1.customers.delete(sub.customer)
    assert client.v1.subscriptions.retrieve(sub.id).status == "canceled"
    assert client.v1.customers.retrieve(sub.customer).deleted is True
    types = [event.type for event in client.v1.events.list({"limit": 2}).data]
    assert types == ["customer.deleted", "customer.subscription.deleted"]


def test_a_route_that_only_stripe_has_says_that_it_is_not_covered(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="does not cover GET /v1/payouts/po_1") as refused:
        client.v1.payouts.retrieve("po_1")
    assert refused.value.code == "sandbox_not_covered"


def test_what_stripe_knows_and_the_sandbox_does_not_is_never_passed_over(
    client: stripe.StripeClient, customer: Any, price: Any
) -> None:
    v1, of = client.v1, {"product": price.product, "currency": "usd"}
    year = v1.prices.create({**of, "unit_amount": 5, "recurring": {"interval": "year"}})
    both: Any = [{"price": price.id, "quantity": 1}, {"price": year.id, "quantity": 1}]
    buy: Any = {"mode": "subscription", "success_url": "http://x/", "line_items": both}
    for call in (
        lambda: v1.checkout.sessions.create(buy),
        lambda: v1.checkout.sessions.create({**buy, "line_items": both[:1], "payment_method_types": ["klarna"]}),
        lambda: v1.payment_methods.create({"type": "naver_pay"}),
        lambda: v1.customers.list(options={"stripe_account": "acct_1"}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            call()
        assert refused.value.code == "sandbox_not_covered"
