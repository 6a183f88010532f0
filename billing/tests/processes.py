"""Real processes of the site: a worker, or the web server as it is deployed, on the test's database and Stripe."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from django.conf import settings
from django.db import connection

from billing.conf import conf


def environment(**more):
    """Return the environment in which a process uses this test's database and Stripe, with a short lease."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.tests.queue_settings",
        "DATABASE_URL": database_url(),
        "STRIPE_API_BASE": conf.api_base,
        **more,
    }


def database_url():
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    folder = database["OPTIONS"].get("host") or database["HOST"]
    return f"postgres://{database['USER']}@/{database['NAME']}?host={folder}"


class Process:
    """A process runs in a process group of its own, so that a signal reaches it and its children alike."""

    def __init__(self, *command, **variables):
        # A pipe that nobody reads is full one day, and then the process stands still.
        self.output = TemporaryFile()  # noqa: SIM115  `kill` closes it
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env=environment(**variables),
            cwd=settings.BASE_DIR,
            start_new_session=True,
            stdout=self.output,
            stderr=subprocess.DEVNULL,
        )

    def said(self):
        """Return what it has written, once it has ended by itself."""
        self.process.wait(30)
        self.output.seek(0)
        return self.output.read().decode()

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def kill(self):
        """`kill -9` to it and all its children, those too that lead groups of their own."""
        apart = descendants(self.process.pid)
        with suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        for pid in apart:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()


def descendants(pid):
    """Return the pids of a process's children, and of theirs."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found, left = [], [pid]
    while left:
        children = [child for child, parent in parents.items() if parent in left]
        found, left = found + children, children
    return found


@contextmanager
def running(*command, **variables):
    process = Process(*command, **variables)
    try:
        yield process
    finally:
        process.kill()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def until(condition, seconds=30, what="it"):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"{what} did not come true within {seconds} seconds")
