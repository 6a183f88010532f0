"""This module lists every single change to a module's functions: each replaces one node of its syntax tree.

It leaves out by rule what nobody can observe: words for people (logs, texts, `__str__`), annotations, what only costs
time or is seen only in a race (`update_fields`, sizes of batches, how long a lane is waited for, a statement that only
locks rows), and a `return` behind which nothing follows. So is what only another database than the tests' runs: see
`vendors`.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from . import ROOT
from .unseen import UNSEEN_KEYWORDS, is_unseen, mark_last
from .vendors import leave_out

BOUNDS: dict[type, Any] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
OPPOSITES: dict[type, Any] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
LINKS = frozenset({"filter", "exclude", "order_by"})
TESTED = (ast.If, ast.While, ast.IfExp)
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

Setter = Callable[[Any, Any], None]


@dataclass(frozen=True)
class Change:
    """This is the `number`-th change of the file at `path`; `line` is where its statement begins."""

    path: str
    number: int
    line: int
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}\n    - {self.was}\n    + {self.now}"


@dataclass(frozen=True)
class _Site:
    statement: ast.stmt
    put: Callable[[ast.AST], None]
    old: ast.AST
    new: ast.AST


def all_of(path: Path) -> list[Change]:
    """Return the changes of the file at `path`, each described by a line removed and a line added."""
    sites = list(_sites(_parsed(path)))
    found = [_change(path, number, site) for number, site in enumerate(sites)]
    return [change for change in found if change.was != change.now]


def made(change: Change) -> ast.Module:
    """Return the file's syntax tree with the change in it."""
    tree = _parsed(Path(change.path))
    site = list(_sites(tree))[change.number]
    site.put(site.new)
    return ast.fix_missing_locations(tree)


def unchanged(change: Change) -> ast.Module:
    """Return the file's syntax tree as it is."""
    return _parsed(Path(change.path))


def _parsed(path: Path) -> ast.Module:
    return leave_out(ast.parse(source(path)))


@cache
def source(path: Path) -> str:
    """Read the file once, so that an edit during a run counts only for the next."""
    return (ROOT / path).read_text()


def _change(path: Path, number: int, site: _Site) -> Change:
    was = told(site.statement)
    site.put(site.new)
    now = told(site.new if site.old is site.statement else site.statement)
    site.put(site.old)
    return Change(str(path), number, site.statement.lineno, was, now)


def told(statement: ast.AST) -> str:
    """Return a statement in one line, without its body if it has one."""
    if isinstance(getattr(statement, "body", None), list):
        statement = copy.copy(statement)
        statement.__dict__.update(body=[ast.Pass()], **({"orelse": []} if hasattr(statement, "orelse") else {}))
        statement.__dict__.update({"finalbody": []} if hasattr(statement, "finalbody") else {})
    return " ".join(ast.unparse(ast.fix_missing_locations(statement)).split()).removesuffix(" pass")


