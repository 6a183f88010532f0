"""One story in which the official SDK drives every route of a sandbox: the SDK's name of a method → the call."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox

from .conftest import ask
from .sdk_calls import CALLS as FIRST
from .sdk_further_calls import FURTHER_CALLS
from .sdk_money_calls import MONEY_CALLS
from .sdk_selling_calls import SELLING_CALLS
from .sdk_tax_calls import TAX_CALLS
from .sdk_usage_calls import USAGE_CALLS

CALLS = {**FIRST, **MONEY_CALLS, **SELLING_CALLS, **FURTHER_CALLS, **TAX_CALLS, **USAGE_CALLS}
Answers = dict[str, Any]


def tell(sandbox: Sandbox) -> Answers:
    """Make the calls in order; return their answers by name, of which each call sees those before it."""
    bases: Any = {"api": sandbox.url, "files": sandbox.url}
    client = stripe.StripeClient(sandbox.key, base_addresses=bases, max_network_retries=0)

    def control(path: str, **body: Any) -> Any:
        status, answer = ask(f"{sandbox.url}/_sandbox/{path}", body)
        assert status == 200, answer
        return answer

    answers: Answers = {"control": control, "url": sandbox.url}
    for name, call in CALLS.items():
        answers[name] = _answered(name, call, client, answers)
    return answers


def _answered(name: str, call: Callable[..., Any], client: stripe.StripeClient, answers: Answers) -> Any:
    try:
        return call(client, answers)
    except stripe.StripeError as error:
        pytest.fail(f"{name}: {error.user_message or error}")
