"""Tests ask a sandbox in this process so, and pick among the objects there are."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from stripe_sandbox import Sandbox
from stripe_sandbox.http.messages import Request

Choose = Callable[[Sequence[Any]], Any]


class Asking:
    """`pick` chooses among the objects there are by then."""

    def __init__(self, choose: Choose, sandbox: Sandbox) -> None:
        self.choose, self.sandbox = choose, sandbox
        self.state = self.sandbox.state
        self.events: dict[str, dict[str, Any]] = {}

    def ask(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        headers = {"authorization": "Bearer sk_test_x"}
        response = self.sandbox.handle(Request(method, path, "", headers, body))
        assert response is not None
        answer: dict[str, Any] = json.loads(response.body)
        assert response.status < 500, f"{method} {path} {body.decode()}: {answer}"
        self.events.update(self.state.table("event").rows)
        return answer

    def ask_page(self, path: str) -> None:
        """Open a hosted page, as a browser does."""
        response = self.sandbox.handle(Request("GET", path))
        assert response is not None
        assert response.status < 500, f"{path}: {response.status}"
        self.events.update(self.state.table("event").rows)

    def send_page(self, path: str, form: dict[str, Any]) -> None:
        """Send the form of a hosted page, as a browser does."""
        response = self.sandbox.handle(Request("POST", path, body=urlencode(form).encode()))
        assert response is not None
        assert response.status < 500, f"{path} {form}: {response.status}"
        self.events.update(self.state.table("event").rows)

    def api(self, method: str, path: str, **params: Any) -> dict[str, Any]:
        return self.ask(method, f"/v1/{path}", urlencode(params).encode())

    def post(self, path: str, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        return self.api("POST", path, **(params or {}), **more)

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        return self.ask("POST", f"/_sandbox/{path}", json.dumps(body).encode())

    def pick(self, kind: str) -> dict[str, Any] | None:
        rows = list(self.state.table(kind).rows.values())
        return self.choose(rows) if rows else None

    def one_of(self, *choices: Any) -> Any:
        return self.choose(choices)
