"""A test writes its forms by hand, as a client in any language may."""

from typing import Any
from urllib.parse import urlencode

import pytest

from stripe_sandbox import Sandbox

from .test_api import raw

MONTHLY = {"currency": "usd", "unit_amount": "900", "recurring[interval]": "month", "product_data[name]": "Pro"}


class Asker:
    """Asks a sandbox over HTTP, in forms as they are written by hand."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def __call__(self, method: str, path: str, form: str | dict[str, Any] = "", **headers: str) -> tuple[int, Any]:
        text = form if isinstance(form, str) else urlencode(form)
        if method == "GET":
            return raw(self.sandbox, "GET", f"/v1/{path}?{text}", **headers)[:2]
        return raw(self.sandbox, method, f"/v1/{path}", text, **headers)[:2]

    def made(self, path: str, form: str | dict[str, Any] = "") -> Any:
        status, body = self("POST", path, form)
        assert status == 200, body
        return body

    def refused(self, method: str, path: str, form: str | dict[str, Any] = "", **headers: str) -> dict[str, Any]:
        status, body = self(method, path, form, **headers)
        assert status == 400, body
        error: dict[str, Any] = body["error"]
        return {name: error[name] for name in ("message", "param", "code") if name in error}


@pytest.fixture
def ask(sandbox: Sandbox) -> Asker:
    return Asker(sandbox)


@pytest.fixture
def buyer(ask: Asker) -> str:
    card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
    return str(ask.made("customers", card)["id"])
