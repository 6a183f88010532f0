"""Write which test sends each covered parameter: `python -m stripe_sandbox.tests.parameters`.

The command runs the sandbox's tests and records every parameter that a request passes, as "POST /v1/customers email",
with the first test that sends it; null stands for a covered parameter that no test sends yet. `test_parameters.py`
holds the record to the routes.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from stripe_sandbox import api
from stripe_sandbox.http.messages import Request
from stripe_sandbox.http.routing import Route
from stripe_sandbox.http.routing import api as router

FOLDER = Path(__file__).parent
FILE = FOLDER / "parameters.json"
# These tests send what chance draws, or take long to draw it.
LEFT_OUT = ("test_histories.py", "test_saving.py", "test_djstripe.py", "test_alone.py", "clients", "browser")


def sent(route: Route, params: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted names among `params` that the route covers."""
    for name, value in params.items():
        if prefix + name in route.covered:
            yield prefix + name
        else:
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, dict):
                    yield from sent(route, entry, f"{prefix}{name}.")


class Recorder:
    """A pytest plugin: notes the test that runs and what `contract.validate` lets pass meanwhile."""

    def __init__(self) -> None:
        self.test = ""
        self.found: dict[str, str] = {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        file, _, name = item.nodeid.partition("::")
        self.test = f"{Path(file).relative_to('stripe_sandbox/tests')}::{name.partition('[')[0]}"

    def perform(self, request: Request, route: Route) -> dict[str, Any]:
        params = PARAMS(request, route)
        for name in sent(route, params):
            self.found.setdefault(f"{route.method} {route.pattern} {name}", self.test)
        return params


PARAMS = api._params


def main() -> int:
    recorder = Recorder()
    api._params = recorder.perform
    ignored = [f"--ignore={FOLDER / name}" for name in LEFT_OUT]
    status = pytest.main(["-q", "-p", "no:randomly", *ignored, str(FOLDER)], plugins=[recorder])
    write(recorder.found)
    return int(status)


def write(found: Mapping[str, str | None]) -> None:
    """Write the record, in which every covered parameter has a line."""
    everything = {f"{route.method} {route.pattern} {name}": None for route in router.routes for name in route.covered}
    FILE.write_text(json.dumps({**everything, **found}, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
