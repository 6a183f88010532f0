"""This module exchanges the code of loaded functions in place, so that callers that imported them run the new code."""

import ast
import builtins
import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType

from . import ROOT
from .changes import source

# What the code of `watched` adds to: "path:line" of each statement that was run.
SEEN = "__statements_seen__"
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

Key = tuple[str, str, int]


class Loaded:
    """This holds the functions of some files, as they are in memory."""

    def __init__(self, paths: Iterable[Path]) -> None:
        names = {str(ROOT / path) for path in paths}
        self._functions: dict[Key, list[FunctionType]] = defaultdict(list)
        for thing in gc.get_objects():
            if type(thing) is FunctionType and thing.__code__.co_filename in names:
                self._functions[_key(thing.__code__)].append(thing)

    def exchange(self, path: Path, tree: ast.Module) -> None:
        """Exchange the code. Raises ValueError if a loaded function would get another number of outer variables."""
        for code in _codes(compile(tree, str(ROOT / path), "exec", dont_inherit=True)):
            for function in self._functions[_key(code)]:
                if function.__code__ != code:
                    function.__code__ = code


def watch(loaded: Loaded, paths: Iterable[Path]) -> set[str]:
    """Record each statement in a function as it runs; return the set that the records go into."""
    seen: set[str] = set()
    setattr(builtins, SEEN, seen)
    for path in paths:
        loaded.exchange(path, _watched(path))
    return seen


def _key(code: CodeType) -> Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _watched(path: Path) -> ast.Module:
    tree = ast.parse(source(path))
    for function in [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]:
        # An inner function is met again in its outer one's walk: only its own list of statements is new then.
        for node in [function, *_blocks(function)]:
            for field in ("body", "orelse", "finalbody"):
                statements = getattr(node, field, None)
                if isinstance(statements, list) and not any(map(_is_note, statements)):
                    setattr(node, field, list(_noted(path, statements)))
    return ast.fix_missing_locations(tree)


def _blocks(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.AST]:
    kinds = (
        ast.If,
        ast.For,
        ast.AsyncFor,
        ast.While,
        ast.With,
        ast.AsyncWith,
        ast.Try,
        ast.ExceptHandler,
        ast.match_case,
    )
    return [node for node in ast.walk(function) if isinstance(node, kinds)]


def _is_note(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and SEEN in ast.dump(statement)


def _noted(path: Path, statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not is_docstring and not isinstance(statement, ast.Global | ast.Nonlocal):
            note = ast.parse(f"{SEEN}.add({f'{path}:{statement.lineno}'!r})").body[0]
            for node in ast.walk(note):
                ast.copy_location(node, statement)
            yield note
        yield statement
