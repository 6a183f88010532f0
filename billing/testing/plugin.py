"""The pytest plugin gives each test a Stripe of its own, as a fixture. It imports nothing of Django by itself."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from billing.testing import Stripe
    from stripe_sandbox import Sandbox


@pytest.fixture(scope="session")
def billing_sandbox() -> "Sandbox":
    """Start the sandbox of this test run, on a free port of this machine."""
    from .running import sandbox

    return sandbox()


@pytest.fixture
def billing_stripe(db: None, settings: Any, billing_sandbox: "Sandbox") -> Iterator["Stripe"]:
    """Return a Stripe that is empty but for the plans of the test's database; see `billing.testing.Stripe`."""
    from .running import emptied, settings_of

    for name, value in settings_of(billing_sandbox).items():
        setattr(settings, name, value)
    with emptied(billing_sandbox) as stripe:
        yield stripe
