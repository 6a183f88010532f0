"""Discounts at a Checkout: given with the session, or by a code the buyer enters."""

from typing import Any

import pytest
import stripe

from .conftest import Control, ask
from .test_billing_cycle import fresh, renew


@pytest.fixture
def half(client: stripe.StripeClient) -> Any:
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once", "name": "Half"})
    promotion: Any = {"type": "coupon", "coupon": coupon.id}
    return client.v1.promotion_codes.create({"promotion": promotion, "code": "HALF"})


def test_a_session_with_a_discount_costs_less(
    client: stripe.StripeClient, control: Control, checkout: Any, half: Any
) -> None:
    session = checkout(discounts=[{"coupon": half.promotion.coupon}])
    assert (session.amount_subtotal, session.amount_total, session.total_details.amount_discount) == (2000, 1000, 1000)
    assert session.discounts[0].coupon == half.promotion.coupon
    done = control(f"/checkout/{session.id}/complete")["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"], {"expand": ["latest_invoice"]})
    assert sub.latest_invoice.amount_paid == 1000
    paths = ["total_details.breakdown", "line_items.data.discounts"]
    shown = client.v1.checkout.sessions.retrieve(session.id, {"expand": paths})
    discount = shown.total_details.breakdown.discounts[0]
    assert (discount.amount, discount.discount.checkout_session) == (1000, session.id)
    assert shown.line_items.data[0].discounts[0].amount == 1000
    renew(control, sub)
    assert fresh(client, sub).latest_invoice.amount_paid == 2000


def test_the_buyer_enters_a_code(client: stripe.StripeClient, control: Control, checkout: Any, half: Any) -> None:
    session = checkout(allow_promotion_codes=True)
    assert session.amount_total == 2000
    done = control(f"/checkout/{session.id}/complete", {"promotion_code": "half"})["session"]
    assert (done["amount_total"], done["discounts"][0]["promotion_code"]) == (1000, half.id)
    assert client.v1.promotion_codes.retrieve(half.id).times_redeemed == 1


def test_a_code_that_is_not_one_leaves_the_session_open(
    client: stripe.StripeClient, sandbox: Any, checkout: Any, half: Any
) -> None:
    closed, asking = checkout(), checkout(allow_promotion_codes=True)
    for session, code in ((closed, "HALF"), (asking, "DOUBLE")):
        url = f"{sandbox.url}/_sandbox/checkout/{session.id}/complete"
        assert ask(url, {"promotion_code": code})[0] == 400
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_one_way_of_discounting_a_session(checkout: Any, half: Any) -> None:
    for more in ({"allow_promotion_codes": True}, {"discounts": [{"coupon": half.promotion.coupon}] * 2}):
        with pytest.raises(stripe.InvalidRequestError):
            checkout(**{"discounts": [{"promotion_code": half.id}], **more})


def test_everything_off_needs_no_payment(client: stripe.StripeClient, control: Control, checkout: Any) -> None:
    free = client.v1.coupons.create({"percent_off": 100, "duration": "forever"})
    session = checkout(discounts=[{"coupon": free.id}])
    done = control(f"/checkout/{session.id}/complete")["session"]
    assert (done["amount_total"], done["payment_status"]) == (0, "no_payment_required")
    sub = client.v1.subscriptions.retrieve(done["subscription"])
    assert sub.status == "active"
    assert client.v1.charges.list({"customer": sub.customer}).data == []
