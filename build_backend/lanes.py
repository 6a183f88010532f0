"""This backend builds `django-stripe-lanes` by uv_build, with the folder `notifications` renamed to `billing_mail`.

Other packages install a `notifications`, and many projects have an app of that name: docs/decisions/0061. An sdist
already holds the package under its new name.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uv_build

RENAMED = {"notifications": "billing_mail"}
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "billing", "stripe_sandbox", "build_backend", *RENAMED)


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    return _build(uv_build.build_wheel, wheel_directory, config_settings)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    return _build(uv_build.build_sdist, sdist_directory, config_settings)


def _build(build: Callable[..., str], directory: str, config_settings: Any) -> str:
    into = Path(directory).resolve()
    with _renamed():
        return build(str(into), config_settings)


@contextmanager
def _renamed() -> Iterator[None]:
    """Work in a copy of the project in which every package has the name under which it is installed."""
    here = Path.cwd()
    if not all((here / name).is_dir() for name in RENAMED):
        yield
        return
    with tempfile.TemporaryDirectory() as copy:
        for name in NEEDED:
            _copy(here / name, Path(copy) / RENAMED.get(name, name))
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