def _sites(tree: ast.AST) -> Iterator[_Site]:
    """Yield the places inside functions; code outside them runs before a change is made."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, FUNCTION):
            yield from _in_function(node)
        elif isinstance(node, ast.ClassDef):
            yield from _sites(node)


def _in_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[_Site]:
    if not is_unseen(function):
        mark_last(function.body)
        for number, statement in enumerate(function.body):
            yield from _below(statement, function, function.body.__setitem__, number, statement)


def _below(node: ast.AST, parent: ast.AST, setter: Setter, key: Any, statement: ast.stmt) -> Iterator[_Site]:
    """Yield the changes of `node`, which `parent` has at `key`, then those inside it."""
    if is_unseen(node):
        return
    statement = node if isinstance(node, ast.stmt) else statement
    for new in _alternatives(node, parent, key):
        yield _Site(statement, partial(setter, key), node, _placed(new, node))
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "args"} and isinstance(node, (*FUNCTION, ast.AnnAssign)):
            continue
        if isinstance(value, list):
            for number, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _below(child, node, value.__setitem__, number, statement)
        elif isinstance(value, ast.AST):
            yield from _below(value, node, partial(setattr, node), name, statement)


def _placed(new: ast.AST, old: ast.AST) -> ast.AST:
    return ast.copy_location(new, old) if hasattr(old, "lineno") else new


def _alternatives(node: ast.AST, parent: ast.AST, key: object) -> Iterator[ast.AST]:
    if (key == "test" and isinstance(parent, TESTED)) or (isinstance(parent, ast.comprehension) and key != "iter"):
        if isinstance(node, ast.expr) and key != "target" and not _turns_by_its_sign(node):
            yield _negated(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    if isinstance(node, ast.stmt):
        yield from _of_statement(node)
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node, parent)
    else:
        yield from _of_expression(node)


def _turns_by_its_sign(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and type(test.ops[0]) in OPPOSITES


def _negated(test: ast.expr) -> ast.expr:
    return test.operand if isinstance(test, ast.UnaryOp) else ast.UnaryOp(ast.Not(), test)


def _of_statement(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.Return(value=None) | ast.Return(value=ast.Constant(value=None)):
            yield ast.Pass()
        case ast.Return():
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"))))):
            yield ast.Expr(ast.Name("__class__", ast.Load()))  # code that lost its `super()` could not be exchanged
        case ast.Raise() | ast.Continue() | ast.Break() | ast.AugAssign() | ast.Delete() | ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.With(items=items):
            yield from (_without_item(node, number) for number, item in enumerate(items) if not item.optional_vars)


def _without_item(node: ast.With, number: int) -> ast.stmt:
    left = node.items[:number] + node.items[number + 1 :]
    return ast.With(left, node.body) if left else ast.If(ast.Constant(True), node.body, [])


def _of_constant(node: ast.Constant, parent: ast.AST) -> Iterator[ast.Constant]:
    match node.value:
        case bool(value):
            yield ast.Constant(not value)
        case int(value) | float(value):
            yield ast.Constant(value + 1)
        case str(value) if " " not in value and isinstance(parent, ast.Return | ast.keyword | ast.Compare):
            yield ast.Constant(f"{value}x" if value else "x")


def _of_expression(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for number in range(len(ops)):
                yield from _with_op(node, number)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(OPPOSITES[type(op)](), values)
            yield from (_without_value(node, number) for number in range(len(values)))
        case ast.BinOp(op=op, left=left, right=right) if not any(map(_is_text, (left, right))):
            if type(op) in OPPOSITES:
                yield ast.BinOp(left, OPPOSITES[type(op)](), right)
        case ast.Call():
            yield from _of_call(node)
        case ast.Name(id=name) if name in NAMES:
            yield ast.Name(NAMES[name], ast.Load())


def _with_op(node: ast.Compare, number: int) -> Iterator[ast.expr]:
    """Return the comparison with its bound moved, or its sign turned."""
    other = {**BOUNDS, **OPPOSITES}.get(type(node.ops[number]))
    if other:
        yield ast.Compare(node.left, [*node.ops[:number], other(), *node.ops[number + 1 :]], node.comparators)


def _without_value(node: ast.BoolOp, number: int) -> ast.expr:
    left = node.values[:number] + node.values[number + 1 :]
    return left[0] if len(left) == 1 else ast.BoolOp(node.op, left)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr | ast.List | ast.Tuple) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _of_call(node: ast.Call) -> Iterator[ast.AST]:
    """Yield the call with a keyword or a condition less, or without one link of a queryset's chain."""
    for number, keyword in enumerate(node.keywords):
        if keyword.arg and keyword.arg not in UNSEEN_KEYWORDS:
            yield ast.Call(node.func, node.args, node.keywords[:number] + node.keywords[number + 1 :])
    match node.func:
        case ast.Attribute(value=chain, attr=name) if name in LINKS and isinstance(chain, ast.Call | ast.Name):
            yield chain
