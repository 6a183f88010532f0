"""`python -m stripe_sandbox` starts the sandbox without Django."""

import argparse
import sys

from .command import add_arguments, run

parser = argparse.ArgumentParser(prog="stripe_sandbox", description=__doc__)
add_arguments(parser)
sys.exit(run(**vars(parser.parse_args()), write=lambda text: print(text, flush=True)))
