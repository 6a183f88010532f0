"""Our commands at a terminal, in a pipe and under cron: nobody sees a traceback, and nobody is asked unseen."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

# The codes by which a shell knows these ends: 128 and the signal's number.
READER_LEFT, INTERRUPTED = 141, 130


class TerminalCommand(BaseCommand):
    """A command that ends quietly on Ctrl-C, and when whoever reads its output has gone (`… | head -1`)."""

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            self._run_to_the_last_line(argv)
        except BrokenPipeError:
            silence()
            sys.exit(READER_LEFT)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def _run_to_the_last_line(self, argv: list[str]) -> None:
        """Python itself flushes too late for an error to be caught."""
        try:
            super().run_from_argv(argv)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()


def silence() -> None:
    """Send to nowhere all that is still to be written: its reader has gone."""
    nowhere: int = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def is_terminal(*streams: Any) -> bool:
    """Whether all of them are terminals. A stream that was closed at the start (`<&-`) is None to Python."""
    return all(stream is not None and stream.isatty() for stream in streams)


def can_ask() -> bool:
    """Whether a question would be seen, and could be answered."""
    return is_terminal(sys.stdin, sys.stdout)


def is_agreed(question: str) -> bool:
    """Whether the answer is yes. The end of the input (Ctrl-D) is a no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False
