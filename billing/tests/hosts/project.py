"""A host project: made by django-admin, filled by a test, run as real processes, gone without a trace."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psycopg
from django.db import connection

from billing.tests.processes import free_port

from .recipe import Addition

REPOSITORY = Path(__file__).parents[3]
READY_WITHIN_SECONDS = 60
# What would make a host's process another project, or let it import from this one.
NOT_PASSED_ON = ("DJANGO_", "STRIPE_", "DATABASE_URL", "REDIS_URL", "SITE_URL", "PYTEST_", "PYTHONPATH")


class HostProject:
    """`manage.py` and processes of a project in `folder` that has `billing` from `packages` and from nowhere else.

        host = HostProject(folder, packages, database)
        host.start()                              # django-admin startproject mysite
        host.write("people/models.py", "…")       # a file of the host's own
        host.add("mysite/settings.py", "…")       # lines at a file's end
        host.manage("setup")                      # its output; fails with what the command said
        host.follow("qcluster")                   # a command as a person gives it; servers go on until `close`
        host.run("print(1)")                      # what this prints in the project, its models imported by itself

    Ports are free ones: where a text names 8000 or 12111, those of this host stand in for them.
    """

    def __init__(self, folder: Path, packages: Path, database: str):
        self.folder, self.packages, self.database = folder, packages, database
        self.web_port, self.sandbox_port = free_port(), free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.beside: list[Path] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    def start(self) -> None:
        self._run(["-m", "django", "startproject", "mysite", "."])
        self.add("mysite/settings.py", self._own_settings())

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def add(self, path: str, text: str) -> None:
        with (self.folder / path).open("a") as file:
            file.write(f"\n{self._here(text)}\n")

    def add_all(self, additions: Iterable[Addition]) -> None:
        for addition in additions:
            (self.folder / addition.path).parent.mkdir(parents=True, exist_ok=True)
            self.add(addition.path, addition.text)

    def manage(self, *command: str, **variables: str) -> str:
        return self._run(["manage.py", *map(self._here, command)], variables)

    def manage_all(self, *command: str) -> str:
        """Return what it says on standard error too."""
        return self._run(["manage.py", *command], is_all=True)

    def doctor(self) -> str:
        """Return its report, with or without errors: in a host's first minute no schedule has run yet."""
        return self._done(["manage.py", "billing_doctor"], {}).stdout

    def run(self, code: str) -> str:
        """A last line's value is not printed: print it."""
        return self.manage("shell", "--verbosity", "0", "--command", code).strip()

    def follow(self, *command: str, **variables: str) -> None:
        """A command as a person gives it on a terminal: one that serves goes on, the rest are run to their end.

        `createsuperuser` takes what it would ask for from `variables` (DJANGO_SUPERUSER_USERNAME, …).
        """
        match command[0]:
            case "stripe_sandbox":
                port = str(self.sandbox_port)
                self.serve("sandbox", *command, "--port", port, ready=f"{self.sandbox_url}/_sandbox/")
            case "runserver":
                self.serve("web", *command, "--noreload", str(self.web_port), ready=f"{self.url}/healthz")
            case "qcluster" | "billing_worker":
                self.serve("worker", *command)
            case "createsuperuser":
                self.manage(*command, "--noinput", **variables)
            case _:
                self.manage(*command)

    def python(self, code: str) -> str:
        """Return what a Python prints that knows nothing of the project's settings."""
        return self._run(["-c", code]).strip()

    def module(self, *command: str) -> str:
        """`python -m …` in the project's folder."""
        return self._run(["-m", *command])

    def serve(self, name: str, *command: str, ready: str = "") -> None:
        """A command of `manage.py` that goes on; waits until `ready` answers, where it is given."""
        self.serve_python(name, "manage.py", *command, ready=ready)

    def serve_python(self, name: str, *command: str, ready: str = "") -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *map(self._here, command)],
                cwd=self.folder, env=self._environment(), stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        if ready:
            self._wait_for(name, ready)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        """The last one first; a cluster's head alone is asked, and what remains of its session is ended."""
        for process in reversed(self.processes.values()):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def _own_settings(self) -> str:
        return (
            f"DATABASES = {{'default': {{'ENGINE': 'django.db.backends.postgresql', {self.database}}}}}\n"
            f"SITE_URL = {self.url!r}\n"
        )

    def _here(self, text: str) -> str:
        return text.replace("12111", str(self.sandbox_port)).replace("8000", str(self.web_port))

    def _run(self, command: list[str], variables: Mapping[str, str] | None = None, *, is_all: bool = False) -> str:
        done = self._done(command, variables or {})
        assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"
        return done.stdout + (done.stderr if is_all else "")

    def _done(self, command: list[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.folder, env={**self._environment(), **variables}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        passed_on = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        return {**passed_on, "PYTHONPATH": os.pathsep.join(map(str, [self.packages, *self.beside]))}

    def _wait_for(self, name: str, url: str) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            assert self.processes[name].poll() is None, f"{name} ended:\n{self.log(name)}"
            if _answers(url):
                return
            time.sleep(0.1)
        raise AssertionError(f"{name} does not answer at {url}:\n{self.log(name)}")


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except (HTTPError, URLError, ConnectionError, TimeoutError):
        return False


def build_wheel(folder: Path) -> Path:
    """The wheel of `billing` as pyproject.toml says, in `folder`; needs no network."""
    options = ["--quiet", "--offline", "--no-build-isolation", "--python", sys.executable, "--wheel"]
    command = [sys.executable, "-m", "uv", "build", *options, "--out-dir", str(folder)]
    subprocess.run([*command, str(REPOSITORY)], check=True)
    return next(folder.glob("*.whl"))


def install(wheel: Path, folder: Path) -> Path:
    """The wheel alone, as pip installs it; what it depends on is in this environment already."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--target", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True)
    return folder


@contextmanager
def new_database(name: str):
    """An empty database on the server this test runs on, as the items of Django's settings."""
    known = connection.settings_dict
    place = {"HOST": known["OPTIONS"].get("host") or known["HOST"], "PORT": known["PORT"], "USER": known["USER"]}
    place |= {"PASSWORD": known["PASSWORD"]}
    given = {"host": place["HOST"], "port": place["PORT"], "user": place["USER"], "password": place["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **{k: v for k, v in given.items() if v}) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
        yield ", ".join(f"{key!r}: {value!r}" for key, value in {"NAME": name, **place}.items())
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
