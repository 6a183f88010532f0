"""The programs a page may call, beside a few of the system's. Each answers with its exit code, or by `sys.exit`."""

import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise

from django.core.management import get_commands, load_command_class

from .pages import ROOT

WRONG_USE = 2
# They go on until they are stopped, or make tables, which this site has: only what they are given is looked at here.
# Tests of their own run them.
LOOKED_AT = {"billing_worker", "demo", "migrate", "qcluster", "runserver", "setup", "stripe_sandbox"}


def manage(arguments: list[str]) -> int:
    name, *rest = arguments
    if name not in get_commands():
        sys.stdout.write(f"manage.py has no {name}\n")
        return WRONG_USE
    command = load_command_class(get_commands()[name], name)
    if name in LOOKED_AT:
        command.create_parser("manage.py", name).parse_args(rest)
    else:
        command.run_from_argv(["manage.py", name, *rest])
    return 0


def python(arguments: list[str]) -> int:
    match arguments:
        case ["manage.py", *rest]:
            return manage(rest)
        case ["-m", "pytest", *rest]:
            return pytest(rest)
        case ["-m", module, *_] if module.startswith(("bench", "billing")) and find_spec(module):
            return 0
    sys.stdout.write(f"neither a command nor a module of ours: {arguments}\n")
    return WRONG_USE


def pytest(arguments: list[str]) -> int:
    """Its files are there, and its marks are ours."""
    ours = (ROOT / "pytest.ini").read_text()
    marks = [mark for option, mark in pairwise(arguments) if option == "-m"]
    files = [argument for argument in arguments if argument.endswith(".py")]
    is_known = all((ROOT / file).exists() for file in files) and all(f"\n    {mark}:" in ours for mark in marks)
    return 0 if is_known else WRONG_USE


def make(arguments: list[str]) -> int:
    """Return what it would do, by the Makefile."""
    command = ["make", "--dry-run", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    sys.stdout.write(done.stdout + done.stderr)
    return done.returncode


PROGRAMS = {"make": make, "manage.py": manage, "python": python}
