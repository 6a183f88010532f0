"""The sandbox's own wheel, on a Python without Django, without our apps and without an environment."""

import json
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
import stripe

from . import alone

pytestmark = pytest.mark.slow
OWN = Path(__file__).parents[1]
NOT_THERE = ("django", "djstripe", "billing", "billing_mail", "accounts", "notifications", "config", "rest_framework")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return alone.build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return alone.environment(tmp_path_factory.mktemp("python"), wheel)


@pytest.fixture(scope="module")
def told(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("elsewhere")
    with alone.running(folder, python, "-m", "stripe_sandbox") as lines:
        yield lines


def ask(url: str, **parameters: str) -> dict[str, object]:
    body = urlencode(parameters).encode() if parameters else None
    with urlopen(Request(url, body, {"Authorization": "Bearer sk_test_any"})) as answer:
        return json.load(answer)


def test_the_wheel_holds_the_package_its_templates_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"stripe_sandbox", "stripe_lanes_sandbox-0.1.0.dist-info"}
    assert {"stripe_sandbox/templates/checkout.html", "stripe_sandbox/__main__.py"} <= set(names)
    assert not [name for name in names if "/tests/" in name or "build_backend" in name or name.endswith(".toml")]


def printed(python: Path, folder: Path, code: str) -> str:
    """Return what the code prints, run in a folder that holds nothing of ours."""
    done = subprocess.run([python, "-c", code], cwd=folder, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_nothing_of_ours_and_no_django_is_there(python: Path, tmp_path: Path) -> None:
    code = f"import importlib.util as u; print([n for n in {NOT_THERE} if u.find_spec(n)])"
    assert printed(python, tmp_path, code) == "[]"


def test_every_module_imports(python: Path, tmp_path: Path) -> None:
    code = (
        "import importlib, pkgutil, stripe_sandbox as s\n"
        "names = [m.name for m in pkgutil.walk_packages(s.__path__, 'stripe_sandbox.') if '__main__' not in m.name]\n"
        "[importlib.import_module(n) for n in names]; print(len(names))"
    )
    assert int(printed(python, tmp_path, code)) > 80


def test_the_sdk_subscribes_somebody(told: dict[str, str]) -> None:
    client = stripe.StripeClient("sk_test_any", base_addresses={"api": told["A Stripe to develop against"]})
    customer = client.v1.customers.create({"email": "ada@example.com", "payment_method": "pm_card_visa"})
    product = client.v1.products.create({"name": "Pro"})
    recurring = {"interval": "month"}
    price = client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 2000, "recurring": recurring}
    )
    method = client.v1.customers.payment_methods.list(customer.id).data[0].id
    wanted = {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": method}
    assert client.v1.subscriptions.create(wanted).status == "active"


def test_plain_http_makes_a_checkout_whose_page_shows(told: dict[str, str]) -> None:
    url = told["A Stripe to develop against"]
    product = ask(f"{url}/v1/products", name="Ten <b> seats")
    price = ask(f"{url}/v1/prices", product=str(product["id"]), currency="eur", unit_amount="5500")
    line = {"line_items[0][price]": str(price["id"]), "line_items[0][quantity]": "1"}
    session = ask(f"{url}/v1/checkout/sessions", mode="payment", success_url="https://example.com/", **line)
    with urlopen(str(session["url"])) as answer:
        page = answer.read().decode()
    assert "Ten &lt;b&gt; seats" in page
    assert "€55.00" in page
    with urlopen(url) as answer:
        assert "A Stripe to develop against" in answer.read().decode()


def test_the_command_of_the_wheel_starts_it_too(python: Path, tmp_path: Path) -> None:
    code = (
        "from importlib.metadata import entry_points as e; "
        "(e(group='console_scripts', name='stripe-lanes-sandbox')['stripe-lanes-sandbox'].load())()"
    )
    with alone.running(tmp_path, python, "-c", code) as lines:
        assert ask(f"{lines['A Stripe to develop against']}/v1/customers")["object"] == "list"


def test_a_port_that_is_taken_ends_in_one_sentence(python: Path, told: dict[str, str], tmp_path: Path) -> None:
    port = told["A Stripe to develop against"].rpartition(":")[2]
    command = [python, "-m", "stripe_sandbox", "--port", port]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(f"The sandbox cannot listen on 127.0.0.1:{port}")


def test_it_requires_what_billing_requires_and_has_its_version() -> None:
    own, ours = (tomllib.loads((folder / "pyproject.toml").read_text())["project"] for folder in (OWN, OWN.parent))
    assert set(own["dependencies"]) <= set(ours["dependencies"])
    assert own["version"] == ours["version"]
