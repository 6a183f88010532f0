"""The versions that `make test-matrix` runs are those that pyproject.toml promises and README names."""

import re
import tomllib
from pathlib import Path

import pytest

from bench import matrix
from bench.matrix import DJANGOS, LOWEST, NEWEST, PYTHONS, ROOT, Row

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def promised(kind: str) -> tuple[str, ...]:
    return tuple(line.rpartition(" ")[2] for line in PROJECT["classifiers"] if line.startswith(f"{kind} :: "))


def test_what_is_promised_is_what_is_run() -> None:
    assert promised("Programming Language :: Python") == PYTHONS
    assert promised("Framework :: Django") == tuple(DJANGOS)
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    major, minor = list(DJANGOS)[-1].split(".")
    assert f"Django>={next(iter(DJANGOS))},<{major}.{int(minor) + 1}" in PROJECT["dependencies"]


def test_the_first_page_names_them() -> None:
    page = (ROOT / "README.md").read_text()
    assert f"Python {PYTHONS[0]} to {PYTHONS[-1]}" in page
    assert re.findall(r"Django ([\d., and]+\d)", page)[0] == "5.2, 6.0 and 6.1"


def test_each_row_is_called_by_its_versions_or_by_a_part_of_them() -> None:
    rows = list(matrix.rows())
    assert rows[0] == Row("3.11", "5.2", LOWEST)
    assert [str(row) for row in rows if row.is_named([LOWEST, "3.13/6.1"])] == [
        f"python-3.11-django-5.2-{LOWEST}",
        f"python-3.13-django-6.1-{NEWEST}",
    ]
    assert [row for row in rows if row.is_named([])] == rows


def test_a_row_that_cannot_run_here_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "interpreter", lambda version: "" if version == "3.14" else f"/python{version}")
    assert Row("3.11", "6.1", NEWEST).lacks() == "Django 6.1 needs Python 3.12"
    assert Row("3.14", "6.1", NEWEST).lacks() == "no Python 3.14 here"
    assert Row("3.13", "6.1", NEWEST).lacks() == ""


def test_a_python_that_does_not_run_is_none(tmp_path: Path) -> None:
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert matrix.version_of(shim) == ""


def test_the_story_is_made_of_files_that_are_there() -> None:
    assert all((ROOT / path).exists() for path in matrix.STORY)
