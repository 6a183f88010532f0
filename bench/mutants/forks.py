"""This module runs work in forks of this process, some at a time; each has its own directory and writes its answer
there."""

import json
import os
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

ANSWER, ERROR = "answer.json", "error.txt"


def in_forks(tasks: Iterable[T], work: Callable[[T, Path], Any], jobs: int) -> Iterator[tuple[T, Any]]:
    """Yield each task with what `work(task, directory)` returned, as they end; None if a signal ended its process.
    Raises RuntimeError if `work` raised: that says nothing of the task.

    A fork leads a group of processes, which ends with it; all forks end when the caller stops.
    """
    waiting: list[T] = list(tasks)[::-1]
    running: dict[int, tuple[T, Path]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task, directory = waiting.pop(), Path(tempfile.mkdtemp(prefix="mutant-"))
                running[_forked(task, work, directory)] = task, directory
            pid, status = os.wait()
            if pid in running:
                task, directory = running.pop(pid)
                try:
                    yield task, _answer(directory, status)
                finally:
                    _cleared(pid, directory)
    finally:
        for pid, (_, directory) in running.items():
            _cleared(pid, directory)


def _answer(directory: Path, status: int) -> Any:
    if (answer := directory / ANSWER).exists():
        return json.loads(answer.read_text())
    if os.WIFSIGNALED(status):
        return None
    raise RuntimeError((directory / ERROR).read_text() if (directory / ERROR).exists() else f"A fork ended: {status}")


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
    except BaseException:  # noqa: BLE001 (the parent tells of it)
        (directory / ERROR).write_text(traceback.format_exc())
    finally:
        os._exit(status)
