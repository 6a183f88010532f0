"""The demo's processes run in sessions of their own, without a terminal, log to files, and end with the demo."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.core.management import CommandError, call_command

from . import ending

READY_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 5
LOG_LINES = 15


class PortInUseError(Exception):
    """Another program already listens on a port."""


class StartError(Exception):
    """A process ended or did not answer in time; its text holds the end of the log."""


class Processes:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def claim_ports(self, **ports: int) -> None:
        """Check that the ports are free. Raises PortInUseError, which names every option to change."""
        taken = {name: port for name, port in ports.items() if _is_taken(port)}
        if taken:
            numbers = " and ".join(str(port) for port in taken.values())
            options = " ".join(f"--{name.replace('_', '-')} {port + 100}" for name, port in taken.items())
            raise PortInUseError(
                f"Taken: port {numbers}. End what listens there, or choose others: make demo ARGS='{options}'"
            )

    def start(self, name: str, arguments: list[str]) -> None:
        """Start a process, without input, since nobody could answer its questions."""
        with self._log(name).open("wb") as log, ending.held_back():
            self.running[name] = subprocess.Popen(
                _command(arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=settings.BASE_DIR, start_new_session=True,
            )  # fmt: skip

    def run(self, name: str, arguments: list[str]) -> None:
        """Run a program to its end."""
        self.start(name, arguments)
        code = self.running[name].wait()
        del self.running[name]
        if code:
            raise StartError(f"{name} failed:\n{self._end_of_log(name)}")

    def run_here(self, name: str, *arguments: str) -> None:
        """Run a command of manage.py to its end in this process, which has loaded it. Its words go to its log."""
        try:
            with self._log(name).open("w") as log:
                call_command(name, *arguments, skip_checks=False, stdout=log, stderr=log)
        except CommandError as error:
            raise StartError(f"{name} failed: {error}\n{self._end_of_log(name)}") from None

    def wait_for(self, url: str, name: str) -> None:
        """Wait until `url` answers 200."""
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            if self.running[name].poll() is not None:
                raise StartError(f"{name} ended:\n{self._end_of_log(name)}")
            with contextlib.suppress(URLError, ConnectionError, TimeoutError), urlopen(url, timeout=2):
                return
            time.sleep(0.1)
        raise StartError(f"{name} does not answer at {url}:\n{self._end_of_log(name)}")

    def wait(self) -> None:
        """Wait until a process ends. None ends before the demo unless something is wrong."""
        while True:
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise StartError(f"{name} ended:\n{self._end_of_log(name)}")
            time.sleep(0.5)

    def stop(self) -> None:
        """Ask each process to end, the web first; then end what remains of its session.

        Only the head of django-q2's cluster is asked: asked together with its children, it may wait for them for ever.
        """
        for process in reversed(self.running.values()):
            process.terminate()
        deadline = time.monotonic() + STOPPED_WITHIN_SECONDS
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0.1))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _end_of_log(self, name: str) -> str:
        return "\n".join(self._log(name).read_text(errors="replace").splitlines()[-LOG_LINES:])


def _command(arguments: list[str]) -> list[str]:
    """Return the command line: a module with -m, else a command of manage.py."""
    return [sys.executable, *([] if arguments[0] == "-m" else ["manage.py"]), *arguments]


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
