"""This module loads pytest and makes one database, then forks to run the tests that touch a change."""

import ast
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from . import changes, swapping
from .changes import Change
from .forks import in_forks
from .touching import Facts, Touches, places

# How long a test may take: so many times what it took unchanged, and some seconds for a machine that is busy.
TIMES, SECONDS = 10, 30
HELD = "the time was over"


class Trials:
    """This pytest plugin calls `then` with itself instead of running the collected tests."""

    def __init__(self, paths: list[Path], jobs: int, longest: float, distances: tuple[int, ...], then: Any) -> None:
        self.paths, self.jobs, self.longest, self._distances, self._then = paths, jobs, longest, distances, then
        self._failed: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        self._make_database(session.items)
        for path in self.paths:
            # A command's modules are else loaded when it is called.
            import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
        self._loaded = swapping.Loaded(self.paths)
        self._touches = Touches(self._items, self._watch, self.jobs)
        self._then(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.append(report.nodeid)

    def outcomes(self, drawn: list[Change]) -> Iterator[tuple[Change, str, bool]]:
        """Yield each change, its outcome and whether it was killed, as they end.

        The tests of the change's module are run first, for all changes; those of its room then, and all others last,
        each for what is alive. So tests far away are watched only where something lives.
        """
        alive = drawn
        for distance in self._distances:
            self._touches.learn(alive, distance)
            drawn, alive = alive, []
            for change, answer in in_forks(drawn, partial(self._try, distance), self.jobs):
                if answer is None:
                    yield change, "a test did not end", True
                elif answer["is_killed"] or distance == self._distances[-1]:
                    yield change, answer["told"], answer["is_killed"]
                else:
                    alive.append(change)

    def _try(self, distance: int, change: Change, directory: Path) -> dict[str, Any]:
        self._own_database(directory)
        try:
            self._put(change, changes.made(change))
        except ValueError as error:
            return {"told": str(error), "is_killed": False}
        tests, ends = self._touches.of(change, distance), time.monotonic() + self.longest
        for done, test in enumerate(tests):
            if time.monotonic() > ends:
                return {"told": f"{HELD}: {done} of {len(tests)} tests that touch it passed", "is_killed": False}
            if not self._passes(test, tests[done + 1 : done + 2]) and self._passes_unchanged(test, change):
                return {"told": test, "is_killed": True}
        touching = sum(len(self._touches.of(change, near)) for near in self._distances)
        return {"told": f"{touching} tests touch it", "is_killed": False}

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
        signal.setitimer(
            signal.ITIMER_REAL, TIMES * self._touches.facts.get(test, {"seconds": 60})["seconds"] + SECONDS
        )
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

    def _watch(self, tests: list[str], directory: Path) -> Facts:
        """Return the facts of the tests that pass unchanged, since only those can notice a change."""
        self._own_database(directory)
        seen, found = swapping.watch(self._loaded, self.paths), Facts()
        for number, test in enumerate(tests):
            seen.clear()
            began = time.monotonic()
            if self._passes(test, tests[number + 1 : number + 2]):
                found[test] = {"seconds": round(time.monotonic() - began, 3), "places": sorted(map(_place, seen))}
        return found


def _place(noted: str) -> str:
    """Return the place of a note of `swapping`, "path:line"."""
    path, _, line = noted.rpartition(":")
    return places(Path(path))[int(line)]


def _needs_no_more_than_a_database(item: pytest.Item) -> bool:
    marker, fixtures = item.get_closest_marker("django_db"), getattr(item, "fixturenames", ())
    return marker is not None and not marker.kwargs and "world" not in fixtures
