"""The figures of the sandbox's README and of docs/sandbox.md are those of the tests."""

import re
from importlib import metadata
from pathlib import Path

import pytest

from .clients.installing import version
from .replay.stories import read
from .replay.test_replay import LEFT_OUT

README = Path(__file__).parents[1] / "README.md"
PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_the_readme_names_as_many_recorded_requests_as_are_replayed() -> None:
    """That all of them come out the same is what `test_replay` says."""
    stories = read()
    requests = sum(len(story.steps) for story in stories)
    replayed = requests - sum(LEFT_OUT.values())
    told = f"{requests} requests of the real API in {len(stories)} stories"
    assert f"{told}; {replayed} of them can be replayed, and {replayed} are answered" in README.read_text()
    assert f"| {len(stories)} | {requests} | {replayed} | {replayed} | {replayed} |" in PAGE.read_text()


@pytest.mark.parametrize("page", [README, PAGE], ids=lambda page: page.name)
@pytest.mark.parametrize(
    ("client", "package"),
    [
        ("node", "stripe"),
        ("better_auth", "better-auth"),
        ("better_auth", "@better-auth/stripe"),
        ("medusa", "@medusajs/payment-stripe"),
        ("sync_engine", "@supabase/stripe-sync-engine"),
    ],
)
def test_the_versions_of_the_clients_are_those_of_their_locks(page: Path, client: str, package: str) -> None:
    assert re.search(rf"\b{re.escape(version(client, package))}\b", page.read_text())


def test_the_versions_of_the_clients_in_python_are_those_installed() -> None:
    assert f"| dj-stripe | {metadata.version('dj-stripe')} |" in PAGE.read_text()
    assert f"| stripe-python, asynchronous | {metadata.version('stripe')} " in PAGE.read_text()
