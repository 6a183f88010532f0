"""The programs a page may call, beside a few of the system's. Each answers with its exit code, or by `sys.exit`."""

import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management import get_commands, load_command_class
from django.utils.module_loading import import_string
from gunicorn.config import Config

from .pages import ROOT

WRONG_USE = 2
# They go on until they are stopped: only what they are given is looked at. Tests of their own start them.
SERVING = {"demo", "qcluster", "runserver", "stripe_sandbox"}
# They make tables, which this site has: a process of theirs makes them in an empty database.
MAKING_TABLES = {"migrate", "setup"}


def manage(arguments: list[str]) -> int:
    name, *rest = arguments
    if name not in get_commands():
        sys.stdout.write(f"manage.py has no {name}\n")
        return WRONG_USE
    command = load_command_class(get_commands()[name], name)
    if name in SERVING:
        command.create_parser("manage.py", name).parse_args(rest)
    elif name in MAKING_TABLES:
        return elsewhere(arguments)
    else:
        command.run_from_argv(["manage.py", name, *rest])
    return 0


def elsewhere(arguments: list[str]) -> int:
    with TemporaryDirectory() as folder:
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder}/empty.sqlite3"}
        return said([sys.executable, "manage.py", *arguments], env=environment)


def said(command: list[str], **options: Any) -> int:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)
    sys.stdout.write(done.stdout + done.stderr)
    return done.returncode


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
    """What it would do, by the Makefile."""
    return said(["make", "--dry-run", *arguments])


def gunicorn(arguments: list[str]) -> int:
    """It takes these options, and its application is there."""
    [application] = Config().parser().parse_args(arguments).args
    import_string(f"{application}.application")
    return 0


PROGRAMS = {"gunicorn": gunicorn, "make": make, "manage.py": manage, "python": python}
