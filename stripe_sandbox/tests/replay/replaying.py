"""Tells a recorded story to a sandbox: the same requests in the same order at the same distances of time."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, unquote, urlencode
from urllib.request import Request, urlopen

from stripe_sandbox import Sandbox

from .allowed import reason_for, reason_to_skip
from .comparing import Difference, Names, differences
from .stories import Given, Step, Story

Answer = tuple[int, dict[str, Any]]


@dataclass
class Outcome:
    """One request: why it was left out, or in which ways its answer differs."""

    step: Step
    left_out: str | None = None
    status: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_same_status(self) -> bool:
        return self.left_out is None and self.status == self.step.status

    @property
    def unexplained(self) -> list[Difference]:
        return [found for found in self.differences if reason_for(found) is None]

    @property
    def is_same(self) -> bool:
        return self.is_same_status and not self.unexplained


def replay(story: Story, sandbox: Sandbox) -> list[Outcome]:
    teller = Teller(sandbox)
    teller.begin(story)
    return list(teller.go_through(story))


class Teller:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.names = Names()

    def begin(self, story: Story) -> None:
        first = min([given.at for given in story.given] + [step.at for step in story.steps])
        self._control("/reset", {"seed": story.number, "now": first})
        self._control("/portal", {})

    def go_through(self, story: Story) -> Iterator[Outcome]:
        """Make each given object in its time, before the requests of the same second."""
        entries: list[Given | Step] = [*story.given, *story.steps]
        for entry in sorted(entries, key=lambda entry: entry.at):
            self._move_to(entry.at)
            if isinstance(entry, Given):
                self._make(entry)
            else:
                yield self._tell(entry)

    def _make(self, given: Given) -> None:
        status, answer = self._ask(given.method, given.path, given.form)
        assert status == 200, answer
        self.names.pair(given.id, answer["id"])

    def _tell(self, step: Step) -> Outcome:
        if (reason := reason_to_skip(step, self.names.ours)) is not None:
            return Outcome(step, left_out=reason)
        status, answer = self._ask(step.method, step.path, step.form)
        return Outcome(step, None, status, list(differences(self.names, step.answer, answer)))

    def _move_to(self, at: int) -> None:
        self._control("/advance", {"to": max(at, self.sandbox.state.now())})

    def _ask(self, method: str, path: str, form: str) -> Answer:
        path, _, query = path.partition("?")
        path = "/".join(self.names.translated(unquote(part)) for part in path.split("/"))
        url = f"{self.sandbox.url}{path}" + (f"?{self._form(query)}" if query else "")
        return self._send(Request(url, self._form(form).encode() or None, method=method))

    def _form(self, encoded: str) -> str:
        pairs = parse_qsl(encoded, keep_blank_values=True)
        return urlencode([(name, self.names.translated(value)) for name, value in pairs])

    def _send(self, request: Request) -> Answer:
        key = base64.b64encode(f"{self.sandbox.key}:".encode()).decode()
        request.add_header("Authorization", f"Basic {key}")
        try:
            with urlopen(request) as response:
                return response.status, json.loads(response.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def _control(self, path: str, body: dict[str, Any]) -> None:
        url = f"{self.sandbox.url}/_sandbox{path}"
        with urlopen(Request(url, json.dumps(body).encode(), method="POST")) as response:
            response.read()
