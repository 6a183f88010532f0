"""Numbers are plain digits within bounds: nothing else reaches the calendar or the books."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
import stripe

from stripe_sandbox import Sandbox

from .conftest import Control, ask


def post(sandbox: Sandbox, path: str, **form: Any) -> tuple[int, Any]:
    asked = Request(f"{sandbox.url}/v1/{path}", urlencode(form).encode(), {"Authorization": "Bearer sk_test_any"})
    try:
        with urlopen(asked) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)["error"]


@pytest.mark.parametrize("amount", ["1_000", " 500", "+500", "٥٠٠", "5e2", "500.0", "10" * 20, "NaN", "0x1f4"])
def test_an_amount_is_plain_digits(sandbox: Sandbox, amount: str) -> None:
    status, error = post(sandbox, "payment_intents", amount=amount, currency="usd")
    assert (status, error["param"], error["code"]) == (400, "amount", "parameter_invalid_integer")


@pytest.mark.parametrize("percent", ["NaN", "inf", "-inf", "1e400", "1_0", " 5"])
@pytest.mark.parametrize("path", ["coupons", "tax_rates"])
def test_a_percentage_is_a_plain_number(sandbox: Sandbox, path: str, percent: str) -> None:
    given = {"percent_off": percent} if path == "coupons" else {"percentage": percent, "display_name": "VAT"}
    status, error = post(sandbox, path, **given, **({} if path == "coupons" else {"inclusive": "false"}))
    assert (status, error["message"]) == (400, f"Invalid decimal: {percent}")


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e400", "1_0", " 5", "1e", "abc"])
def test_a_decimal_amount_is_a_plain_number(sandbox: Sandbox, price: Any, amount: str) -> None:
    given = {"product": price.product, "currency": "usd", "unit_amount_decimal": amount}
    status, error = post(sandbox, "prices", **given)
    assert (status, error["message"]) == (400, f"Invalid decimal: {amount}")
    assert post(sandbox, "prices", **{**given, "unit_amount_decimal": "0.05"})[0] == 200


@pytest.mark.parametrize("instant", ["-1", "4294967296", "1790000000000", "9" * 30])
@pytest.mark.parametrize("name", ["trial_end", "cancel_at", "billing_cycle_anchor", "backdate_start_date"])
def test_an_instant_is_in_seconds_and_within_this_century(
    sandbox: Sandbox, customer: Any, price: Any, name: str, instant: str
) -> None:
    status, error = post(
        sandbox, "subscriptions", **{"customer": customer.id, "items[0][price]": price.id}, **{name: instant}
    )
    assert (status, error["param"]) == (400, name)


def test_a_due_date_of_long_ago_is_refused(sandbox: Sandbox, customer: Any) -> None:
    sent = {"customer": customer.id, "collection_method": "send_invoice"}
    status, error = post(sandbox, "invoices", **sent, due_date=0)
    assert (status, error["param"]) == (400, "due_date")


@pytest.mark.parametrize(
    ("name", "value", "is_taken"),
    [
        ("trial_period_days", "730", True),
        ("trial_period_days", "731", False),
        ("trial_period_days", "-1", False),
        ("days_until_due", "36501", False),
        ("days_until_due", "-1", False),
        ("items[0][quantity]", "1000000001", False),
        ("items[0][quantity]", "-1", False),
    ],
)
def test_a_duration_is_within_reason(
    sandbox: Sandbox, subscribed: Any, price: Any, name: str, value: str, is_taken: bool
) -> None:
    person = subscribed().customer
    sent = {"collection_method": "send_invoice"} if name == "days_until_due" else {}
    given = {"customer": person, "items[0][price]": price.id, **sent, name: value}
    assert (post(sandbox, "subscriptions", **given)[0] == 200) is is_taken


def test_a_name_nested_too_deeply_is_refused(sandbox: Sandbox) -> None:
    status, error = post(sandbox, "customers", **{"metadata" + "[a]" * 3000: "1"})
    assert (status, "nested too deeply" in error["message"]) == (400, True)


@pytest.mark.parametrize("path", ["advance", "settings", "tax", "settle", "reset", "faults"])
@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_the_control_plane_takes_no_constant_that_is_no_json(sandbox: Sandbox, path: str, constant: str) -> None:
    asked = Request(f"{sandbox.url}/_sandbox/{path}", f'{{"seconds": {constant}}}'.encode(), method="POST")
    with pytest.raises(HTTPError) as refused:
        urlopen(asked)
    with refused.value as answer:
        assert (answer.code, "takes JSON" in json.load(answer)["error"]["message"]) == (400, True)


@pytest.mark.parametrize(
    ("path", "given", "param"),
    [
        ("advance", {"seconds": 1e308}, "seconds"),
        ("reset", {"now": 10**30}, "now"),
        ("settings", {"retry_days": [True]}, "retry_days"),
        ("settings", {"retry_days": [10**6]}, "retry_days"),
        ("settings", {"upcoming_days": 10**12}, "upcoming_days"),
        ("settings", {"finalize_after": 10**18}, "finalize_after"),
        ("faults", {"api": {"status": 200, "fail_next": 1}}, "status"),
        ("faults", {"api": {"latency_ms": 1e308}}, "latency_ms"),
    ],
)
def test_the_control_plane_takes_numbers_within_reason(
    sandbox: Sandbox, control: Control, path: str, given: Any, param: str
) -> None:
    status, answer = ask(f"{sandbox.url}/_sandbox/{path}", given)
    assert (status, answer["error"]["param"]) == (400, param)
    assert "error" not in control("/advance", {"seconds": 86_400})


def test_plain_numbers_are_taken_as_the_sdk_sends_them(client: stripe.StripeClient) -> None:
    coupon = client.v1.coupons.create({"percent_off": 12.5, "duration": "once"})
    assert coupon.percent_off == 12.5
    assert client.v1.payment_intents.create({"amount": 99_999_999, "currency": "usd"}).amount == 99_999_999
