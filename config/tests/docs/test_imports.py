"""A host project is told to import only what docs/api.md lists."""

import ast

import pytest

from billing import hosting, signals
from config.reference import public

from .pages import PAGES

LISTED = {f"{module}.{name}" for module, names in public.MODULES.items() for name in names}
LISTED |= {f"billing.hosting.{name}" for name in vars(hosting) if name.isupper()}
LISTED |= {f"billing.signals.{name}" for name in vars(signals) if name.islower()}
MODULES = {*public.MODULES, "billing.signals", "billing.hosting", public.KIT}


def imports(text: str) -> set[str]:
    nodes = ast.walk(ast.parse(text))
    return {
        f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "billing"
        for alias in node.names
    }


def is_listed(name: str) -> bool:
    return name in LISTED | MODULES or name.startswith(f"{public.KIT}.")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_a_page_imports_of_billing_is_listed(page):
    blocks = [block for block in page.blocks if block.language == "python"]
    assert [(block.where, name) for block in blocks for name in imports(block.text) if not is_listed(name)] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from billing.subscriptions import seats", True),
        ("from billing.subscriptions.seats import changed", True),
        ("from billing.subscriptions import projection", False),
        ("from billing.conf import conf", False),
        ("from billing.testing import using", True),
    ],
)
def test_the_check_itself_tells_listed_names_from_others(line, found):
    assert all(is_listed(name) for name in imports(line)) == found
