"""`python -m stripe_sandbox` starts the sandbox without Django."""

import argparse
import os
import sys

from .command import add_arguments, run

READER_LEFT = 141


def write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


parser = argparse.ArgumentParser(prog="stripe_sandbox", description=__doc__)
add_arguments(parser)
try:
    sys.exit(run(**vars(parser.parse_args()), write=write))
except BrokenPipeError:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(READER_LEFT)
