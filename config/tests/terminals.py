"""Programs run in a terminal of their own, as a shell's foreground job is, and what they leave behind."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).parents[2]
MARK = "STARTED_BY_TEST"
PATIENCE_SECONDS = 600
CTRL_C, CTRL_D = b"\x03", b"\x04"
# Makes the terminal that is its input the one whose keys and hang-up reach it.
LAUNCHER = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class Terminal:
    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self.mark = uuid4().hex
        self.master, self.slave = pty.openpty()
        self.modes = termios.tcgetattr(self.slave)
        self.said = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, *command], stdin=self.slave, stdout=self.slave, stderr=self.slave,
            cwd=ROOT, env={**os.environ, "TERM": "xterm", **env, MARK: self.mark}, start_new_session=True,
        )  # fmt: skip

    def until(self, words: str) -> str:
        """Read on until the program says `words`. Fails with all that it said where it does not."""
        self._read(lambda: words in self.said)
        assert words in self.said, self.said
        return self.said

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def interrupt(self) -> None:
        os.kill(self.process.pid, signal.SIGINT)

    def hang_up(self) -> None:
        """Close the terminal's window."""
        os.close(self.master)
        self.master = -1

    def end(self) -> int:
        """The exit code, once the program has ended by itself; a signal's number below zero."""
        if self.master >= 0:
            self._read(lambda: self.process.poll() is not None)
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"goes on for ever: {self.said}") from None

    def is_sane(self) -> bool:
        """Return whether its modes are as they were."""
        return termios.tcgetattr(self.slave) == self.modes

    def left_behind(self) -> list[str]:
        """The processes that came of the program and still run."""
        return [command for _, command in _marked(self.mark)]

    def close(self) -> None:
        for pid, _ in _marked(self.mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        for end in (self.master, self.slave):
            if end >= 0:
                os.close(end)

    def _read(self, is_enough: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_enough() and time.monotonic() < deadline:
            self._take(0.1)
        self._take(0)

    def _take(self, seconds: float) -> None:
        while select.select([self.master], [], [], seconds)[0]:
            self.said += os.read(self.master, 65_536).decode(errors="replace")
            seconds = 0


@contextmanager
def terminal(command: Sequence[str], **env: str) -> Iterator[Terminal]:
    opened = Terminal(command, env)
    try:
        yield opened
    finally:
        opened.close()


def free_ports(number: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _marked(mark: str) -> Iterator[tuple[int, str]]:
    """Process id and command line of all whose environment bears the mark, except those that ended already."""
    wanted = f"{MARK}={mark}".encode()
    for folder in Path("/proc").iterdir():
        if not re.fullmatch(r"\d+", folder.name):
            continue
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
