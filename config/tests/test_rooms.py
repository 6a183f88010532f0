"""A room of `billing` is entered by its face: other rooms import only what its `__init__` names in `__all__`."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
OURS = ("billing", "accounts", "notifications", "config")
# DRF imports the API's parsers while it loads, so the face of `billing.api` can re-export nothing.
MODULES_OF_THE_API = {"documented", "errors", "permissions", "serializers"}
LOOSE = {"__init__", "after_commit", "apps", "cache", "cadence", "cause", "clock", "commands", "conf", "confirmed"}
LOOSE |= {
    "decorators",
    "forking",
    "grants",
    "hosting",
    "localized",
    "mailer",
    "money",
    "own_transactions",
    "private_answers",
}
LOOSE |= {"rates", "signals", "site", "stripe_account", "unanswered", "urls"}


def modules() -> Iterator[tuple[str, Path]]:
    for top in OURS:
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if not {"tests", "migrations", "testing"} & set(parts):
                yield ".".join(parts).removesuffix(".__init__"), path


def imports(module: str, path: Path) -> Iterator[tuple[str, str]]:
    """The package or module that is imported from, and the name."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*parents, *([node.module] if node.module else [])])
            yield from ((source, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (tuple(alias.name.rpartition(".")[::2]) for alias in node.names)  # type: ignore[misc]


def is_package(name: str) -> bool:
    spec = find_spec(name)
    return spec is not None and spec.submodule_search_locations is not None


def offered(package: str) -> set[str]:
    return MODULES_OF_THE_API if package == "billing.api" else set(getattr(import_module(package), "__all__", ()))


def trespasses(module: str, source: str, name: str) -> Iterator[str]:
    """Return a complaint for each package entered on the way that does not offer the next step."""
    path = [*source.split("."), name]
    for depth in range(2, len(path)):
        package = ".".join(path[:depth])
        is_inside = module == package or module.startswith(f"{package}.")
        is_room = package.count(".") and package not in {"billing.templatetags", "billing.management"}
        if is_room and not is_inside and is_package(package) and path[depth] not in offered(package):
            yield f"{module} imports {path[depth]} of {package}, whose face does not name it"


def test_a_room_is_entered_by_its_face():
    found = [
        complaint
        for module, path in modules()
        for source, name in imports(module, path)
        if source.startswith("billing")
        for complaint in trespasses(module, source, name)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "name", "is_refused"),
    [
        ("billing.lanes", "take", False),
        ("billing.lanes", "_take_within", True),
        ("billing.lanes.claims", "take", True),
        ("billing.setup.doctor", "examine", False),
        ("billing.setup.doctor.here", "CHECKS", True),
        ("billing.api.permissions", "HasAccess", False),
        ("billing.api.views", "Plans", True),
    ],
)
def test_the_check_itself_refuses_what_a_face_does_not_name(source, name, is_refused):
    assert bool(list(trespasses("accounts.api", source, name))) == is_refused


def test_every_loose_module_of_billing_is_named():
    assert {path.stem for path in (ROOT / "billing").glob("*.py")} == LOOSE


def test_the_picture_and_its_table_show_the_floors_that_imports_are_held_to():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [floors] = [contract["layers"] for contract in contracts if contract.get("containers") == ["billing"]]
    held = [set(floor.split(" | ")) for floor in floors]
    picture = (ROOT / "docs/images/rooms.svg").read_text()
    boxes = picture.split('<rect class="floor"')[1:]
    names = [re.findall(r'class="room" x="48" y="\d+">(.*?)<', box) for box in boxes]
    assert [set(" · ".join(lines).split(" · ")) for lines in names] == held
    rows = re.findall(r"^\| \d+ \| (.*?) \|", (ROOT / "docs/rooms.md").read_text(), re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", row)) for row in rows] == held
