"""A run of some marks reads only the files that spell one: see `pytest_ignore_collect` in conftest.py."""

import re

import pytest

from .marks import SPELLED


def test_a_file_spells_each_mark_that_its_tests_have(request: pytest.FixtureRequest) -> None:
    texts: dict[str, str] = {}
    for item in request.session.items:
        text = texts.setdefault(str(item.path), item.path.read_text())
        for mark in SPELLED & {mark.name for mark in item.iter_markers()}:
            assert re.search(rf"\b{mark}\b", text), f"{item.nodeid} has the mark {mark}"
