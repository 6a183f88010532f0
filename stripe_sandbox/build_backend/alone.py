"""This backend builds `stripe-lanes-sandbox` by uv_build, which wants the package inside of the folder that it builds
from.

This folder is the package itself, so the backend copies it one level down. An sdist has that shape already.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uv_build

PACKAGE = "stripe_sandbox"
BESIDE = ("pyproject.toml", "README.md", "build_backend")
NOT_COPIED = shutil.ignore_patterns("tests", "build_backend", "pyproject.toml", "__pycache__", "build", "dist")


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    return _build(uv_build.build_wheel, wheel_directory, config_settings)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    return _build(uv_build.build_sdist, sdist_directory, config_settings)


def _build(build: Callable[..., str], directory: str, config_settings: Any) -> str:
    into = Path(directory).resolve()
    with _package_one_level_down():
        return build(str(into), config_settings)


@contextmanager
def _package_one_level_down() -> Iterator[None]:
    """Change into a folder that holds the package and the files beside it; change back afterwards."""
    here = Path.cwd()
    if (here / PACKAGE).is_dir():
        yield
        return
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(here, Path(copy) / PACKAGE, ignore=NOT_COPIED)
        for name in BESIDE:
            _copy(here / name, Path(copy) / name)
        shutil.copy(here.parent / "LICENSE", copy)
        os.chdir(copy)
        try:
            yield
        finally:
            os.chdir(here)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
