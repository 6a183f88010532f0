"""Ruby, Go and PHP talk to the sandbox by their own HTTP clients, and by Stripe's SDKs where these can be installed."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stripe_sandbox import Sandbox

from .sdks import SDKS, Sdk, installed, run

pytestmark = pytest.mark.slow
PLAIN = Path(__file__).parent / "plain"
README = Path(__file__).parents[2] / "README.md"
COMMANDS = {"ruby": ["ruby", "ask.rb"], "php": ["php", "ask.php"], "go": ["go", "run", "ask.go"]}
STEPS: dict[str, Any] = {
    "customer": {
        "name": "Ada & Söhne",
        "metadata": {"color": "blue + green"},
        "payment_method": "pm_card_visa",
        "invoice_settings": {"default_payment_method": "pm_card_visa"},
    },
    "price": {
        "currency": "eur",
        "unit_amount": 900,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Pro"},
    },
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, any_version=True) as running:
        yield running


@pytest.mark.parametrize("language", COMMANDS)
def test_the_languages_own_client_is_understood(sandbox: Sandbox, language: str) -> None:
    command = COMMANDS[language]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not on this machine")
    done = subprocess.run(
        [*command, sandbox.url], cwd=PLAIN, input=json.dumps(STEPS), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "name": "Ada & Söhne",
        "color": "blue + green",
        "again": True,
        "paid": 1800,
        "pages": 5,
        "code": "resource_missing",
    }


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
def test_the_line_of_the_readme_points_the_sdk_at_the_sandbox(sandbox: Sandbox, sdk: Sdk) -> None:
    found = re.search(rf"```{sdk.name}\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    folder = installed(sdk)
    (folder / sdk.file).write_text(sdk.program.format(line=found[1].replace("12111", str(sandbox.port))))
    done = run(sdk, folder, sdk.run, 300)
    assert (done.returncode, done.stdout) == (0, "Ada,Ada"), done.stderr
