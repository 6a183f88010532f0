"""Packages that the suite does without are installed into a folder of their own, beside the environment's."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings


def installed_beside(name: str, *requirements: str) -> Path:
    """Return the folder with these packages alone, without what they need; skip where they cannot be had."""
    folder: Path = settings.BASE_DIR / "tmp" / f"beside-{name}"
    options = ["--quiet", "--no-deps", "--python", sys.executable, "--target", str(folder)]
    command = [sys.executable, "-m", "uv", "pip", "install", *options, *requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(requirements)} cannot be installed here: {done.stderr.strip().splitlines()[0]}")
    return folder
