"""Our commands behave well at a terminal, in a pipe and under cron: they show no traceback, and ask only where
somebody sees the question."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

# Exit codes that a shell expects after a signal: 128 plus its number.
READER_LEFT, INTERRUPTED = 141, 130


class TerminalCommand(BaseCommand):
    """The command ends quietly on Ctrl-C, and when the reader of its output is gone (`… | head -1`)."""

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            self._run_to_the_last_line(argv)
        except BrokenPipeError:
            silence()
            sys.exit(READER_LEFT)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def _run_to_the_last_line(self, argv: list[str]) -> None:
        """Flush the output while an error can still be caught; Python itself flushes too late."""
        try:
            super().run_from_argv(argv)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()


def silence() -> None:
    """Discard all further output: its reader is gone."""
    nowhere: int = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def is_terminal(*streams: Any) -> bool:
    """Return whether all streams are terminals. Python gives None for a stream that was closed at the start (`<&-`)."""
    return all(stream is not None and stream.isatty() for stream in streams)


def can_ask() -> bool:
    """Return whether a question would be seen and could be answered."""
    return is_terminal(sys.stdin, sys.stdout)


def is_agreed(question: str) -> bool:
    """Return whether the answer is yes. The end of the input (Ctrl-D) is a no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False
