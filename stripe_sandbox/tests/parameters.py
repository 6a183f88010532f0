"""Write which test proves that each covered parameter acts: `python -m stripe_sandbox.tests.parameters [TESTS]`.

The command runs the sandbox's tests. Each of their requests is made without each of its parameters too, beside the
real one, until some test has shown that it makes a difference (`effects.py`). The record names that test for
"POST /v1/customers email"; null stands for a covered parameter without proof. Each run of a test of the record proves
its parameters again. With the names of files only these are run, and what the record knows is kept.
"""

import json
import sys
from collections.abc import Mapping

import pytest

from stripe_sandbox.http.routing import ALWAYS, PAGING
from stripe_sandbox.http.routing import api as router

from .proving import FILE, FOLDER, RECORD, Recorder

# These tests send what chance draws, or take long to draw it.
LEFT_OUT = ("test_histories.py", "test_saving.py", "test_djstripe.py", "test_alone.py")


def main() -> int:
    chosen = [FOLDER / name for name in sys.argv[1:]]
    recorder = Recorder({name: test for name, test in RECORD.items() if chosen and test})
    paths = chosen or [path for path in sorted(FOLDER.iterdir()) if path.name.startswith("test_")]
    paths += [] if chosen else [FOLDER / "tax", FOLDER / "replay"]
    paths = [path for path in paths if path.name not in LEFT_OUT]
    quiet = ["-q", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    status = pytest.main([*quiet, *map(str, paths)], plugins=[recorder])
    write(recorder.found)
    return int(status)


def write(found: Mapping[str, str | None]) -> None:
    """Write the record, in which every covered parameter has a line."""
    everything = {
        f"{route.method} {route.pattern} {name}": None
        for route in router.routes
        for name in route.covered - ALWAYS - PAGING
    }
    FILE.write_text(json.dumps({**everything, **found}, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
