"""Each fault in docs/faults.md names three tests that hold it off, a situation and two neighbours, and they exist."""

import re

import pytest

from .pages import ROOT

FOLDERS = (ROOT / "billing" / "tests", ROOT / "notifications" / "tests")
NAME = re.compile(r"`([\w/]+\.py)::(\w+)`")
FAULTS = [line for line in (ROOT / "docs" / "faults.md").read_text().splitlines() if line.startswith("| ")]
FAULTS = [line for line in FAULTS if not line.endswith("| held off by |")]
NAMED = sorted({name for fault in FAULTS for name in NAME.findall(fault)})


def test_the_faults_are_all_there():
    assert len(FAULTS) > 33


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.split("|")[1].strip() for fault in FAULTS])
def test_every_fault_names_a_situation_and_two_neighbours(fault):
    assert len(set(NAME.findall(fault))) >= 3


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_it_exists(path, name):
    found = [folder / path for folder in FOLDERS if (folder / path).exists()]
    assert found, path
    assert any(f"def {name}(" in file.read_text() for file in found)
