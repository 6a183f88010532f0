"""The table of docs/sandbox.md is one that the sandbox takes, with every entry that there is."""

import json
import re

from stripe_sandbox.books.tax import table

from ..conftest import Control
from ..test_documentation import DOCS

SECTION = DOCS.read_text().split("\n## Tax\n")[1].split("\n## ")[0]


def test_the_table_of_the_page_is_taken_and_has_every_entry(control: Control) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", SECTION, re.DOTALL)
    shown = json.loads(block)
    assert shown.keys() == table.DEFAULT.keys()
    assert control("/tax", shown) == shown
    rows = {
        name for cell in re.findall(r"^\| (`.*?) \|", SECTION, re.MULTILINE) for name in re.findall("`(.*?)`", cell)
    }
    assert rows == table.DEFAULT.keys()
    for name, choices in table.CHOICES.items():
        assert all(f"`{choice}`" in SECTION for choice in choices), name


def test_the_table_that_the_sandbox_begins_with_is_one_that_it_would_take(control: Control) -> None:
    assert control("/tax", table.DEFAULT) == table.DEFAULT
