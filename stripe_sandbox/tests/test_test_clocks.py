"""Test clocks: customers who live in a time of their own."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control
from .test_billing_cycle import DAY, HOUR, fresh
from .test_pages import Browser
from .test_schedules import types


@pytest.fixture
def clock(client: stripe.StripeClient, customer: Any) -> Any:
    return client.v1.test_helpers.test_clocks.create({"frozen_time": customer.created - 100 * DAY, "name": "Spring"})


@pytest.fixture
def living(client: stripe.StripeClient, clock: Any, price: Any) -> Any:
    """A subscription in the clock's time."""
    bob = client.v1.customers.create(
        {"email": "bob@example.com", "test_clock": clock.id, "payment_method": "pm_card_visa"}
    )
    card = client.v1.customers.payment_methods.list(bob.id).data[0].id
    params: Any = {"customer": bob.id, "items": [{"price": price.id}], "default_payment_method": card}
    return client.v1.subscriptions.create(params)


def advance(client: stripe.StripeClient, clock: Any, seconds: int) -> Any:
    now = client.v1.test_helpers.test_clocks.retrieve(clock.id).frozen_time
    return client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": now + seconds})


def test_a_customer_lives_in_its_clocks_time(
    client: stripe.StripeClient, clock: Any, living: Any, subscribed: Any
) -> None:
    other = subscribed()
    assert (living.created, living.status, living.test_clock) == (clock.frozen_time, "active", clock.id)
    assert fresh(client, living).latest_invoice.created == clock.frozen_time
    advancing = advance(client, clock, 32 * DAY)
    assert (advancing.status, advancing.status_details.advancing.target_frozen_time) == (
        "advancing",
        clock.frozen_time + 32 * DAY,
    )
    ready = client.v1.test_helpers.test_clocks.retrieve(clock.id)
    assert (ready.status, ready.frozen_time) == ("ready", clock.frozen_time + 32 * DAY)
    assert len(client.v1.invoices.list({"subscription": living.id}).data) == 2
    assert fresh(client, living).latest_invoice.status == "paid"
    assert len(client.v1.invoices.list({"subscription": other.id}).data) == 1
    seen = types(client)
    assert "test_helpers.test_clock.created" in seen
    assert seen.index("test_helpers.test_clock.advancing") < seen.index("invoice.upcoming")
    assert seen[-1] == "test_helpers.test_clock.ready"


def test_a_frozen_customer_is_left_alone_by_the_sandboxs_clock(
    client: stripe.StripeClient, control: Control, clock: Any, living: Any
) -> None:
    control("/advance", {"seconds": 20 * DAY})
    control("/advance", {"seconds": 20 * DAY})
    assert len(client.v1.invoices.list({"subscription": living.id}).data) == 1
    advance(client, clock, 30 * DAY + 12 * HOUR)
    client.v1.subscriptions.update(living.id, {"metadata": {"still": "there"}})
    assert client.v1.test_helpers.test_clocks.list().data[0].frozen_time == clock.frozen_time + 30 * DAY + 12 * HOUR


def test_a_clock_goes_forward_and_not_too_far(client: stripe.StripeClient, clock: Any, living: Any) -> None:
    for seconds, message in ((0, "forward"), (70 * DAY, "two intervals")):
        with pytest.raises(stripe.InvalidRequestError, match=message):
            advance(client, clock, seconds)


def test_a_clock_has_three_customers_and_takes_them_with_it(
    client: stripe.StripeClient, clock: Any, living: Any
) -> None:
    for _ in range(2):
        client.v1.customers.create({"test_clock": clock.id})
    with pytest.raises(stripe.InvalidRequestError, match="at most 3"):
        client.v1.customers.create({"test_clock": clock.id})
    assert client.v1.test_helpers.test_clocks.delete(clock.id).deleted is True
    assert client.v1.customers.list().data[0].email == "alice@example.com"
    assert client.v1.subscriptions.retrieve(living.id).status == "canceled"
    assert client.v1.subscriptions.retrieve(living.id).ended_at == clock.frozen_time
    assert client.v1.test_helpers.test_clocks.list().data == []


def test_the_portal_acts_in_the_customers_time(
    client: stripe.StripeClient, control: Control, sandbox: Checked, clock: Any, living: Any
) -> None:
    control("/portal")
    session = client.v1.billing_portal.sessions.create({"customer": living.customer})
    Browser(sandbox.url).ask("POST", session.url, action="cancel", subscription=living.id)
    assert fresh(client, living).canceled_at == clock.frozen_time
    advance(client, clock, 32 * DAY)
    ended = client.v1.subscriptions.retrieve(living.id)
    assert (ended.status, ended.ended_at) == ("canceled", living["items"].data[0].current_period_end)
