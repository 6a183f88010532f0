"""A Python that has the sandbox from its own wheel, and the packages that the wheel asks for, and nothing else."""

import importlib.metadata as metadata
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1]
LAST_LINE = "API version"


def build_wheel(folder: Path) -> Path:
    """Return the wheel that `stripe_sandbox/pyproject.toml` describes; needs no network."""
    options = ["--quiet", "--offline", "--no-build-isolation", "--python", sys.executable, "--wheel"]
    command = [sys.executable, "-m", "uv", "build", *options, "--out-dir", str(folder), str(PROJECT)]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def environment(folder: Path, *wheels: Path) -> Path:
    """Return the Python of a new environment with the wheels and with copies of what the last of them requires."""
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for wheel in wheels:
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--target", str(packages)]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
    (own,) = metadata.distributions(path=[str(packages)], name="stripe-lanes-sandbox")
    for name in _required(own):
        _copy(metadata.distribution(name), packages)
    return folder / "bin" / "python"


def _required(distribution: metadata.Distribution) -> set[str]:
    """Return the names of everything that the distribution needs, directly or not, without extras."""
    found: set[str] = set()
    waiting = [distribution]
    while waiting:
        for line in waiting.pop().requires or []:
            wanted = Requirement(line)
            if (wanted.marker is None or wanted.marker.evaluate({"extra": ""})) and wanted.name not in found:
                found.add(wanted.name)
                waiting.append(metadata.distribution(wanted.name))
    return found


def _copy(distribution: metadata.Distribution, packages: Path) -> None:
    for top in {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}:
        source = Path(str(distribution.locate_file(top)))
        (shutil.copytree if source.is_dir() else shutil.copy)(source, packages / top)


@contextmanager
def running(folder: Path, *command: str | Path) -> Iterator[dict[str, str]]:
    """Run a sandbox as a process of its own, with an empty environment; yield what its first lines say by label."""
    with subprocess.Popen(
        [*command, "--port", "0"], cwd=folder, env={}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield _first_lines(process)
        finally:
            process.terminate()
    assert process.returncode == 0


def _first_lines(process: subprocess.Popen[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    assert process.stdout
    for line in process.stdout:
        label, value = line[:30].strip(), line[30:].strip()
        told[label] = value
        if label == LAST_LINE:
            return told
    raise AssertionError(f"The sandbox ended: {told}")
