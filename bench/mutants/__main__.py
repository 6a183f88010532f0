"""`python -m bench.mutants` runs the package: see its docstring."""

import argparse
import os
import random
import signal
import sys
import time
from contextlib import suppress
from itertools import chain

import pytest

from . import NOT_TESTS, ROOT, TESTS, sources
from .changes import Change, all_of
from .touching import DISTANCES, NEAR
from .trying import Trials

LEAST = 0.95


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.mutants", description="Draw changes to the core; list what lives.")
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3], help="make one draw for each seed")
    parser.add_argument("--count", type=int, default=100, help="how many changes a seed draws")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[""],
        metavar="TEXT",
        help="try only changes whose place or words contain one of these",
    )
    parser.add_argument(
        "--tests", nargs="+", default=TESTS, metavar="PATH", help="run only these: quick, but they notice less"
    )
    parser.add_argument(
        "--near", action="store_true", help="run only tests of its module and its room: quick, but they notice less"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many are tried at once")
    parser.add_argument(
        "--longest", type=float, default=300, metavar="SECONDS", help="how long the tests of one change may take"
    )
    return parser.parse_args()


def draw(seed: int, count: int, possible: list[Change]) -> list[Change]:
    return random.Random(seed).sample(possible, min(count, len(possible)))


def try_all(trials: Trials, seeds: list[int], count: int, possible: list[Change]) -> bool:
    """Try all changes; return whether the tests noticed enough of each seed's."""
    print(f"{len(possible)} changes are possible.", flush=True)
    draws = {seed: draw(seed, count, possible) for seed in seeds}
    has_died: dict[Change, bool] = {}
    with suppress(KeyboardInterrupt):  # what was tried until then is reported
        for change, told, is_killed in trials.outcomes(list(dict.fromkeys(chain(*zip(*draws.values(), strict=True))))):
            has_died[change] = is_killed
            print("." if is_killed else f"\nlived: {change}\n    ({told})\n", end="", flush=True)
    shares = [_reported(seed, drawn, has_died) for seed, drawn in draws.items()]
    return min(shares) >= LEAST


def _reported(seed: int, drawn: list[Change], has_died: dict[Change, bool]) -> float:
    """Return the share of changes that the tests noticed; a change not tried, since the run was broken off, counts as
    unnoticed."""
    left = [change for change in drawn if has_died.get(change) is False]
    killed = sum(has_died.get(change, False) for change in drawn)
    share = killed / len(drawn)
    print(f"\nseed {seed}: {len(drawn)} drawn, {killed} killed, {len(left)} lived ({share:.1%} died)")
    for change in left:
        print(f"  {change.path}:{change.line}  {change.was}  →  {change.now}")
    return share


def main() -> int:
    given, began = options(), time.monotonic()
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that its forks end with it
    possible = [
        change for path in sources() for change in all_of(path) if any(text in str(change) for text in given.only)
    ]
    enough: list[bool] = []
    trials = Trials(
        sources(), given.jobs, given.longest, NEAR if given.near else DISTANCES,
        lambda ready: enough.append(try_all(ready, given.seed, given.count, possible)),
    )  # fmt: skip
    left_out = [f"--ignore={path}" for path in NOT_TESTS]
    quiet = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not browser and not slow"]
    pytest.main([*quiet, *left_out, *given.tests], plugins=[trials])
    print(f"\n{time.monotonic() - began:.0f} s")
    return 0 if enough == [True] else 1


if __name__ == "__main__":
    sys.exit(main())
