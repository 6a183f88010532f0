"""Clients in Node are installed as their lock files say, once for all tests, and driven line by line."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CACHE = Path(__file__).parents[3] / "tmp" / "clients"
QUIET = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error"]

needs_npm = pytest.mark.skipif(not shutil.which("npm"), reason="npm is not on this machine")


def installed(name: str) -> Path:
    """Return a folder with the client's packages and scripts; skip the test where npm cannot install them."""
    source = HERE / name
    locked = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    folder = CACHE / f"{name}-{locked[:12]}"
    if not folder.exists():
        _install(source, folder)
    for script in [HERE / "driven.mjs", *source.glob("*.mjs")]:
        shutil.copy(script, folder)
    return folder


def _install(source: Path, folder: Path) -> None:
    """Install beside the folder and rename at the end, so that a folder that is there is complete."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as parent:
        fresh = Path(parent) / source.name
        fresh.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, fresh)
        done = subprocess.run(["npm", "ci", *QUIET], cwd=fresh, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"npm cannot install {source.name} here: {done.stderr.strip()[-200:]}")
        fresh.rename(folder)


def version(name: str, package: str) -> str:
    """Return the version of the package that the client pins."""
    return str(json.loads((HERE / name / "package.json").read_text())["dependencies"][package])


class Driven:
    """A process of Node answers calls of the methods that its script exposes; it raises what they throw."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def __call__(self, method: str, *args: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"method": method, "args": args}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "The process ended."
        answer = json.loads(line)
        if "error" in answer:
            raise Thrown(answer["error"])
        return answer.get("result")


class Thrown(Exception):
    """The client threw an error with this message."""


@contextmanager
def driven(name: str, script: str, *args: str) -> Iterator[Driven]:
    command = ["node", script, *args]
    with subprocess.Popen(
        command, cwd=installed(name), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Driven(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=20)
