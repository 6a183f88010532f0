"""The next version of Stripe's SDK, which dj-stripe does not allow yet: what we read of Stripe is the same there.

It is installed into a folder of its own, which stands before the environment's packages in a process of its own. To
move to it is then a matter of the version in pyproject.toml and requirements.in, and of docs/upgrading.md.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from billing.tests.beside import installed_beside

pytestmark = pytest.mark.slow
NEXT = "16"
HERE = Path(__file__).parent
OF_THE_CONTRACT = "knows_every_field or published or without_any or every_status"


@pytest.fixture(scope="module")
def sdk():
    """The folder with the next SDK alone."""
    return installed_beside(f"stripe-{NEXT}", f"stripe=={NEXT}.*")


def run(sdk, *command):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR, env={**os.environ, "PYTHONPATH": str(sdk)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_next_sdk_is_the_one_that_is_tried(sdk):
    assert run(sdk, "-c", "import stripe; print(stripe.VERSION)").startswith(f"{NEXT}.")


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        ("test_contract.py", OF_THE_CONTRACT),
        ("next_shapes.py", "test"),
        ("test_client.py", "test"),
        ("test_djstripe_calls.py", "test"),
    ],
)
def test_what_we_use_of_stripe_is_the_same_in_the_next_sdk(sdk, file, tests):
    assert " passed" in run(sdk, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / file), "-k", tests)


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        ("billing/tests/events/test_end_to_end.py", "test"),
        ("billing/tests/lifecycle/test_checkout.py", "coming_back"),
        ("billing/tests/lifecycle/test_pausing.py", "twice"),
    ],
)
def test_the_sandbox_with_the_types_of_the_next_sdk_sells_as_before(sdk, file, tests):
    assert " passed" in run(sdk, "-m", "pytest", "-q", "-p", "no:cacheprovider", file, "-k", tests)


def test_the_site_starts_with_the_next_sdk(sdk):
    run(sdk, "manage.py", "check")
