"""This module finds code that SQLite never runs, by branches on `connection.vendor`, since the tests run on SQLite."""

import ast
from collections.abc import Iterator
from typing import Any

HERE = "sqlite"
LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def leave_out(tree: ast.Module) -> ast.Module:
    """Mark the tests on the vendor, the branches of other databases, and private functions that only those call."""
    for node in ast.walk(tree):
        for statements in _lists(node):
            _mark(_behind(statements))
        if isinstance(node, ast.If | ast.IfExp) and (vendor := _vendor(node.test)):
            other = node.orelse if vendor == HERE else node.body
            _mark([node.test, *(other if isinstance(other, list) else [other])])
    _mark(_called_from_there_alone(tree))
    return tree


def is_left_out(node: ast.AST) -> bool:
    return getattr(node, "is_left_out", False)


def _mark(nodes: list[Any]) -> None:
    for node in nodes:
        node.is_left_out = True


def _vendor(test: ast.expr) -> str:
    """Return the database whose branch it is: the first one that the test compares `….vendor` with."""
    for node in ast.walk(test):
        match node:
            case ast.Compare(left=ast.Attribute(attr="vendor"), ops=[ast.Eq()], comparators=[ast.Constant(value=name)]):
                return str(name)
    return ""


def _lists(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        if isinstance(found := getattr(node, name, None), list):
            yield found


def _behind(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Return what follows a branch of SQLite's that goes no further."""
    for number, statement in enumerate(statements):
        if isinstance(statement, ast.If) and _vendor(statement.test) == HERE and isinstance(statement.body[-1], LEAVES):
            return statements[number + 1 :]
    return []


def _called_from_there_alone(tree: ast.Module) -> list[ast.stmt]:
    there = _names(tree) - _names(tree, is_there_too=False)
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in there
            and node.name.startswith("_")]  # fmt: skip


def _names(node: ast.AST, *, is_there_too: bool = True) -> set[str]:
    if is_left_out(node) and not is_there_too:
        return set()
    own = {node.id} if isinstance(node, ast.Name) else set()
    return own.union(*(_names(child, is_there_too=is_there_too) for child in ast.iter_child_nodes(node)))
