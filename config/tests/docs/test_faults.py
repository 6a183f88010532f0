"""Each fault in docs/faults.md names a test that holds it off, and that test exists."""

import re

import pytest

from .pages import ROOT

FOLDERS = (ROOT / "billing" / "tests", ROOT / "notifications" / "tests")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", (ROOT / "docs" / "faults.md").read_text())


def test_every_fault_names_a_test():
    rows = [line for line in (ROOT / "docs" / "faults.md").read_text().splitlines() if line.startswith("| ")]
    faults = [row for row in rows if not row.endswith("| held off by |")]
    assert len(faults) == len(NAMED) > 30


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_it_exists(path, name):
    found = [folder / path for folder in FOLDERS if (folder / path).exists()]
    assert found, path
    assert f"def {name}(" in found[0].read_text()
