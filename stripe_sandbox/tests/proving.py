"""A test proves that parameters act, while it runs; the record names the test that proves each."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stripe_sandbox import api
from stripe_sandbox.errors import ApiError
from stripe_sandbox.http.messages import Request, Response
from stripe_sandbox.http.routing import ALWAYS, PAGING
from stripe_sandbox.http.routing import api as router
from stripe_sandbox.store import State

from .effects import PERFORM, acts, sent

FOLDER = Path(__file__).parent
FILE = FOLDER / "parameters.json"
RECORD: dict[str, str | None] = json.loads(FILE.read_text())
# A parameter without proof so far is tried so often, and no more.
TRIES = 12


class Prover:
    """A prover stands before the API while a test runs, and tries each of its requests without what is wanted."""

    def __init__(self, wanted: set[str] | None = None) -> None:
        self.wanted = wanted
        self.proven: set[str] = set()
        self.tried: Counter[str] = Counter()

    def perform(self, state: State, request: Request) -> Response:
        for name, dotted in self._worth_trying(request):
            self.tried[name] += 1
            if acts(state, request, dotted):
                self.proven.add(name)
        return PERFORM(state, request)

    def _worth_trying(self, request: Request) -> Iterator[tuple[str, str]]:
        found = router.find(request.method, request.path)
        if found is None:
            return
        try:
            params = api._params(request, found[0])
        except ApiError:
            return
        for dotted in sorted(set(sent(found[0], params)) - ALWAYS - PAGING):
            name = f"{request.method} {found[0].pattern} {dotted}"
            is_wanted = self.wanted is None or name in self.wanted
            if is_wanted and name not in self.proven and self.tried[name] < TRIES:
                yield name, dotted

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch all requests meanwhile, over HTTP or not: every sandbox of this process asks `api._perform`."""
        api._perform = self.perform
        try:
            yield
        finally:
            api._perform = PERFORM


def test_of(item: pytest.Item) -> str:
    """Return the test by its file in this folder and its name, as in the record."""
    return f"{item.path.relative_to(FOLDER)}::{item.name}"


def by_test() -> dict[str, set[str]]:
    """Return what each test of the record proves."""
    proofs: dict[str, set[str]] = defaultdict(set)
    for name, test in RECORD.items():
        if test is not None:
            proofs[test].add(name)
    return proofs


class Recorder:
    """This plugin of pytest has one prover for all tests, and notes the first test that proves a parameter."""

    def __init__(self, known: dict[str, str]) -> None:
        self.prover, self.found = Prover(), known
        self.prover.proven |= known.keys()

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[RECORDING] = self

    def note(self, test: str) -> None:
        for name in self.prover.proven - self.found.keys():
            self.found[name] = test


RECORDING = pytest.StashKey[Recorder]()
