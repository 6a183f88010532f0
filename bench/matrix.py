"""Run tests on each supported version of Python, Django and the other requirements, and print a table of them.

    make test-matrix                          the story of STORY, on each version that this machine has
    make test-matrix ARGS="lowest 3.13/6.1"   only rows that are called so: Python/Django/others
    make test-matrix ARGS="--whole 6.1"       the whole suite, then its part for PostgreSQL

`newest` is the newest release of each requirement, `lowest` the first that pyproject.toml allows. Each row has an
environment under tmp/matrix/, whose log is beside it. A Python that is not here is skipped: docs/upgrading.md says how
to have one.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import which

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Each with the oldest Python that it runs on.
DJANGOS = {"5.2": "3.11", "6.0": "3.12", "6.1": "3.12"}
LOWEST, NEWEST = "lowest", "newest"

# From the door to the mail: one story through all rooms, and all that a requirement may change under them.
STORY = (
    "billing/tests/events/test_end_to_end.py",
    "billing/tests/events/test_webhooks.py",
    "billing/tests/pages/test_account.py",
    "billing/tests/pages/test_buying.py",
    "billing/tests/api/test_schema.py",
    "billing/tests/sync/test_sync.py",
    "billing/tests/admin/test_after_a_story.py",
    "billing/tests/setup/test_checks.py",
    "billing/tests/queues",
    "billing/tests/test_mailer.py",
    "notifications/tests/test_sendgrid.py",
    "accounts/tests/test_pages.py",
    "config/tests/test_site.py",
    "stripe_sandbox/tests/test_djstripe.py",
)


@dataclass(frozen=True)
class Row:
    python: str
    django: str
    others: str

    def __str__(self) -> str:
        return f"python-{self.python}-django-{self.django}-{self.others}"

    @property
    def folder(self) -> Path:
        return ROOT / "tmp" / "matrix" / str(self)

    def is_named(self, words: list[str]) -> bool:
        return not words or any(word in f"{self.python}/{self.django}/{self.others}" for word in words)

    def lacks(self) -> str:
        """Return why this machine cannot run the row; "" if it can."""
        if PYTHONS.index(self.python) < PYTHONS.index(DJANGOS[self.django]):
            return f"Django {self.django} needs Python {DJANGOS[self.django]}"
        return "" if interpreter(self.python) else f"no Python {self.python} here"


def rows() -> Iterator[Row]:
    yield Row(PYTHONS[0], next(iter(DJANGOS)), LOWEST)
    yield from (Row(python, django, NEWEST) for python in PYTHONS for django in DJANGOS)


@cache
def interpreter(version: str) -> str:
    """Return the path of this version of Python, on the PATH or among those of pyenv; "" if the machine has none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    known = [sys.executable, which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)]
    return next((str(path) for path in known if path and version_of(path) == version), "")


def version_of(path: str | Path) -> str:
    """Return the version of a Python; "" for one that does not run, as a shim of pyenv may."""
    say = "import sys; print('{}.{}'.format(*sys.version_info))"
    return subprocess.run([path, "-c", say], capture_output=True, text=True, check=False).stdout.strip()


def install(row: Row) -> Path:
    """Make the row's environment, and return its Python."""
    row.folder.mkdir(parents=True, exist_ok=True)
    wanted, chosen = row.folder / "wanted.in", row.folder / "chosen.txt"
    wanted.write_text("\n".join([f"-r {ROOT / 'requirements-dev.in'}", *requirements(row), ""]))
    uv("pip", "compile", "--upgrade", "--python-version", row.python, str(wanted), "-o", str(chosen))
    uv("venv", "--clear", "--seed", "--python", interpreter(row.python), str(row.folder / "env"))
    python = row.folder / "env" / "bin" / "python"
    uv("pip", "install", "--python", str(python), "-r", str(chosen))
    return python


def requirements(row: Row) -> list[str]:
    """Return what the row installs beside requirements-dev.in."""
    if row.others == LOWEST:
        lowest = ("--resolution", "lowest-direct", "--all-extras", "--python-version", row.python)
        return uv("pip", "compile", "--no-annotate", "--no-header", *lowest, "pyproject.toml").splitlines()
    return [f"Django=={row.django}.*", *(["django-csp"] if row.django == "5.2" else [])]


def tested(row: Row, is_whole: bool) -> tuple[str, bool]:
    """Run the row's tests; return their last lines, and whether all passed."""
    python = str(install(row))
    pytest = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    on_postgresql = [python, "-m", "bench.postgres", "--", *pytest, "-m", "postgres or postgres_only"]
    outcomes = [run(row, command) for command in ([pytest, on_postgresql] if is_whole else [[*pytest, *STORY]])]
    return "; ".join(said for said, _ in outcomes), all(has_passed for _, has_passed in outcomes)


def run(row: Row, command: list[str]) -> tuple[str, bool]:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    with (row.folder / "log").open("a") as log:
        log.write(done.stdout)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return done.stdout.strip().rpartition("\n")[2], done.returncode == 0


def uv(*command: str) -> str:
    """Run the uv of this environment and return its output."""
    program = str(Path(sys.executable).with_name("uv"))
    return subprocess.run(
        [program, "--quiet", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.matrix", description="Run tests on each supported version.")
    parser.add_argument("words", nargs="*", metavar="WORD", help=f"3.13, 6.1, 3.13/6.1, {LOWEST}; all")
    parser.add_argument("--whole", action="store_true", help="the whole suite and not only its story")
    given = parser.parse_args()
    is_well = True
    print(f"{'Python':<8}{'Django':<8}{'others':<8}")
    for row in (row for row in rows() if row.is_named(given.words)):
        print(f"{row.python:<8}{row.django:<8}{row.others:<8}", end="", flush=True)
        lack = row.lacks()
        said, has_passed = (f"skipped: {lack}", True) if lack else tested(row, given.whole)
        print(said, flush=True)
        is_well = is_well and has_passed
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
