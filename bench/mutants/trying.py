"""This module loads pytest and makes one database, then forks to run the tests that touch a change."""

import ast
import hashlib
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from . import ROOT, changes, swapping
from .changes import Change
from .forks import in_forks

CACHE = ROOT / "tmp" / "mutants"
# How long a test may take: so many times what it took unchanged, and some seconds for a machine that is busy.
TIMES, SECONDS = 10, 30
QUICK = 0.5
HELD = "the time was over"


class Trials:
    """This pytest plugin calls `then` with itself instead of running the collected tests."""

    def __init__(self, paths: list[Path], jobs: int, longest: float, then: Any) -> None:
        self.paths, self.jobs, self.longest, self._then = paths, jobs, longest, then
        self.map: dict[str, dict[str, Any]] = {}
        self._failed: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        self._make_database(session.items)
        for path in self.paths:
            # A command's modules are else loaded when it is called.
            import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
        self._loaded = swapping.Loaded(self.paths)
        self.map = self._touched()
        self._then(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.append(report.nodeid)

    def outcomes(self, drawn: list[Change]) -> Iterator[tuple[Change, str, bool]]:
        """Yield each change, its outcome and whether it was killed, as they end."""
        for change, answer in in_forks(drawn, self._try, self.jobs):
            if answer is None:
                yield change, "a test did not end", True
            else:
                yield change, answer["told"], answer["is_killed"]

    def touching(self, change: Change) -> list[str]:
        """Return the tests that run the statement: of its module, its room, others; quick ones first, by turns."""
        found = [test for test, facts in self.map.items() if f"{change.path}:{change.line}" in facts["lines"]]
        turns, order = Counter[str](), {}
        for test in sorted(found, key=lambda test: self.map[test]["seconds"]):
            file = test.split("::")[0]
            turns[file] += 1
            order[test] = (_distance(file, Path(change.path)), self.map[test]["seconds"] > QUICK, turns[file])
        return sorted(order, key=lambda test: order[test])

    def _try(self, change: Change, directory: Path) -> dict[str, Any]:
        self._own_database(directory)
        try:
            self._put(change, changes.made(change))
        except ValueError as error:
            return {"told": str(error), "is_killed": False}
        tests, ends = self.touching(change), time.monotonic() + self.longest
        for done, test in enumerate(tests):
            if time.monotonic() > ends:
                return {"told": f"{HELD}: {done} of {len(tests)} tests that touch it passed", "is_killed": False}
            if not self._passes(test, tests[done + 1 : done + 2]) and self._passes_unchanged(test, change):
                return {"told": test, "is_killed": True}
        return {"told": f"{len(tests)} tests touch it", "is_killed": False}

    def _put(self, change: Change, tree: ast.Module) -> None:
        self._loaded.exchange(Path(change.path), tree)

    def _passes_unchanged(self, test: str, change: Change) -> bool:
        """Return whether the test passes without the change: one that fails then tells nothing of it."""
        self._put(change, changes.unchanged(change))
        passes = self._passes(test)
        self._put(change, changes.made(change))
        return passes

    def _passes(self, test: str, then: Iterable[str] = ()) -> bool:
        item = self._items[test]
        item.session._setupstate.teardown_exact(item)  # what the test before it left for another that was to follow
        signal.setitimer(signal.ITIMER_REAL, TIMES * self.map.get(test, {"seconds": 60})["seconds"] + SECONDS)
        self._failed.clear()
        following = next((self._items[name] for name in then), self._other_than(item))
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        return not self._failed

    def _other_than(self, item: pytest.Item) -> pytest.Item:
        """Return another test to name as the next: what `item` alone uses is torn down, and the database is not."""
        return next(other for other in self._items.values() if other is not item)

    # The database

    def _make_database(self, items: list[pytest.Item]) -> None:
        """Make pytest-django's database once, by a test that starts nothing; forks get copies of the file."""
        from django.db import connection

        quiet = next(item for item in items if _needs_no_more_than_a_database(item))
        quiet.ihook.pytest_runtest_protocol(item=quiet, nextitem=self._other_than(quiet))
        connection.close()
        # pytest clears the directories of earlier runs away, this one's too if many start meanwhile.
        self._directory = tempfile.TemporaryDirectory(prefix="mutants-")
        self._database = shutil.copy(connection.settings_dict["NAME"], self._directory.name)
        if threading.active_count() > 1 or self._failed:
            raise RuntimeError(f"No quiet start: {self._failed or threading.enumerate()}")

    def _own_database(self, directory: Path) -> None:
        from django.db import connection

        copy = shutil.copy(self._database, directory / "database.sqlite3")
        connection.settings_dict["NAME"] = str(copy)

    # Which test touches what

    def _touched(self) -> dict[str, dict[str, Any]]:
        """Return test → seconds and the lines of the core it runs. The result is kept until the core or the test's file
        changes."""
        CACHE.mkdir(parents=True, exist_ok=True)
        core = _digest(*self.paths)
        files: dict[Path, list[str]] = defaultdict(list)
        for test, item in self._items.items():
            files[item.path].append(test)
        kept = {path: CACHE / f"{_digest(path)}-{core}.json" for path in files}
        missing = [path for path in files if not kept[path].exists()]
        for path, answer in in_forks(missing, lambda path, directory: self._watch(files[path], directory), self.jobs):
            print(f"touched: {path.relative_to(ROOT)}", flush=True)
            if answer is not None:
                kept[path].write_text(json.dumps(answer))
        found: dict[str, dict[str, Any]] = {}
        for place in filter(Path.exists, kept.values()):
            found.update(json.loads(place.read_text()))
        return {test: facts | {"lines": set(facts["lines"])} for test, facts in found.items() if test in self._items}

    def _watch(self, tests: list[str], directory: Path) -> dict[str, Any]:
        """Return the facts of the tests that pass unchanged, since only those can notice a change."""
        self._own_database(directory)
        seen, found = swapping.watch(self._loaded, self.paths), {}
        for number, test in enumerate(tests):
            seen.clear()
            began = time.monotonic()
            if self._passes(test, tests[number + 1 : number + 2]):
                found[test] = {"seconds": round(time.monotonic() - began, 3), "lines": sorted(seen)}
        return found


def _needs_no_more_than_a_database(item: pytest.Item) -> bool:
    marker, fixtures = item.get_closest_marker("django_db"), getattr(item, "fixturenames", ())
    return marker is not None and not marker.kwargs and "world" not in fixtures


def _distance(test: str, module: Path) -> int:
    """Return 0 for a file of tests with the module's name, 1 for one in the folder of its room, 2 for others."""
    if Path(test).name == f"test_{module.stem}.py":
        return 0
    return 1 if Path(test).parent.name == module.parts[1] else 2


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with suppress(FileNotFoundError):
            digest.update(os.path.relpath(path, ROOT).encode() + (ROOT / path).read_bytes())
    return digest.hexdigest()[:16]
