"""This module finds out which tests run which statements of the core, a file of tests at a time, and keeps it.

What is kept outlives edits of the core: a statement is known by its function and its words, not by its line. Where a
module was edited since, a statement that no test ran is counted as new: the tests of its function touch it then, or
those of anything in its file.
"""

import ast
import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from . import ROOT, sources
from .changes import Change, source, told
from .forks import in_forks

CACHE = ROOT / "tmp" / "mutants"
QUICK = 0.5
# Tests of the module itself, of its room, and of everything else.
DISTANCES = (0, 1, 2)
NEAR = (0, 1)
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

# Test → its facts: "seconds", and the "places" that it runs.
Facts = dict[str, dict[str, Any]]


class Touches:
    """This tells which tests touch a change, of those files of tests that were watched."""

    def __init__(self, tests: Iterable[str], watch: Callable[[list[str], Path], Facts], jobs: int) -> None:
        self.facts: Facts = {}
        self._watch, self._jobs = watch, jobs
        self._files: dict[str, list[str]] = defaultdict(list)
        for test in tests:
            self._files[test.split("::")[0]].append(test)
        self._known: set[str] = set()

    def learn(self, drawn: Iterable[Change], distance: int) -> None:
        """Watch the files of tests that are so far from one of the changes, unless what they touch is kept."""
        modules = {Path(change.path) for change in drawn}
        wanted = {file for file in self._files for module in modules if distance_of(file, module) == distance}
        kept = {file: CACHE / f"{_digest(Path(file))}.json" for file in sorted(wanted - self._known)}
        missing = [file for file, place in kept.items() if not place.exists()]
        CACHE.mkdir(parents=True, exist_ok=True)
        for file, found in in_forks(missing, lambda file, place: self._watch(self._files[file], place), self._jobs):
            print(f"touched: {file}", flush=True)
            if found is not None:
                kept[file].write_text(json.dumps({"facts": found, "core": _digests()}))
        for file, place in kept.items():
            with suppress(FileNotFoundError):
                self._take(json.loads(place.read_text()), set(self._files[file]))
            self._known.add(file)

    def _take(self, kept: dict[str, Any], asked: set[str]) -> None:
        edited = {path for path, digest in _digests().items() if kept["core"].get(path) != digest}
        for test, facts in kept["facts"].items():
            if test in asked:
                self.facts[test] = {**facts, "places": set(facts["places"]), "wider": _wider(facts["places"], edited)}

    def of(self, change: Change, distance: int) -> list[str]:
        """Return the tests so far from the change that run its statement; quick ones first, the files by turns."""
        turns, order = Counter[str](), {}
        for test in sorted(self._running(change), key=lambda test: float(self.facts[test]["seconds"])):
            file = test.split("::")[0]
            turns[file] += 1
            if distance_of(file, Path(change.path)) == distance:
                order[test] = (self.facts[test]["seconds"] > QUICK, turns[file])
        return sorted(order, key=lambda test: order[test])

    def _running(self, change: Change) -> list[str]:
        place = places(Path(change.path)).get(change.line, change.path)
        for known in (place, _function(place), change.path):
            if found := [test for test, facts in self.facts.items() if known in facts["places"] | facts["wider"]]:
                return found
        return []


def _wider(places: Iterable[str], edited: set[str]) -> set[str]:
    """Return the functions and files of the places, where they are of a file that was edited since."""
    functions = {_function(place) for place in places if place.split("|")[0] in edited}
    return functions | {function.split("|")[0] for function in functions}


@cache
def _digests() -> dict[str, str]:
    return {str(path): hashlib.sha256(source(path).encode()).hexdigest()[:16] for path in sources()}


def _function(place: str) -> str:
    return "|".join(place.split("|", 2)[:2])


@cache
def places(path: Path) -> dict[int, str]:
    """Return each line where a statement begins, with its place: "path|function|the statement's words"."""
    return {line: f"{path}|{name}" for line, name in _named(ast.parse(source(path)), "")}


def _named(node: ast.AST, function: str) -> Iterator[tuple[int, str]]:
    for child in ast.iter_child_nodes(node):
        inside = f"{function}.{child.name}" if isinstance(child, (*FUNCTION, ast.ClassDef)) else function
        if isinstance(child, ast.stmt):
            yield child.lineno, f"{function}|{told(child)}"
        yield from _named(child, inside)


def distance_of(test: str, module: Path) -> int:
    """Return 0 for a file of the module's own tests, 1 for one in the folder of its room, 2 for others.

    Its own have the module's name, or begin with it; those of a package such as `lifecycle/price_moves` have the
    package's, in their own name or in their folder's, since they test its modules together.
    """
    file = Path(test)
    packages = [name.removesuffix("s") for name in module.parts[2:-1]]
    if file.stem == f"test_{module.stem}" or file.name.startswith(f"test_{module.stem}_"):
        return 0
    if any(name.removeprefix("test_").startswith(each) for each in packages for name in (file.name, file.parent.name)):
        return 0
    room = module.parts[1] if len(module.parts) > 2 else "tests"  # `notifications` has no rooms
    return 1 if f"{module.parts[0]}/tests" in test and room in file.parent.parts else 2


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with suppress(FileNotFoundError):
        digest.update(os.path.relpath(path, ROOT).encode() + (ROOT / path).read_bytes())
    return digest.hexdigest()[:16]
