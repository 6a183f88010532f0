"""This module runs work in forks of this process, some at a time; each has its own directory and writes its answer
there."""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

ANSWER = "answer.json"


def in_forks(tasks: Iterable[T], work: Callable[[T, Path], Any], jobs: int) -> Iterator[tuple[T, Any]]:
    """Yield each task with what `work(task, directory)` returned, as they end; None if a signal ended its process.

    A fork leads a group of processes, which ends with it; all forks end when the caller stops.
    """
    waiting: list[T] = list(tasks)[::-1]
    running: dict[int, tuple[T, Path]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task, directory = waiting.pop(), Path(tempfile.mkdtemp(prefix="mutant-"))
                running[_forked(task, work, directory)] = task, directory
            pid, _ = os.wait()
            if pid in running:
                task, directory = running.pop(pid)
                answer = directory / ANSWER
                yield task, json.loads(answer.read_text()) if answer.exists() else None
                _cleared(pid, directory)
    finally:
        for pid, (_, directory) in running.items():
            _cleared(pid, directory)


def _cleared(pid: int, directory: Path) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)


def _forked(task: T, work: Callable[[T, Path], Any], directory: Path) -> int:
    if pid := os.fork():
        return pid
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        written = directory / "written"
        written.write_text(json.dumps(work(task, directory)))
        written.rename(directory / ANSWER)
        status = 0
    finally:
        os._exit(status)
