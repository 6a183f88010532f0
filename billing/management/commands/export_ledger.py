"""`manage.py export_ledger --month 2026-10` writes the money facts of a month, and checks the books."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from billing import books
from billing.management.terminal import TerminalCommand

WRONG_USE = 2


class Command(TerminalCommand):
    help = (
        "Write a line for each money fact of a month, and check the books. Changes nothing, and does not call Stripe. "
        "Exit code 0 if the books balance, 1 if something differs (each difference is named) or it failed, 2 for wrong "
        "use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", metavar="2026-10", required=True, help="the month, in UTC")
        parser.add_argument("--format", choices=books.FORMATS, default="csv", help="csv (default) or beancount")
        parser.add_argument(
            "--output", metavar="FILE", type=Path, help="write this file, which only you may read, and not the terminal"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            month = books.Month.parse(options["month"])
        except books.NotAMonth as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        ledger = books.Ledger(month, options["format"])
        try:
            with _opened(options["output"]) if options["output"] else nullcontext(self.stdout) as out:
                ledger.write(out)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise CommandError(f"{options['output']} could not be written: {error.strerror}.") from error
        except DatabaseError as error:
            raise CommandError(f"The database reported an error: {error}") from error
        for text in ledger.wrong + [str(each) for each in ledger.differences]:
            self.stderr.write(text)
        if not ledger.is_even:
            raise CommandError(ledger.summary())
        self.stderr.write(ledger.summary(), self.style.SUCCESS)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Write a file that is there only once it is whole. Its name is free for a moment: two exports do not mix."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.exists() and not path.is_file():  # root would replace /dev/null
        raise OSError(errno.EINVAL, "It is no file")
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
            yield out
        waiting.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            waiting.unlink()
        raise
