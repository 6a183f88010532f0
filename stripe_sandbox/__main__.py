"""`python -m stripe_sandbox` starts the sandbox from a shell, without Django."""

import argparse
import os
import sys

from .command import add_arguments, run

READER_LEFT = 141


def main() -> int:
    """Return the exit status: 0, 1 where the sandbox cannot start, 141 where nobody reads what it prints."""
    parser = argparse.ArgumentParser(
        prog="stripe_sandbox",
        description="Serve a Stripe to develop against: API, hosted pages, signed webhooks, and a clock you can move.",
    )
    add_arguments(parser)
    try:
        return run(**vars(parser.parse_args()), write=_write)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
