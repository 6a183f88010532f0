"""The SDK's asynchronous methods ask the sandbox, by each HTTP library that the SDK has a client for."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox

from ..conftest import Control

# The SDK hands httpx its bodies in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
Doing = Callable[[stripe.StripeClient], Coroutine[Any, Any, Any]]
LIBRARIES = {"httpx": stripe.HTTPXClient, "aiohttp": stripe.AIOHTTPClient}


@pytest.fixture(params=LIBRARIES)
def run(request: pytest.FixtureRequest, sandbox: Sandbox) -> Callable[[Doing], Any]:
    """Run what is done with a client, and close the client's connections."""
    pytest.importorskip(request.param)

    def running(do: Doing) -> Any:
        async def whole() -> Any:
            library = LIBRARIES[request.param]()
            address: Any = {"api": sandbox.url}
            try:
                return await do(
                    stripe.StripeClient(sandbox.key, base_addresses=address, http_client=library, max_network_retries=2)
                )
            finally:
                await library.close_async()

        return asyncio.run(whole())

    return running


def test_an_object_is_made_read_changed_and_deleted(run: Callable[[Doing], Any]) -> None:
    async def do(client: stripe.StripeClient) -> None:
        customers = client.v1.customers
        made = await customers.create_async({"email": "ada@example.com", "metadata": {"team": "7"}})
        assert (await customers.retrieve_async(made.id)).metadata["team"] == "7"
        assert (await customers.update_async(made.id, {"name": "Ada"})).name == "Ada"
        assert (await customers.delete_async(made.id)).deleted
        with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
            await customers.update_async(made.id, {"name": "Ada"})

    run(do)


def test_many_requests_at_once_are_all_answered(run: Callable[[Doing], Any], sandbox: Sandbox) -> None:
    async def do(client: stripe.StripeClient) -> list[stripe.Customer]:
        making = [client.v1.customers.create_async({"email": f"{n}@example.com"}) for n in range(60)]
        return await asyncio.gather(*making)

    made = run(do)
    assert [customer.email for customer in made] == [f"{n}@example.com" for n in range(60)]
    assert {customer.id for customer in made} == set(sandbox.state.table("customer").rows)


def test_a_list_is_walked_page_by_page_both_ways(run: Callable[[Doing], Any]) -> None:
    async def do(client: stripe.StripeClient) -> None:
        made = [(await client.v1.customers.create_async({"email": f"{n}@example.com"})).id for n in range(7)]
        page = await client.v1.customers.list_async({"limit": 3})
        assert [customer.id async for customer in page.auto_paging_iter()] == made[::-1]
        before = await client.v1.customers.list_async({"limit": 3, "ending_before": made[0]})
        assert [customer.id async for customer in before.auto_paging_iter()] == made[1:]
        assert [customer.id for customer in (await page.next_page_async()).data] == made[3:0:-1]

    run(do)


def test_a_subscription_is_bought_renewed_changed_and_ended(run: Callable[[Doing], Any], control: Control) -> None:
    async def do(client: stripe.StripeClient) -> None:
        product = await client.v1.products.create_async({"name": "Pro"})
        monthly: Any = {"product": product.id, "currency": "usd", "recurring": {"interval": "month"}}
        cheap, dear = await asyncio.gather(
            client.v1.prices.create_async({**monthly, "unit_amount": 2000}),
            client.v1.prices.create_async({**monthly, "unit_amount": 5000}),
        )
        ada = await client.v1.customers.create_async(
            {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
        )
        sub = await client.v1.subscriptions.create_async({"customer": ada.id, "items": [{"price": cheap.id}]})
        assert sub.status == "active"
        await asyncio.to_thread(control, "/advance", {"seconds": 32 * 86_400})
        paid = await client.v1.invoices.list_async({"subscription": sub.id, "status": "paid"})
        assert [invoice.amount_paid for invoice in paid.data] == [2000, 2000]
        item = sub["items"].data[0].id
        changed = await client.v1.subscriptions.update_async(sub.id, {"items": [{"id": item, "price": dear.id}]})
        assert changed["items"].data[0].price.unit_amount == 5000
        assert (await client.v1.subscriptions.cancel_async(sub.id)).status == "canceled"

    run(do)


@pytest.mark.parametrize(
    ("error", "code", "ask"),
    [
        (stripe.CardError, "card_declined", lambda client: client.v1.payment_intents.create_async(DECLINED)),
        (stripe.InvalidRequestError, "resource_missing", lambda client: client.v1.customers.retrieve_async("cus_x")),
        (stripe.InvalidRequestError, "sandbox_not_covered", lambda client: client.v1.topups.list_async()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_is_raised_as_its_own_kind(
    run: Callable[[Doing], Any], error: type[stripe.StripeError], code: str, ask: Callable[[Any], Awaitable[Any]]
) -> None:
    async def do(client: stripe.StripeClient) -> None:
        with pytest.raises(error) as raised:
            await ask(client)
        assert raised.value.code == code

    run(do)


DECLINED: Any = {
    "amount": 900, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True,
    "return_url": "https://example.com/",
}  # fmt: skip


@pytest.mark.parametrize(
    "fault", [{"fail_next": 2, "status": 503}, {"fail_next": 1, "status": 409}, {"lose_answer": 1}], ids=str
)
def test_a_failed_request_is_made_again_and_done_once(
    run: Callable[[Doing], Any], control: Control, sandbox: Sandbox, fault: dict[str, int]
) -> None:
    control("/faults", {"api": fault})

    async def do(client: stripe.StripeClient) -> stripe.Customer:
        return await client.v1.customers.create_async({"email": "ada@example.com"})

    made = run(do)
    assert list(sandbox.state.table("customer").rows) == [made.id]


def test_a_sandbox_that_is_away_is_a_connection_error(run: Callable[[Doing], Any], sandbox: Sandbox) -> None:
    sandbox.stop()

    async def do(client: stripe.StripeClient) -> None:
        with pytest.raises(stripe.APIConnectionError):
            await client.v1.customers.list_async()

    run(do)
