"""This module finds code whose effect nobody can observe, so that no change of it is drawn."""

import ast

from .vendors import is_left_out

UNSEEN_KEYWORDS = frozenset(
    {
        "update_fields",
        "batch_size",
        "chunk_size",
        "extra",
        "exc_info",
        "dispatch_uid",
        "thread_name_prefix",
        "wait_seconds",
    }
)
LOCKS = frozenset({"locked", "select_for_update"})
UNSEEN_FUNCTIONS = frozenset({"__str__", "__repr__"})
WORDS = frozenset({"_", "gettext", "ngettext", "pgettext", "cast"})


def is_unseen(node: ast.AST) -> bool:
    if is_left_out(node):
        return True
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "logger")))):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="list"), args=[rows])):
            return _locks(rows)
        case ast.Call(func=ast.Name(id=name)):
            return name in WORDS
        case ast.keyword(arg=name):
            return name in UNSEEN_KEYWORDS
        case ast.FunctionDef(name=name):
            return name in UNSEEN_FUNCTIONS
    return False


def mark_last(statements: list[ast.stmt]) -> None:
    """Mark a `return` of nothing that ends the function where it ends anyway."""
    match statements[-1:]:
        case [ast.Return(value=None | ast.Constant(value=None)) as last]:
            last.is_left_out = True  # type: ignore[attr-defined]
        case [ast.If(body=body, orelse=orelse)]:
            mark_last(body)
            mark_last(orelse)
        case [ast.With(body=body)]:
            mark_last(body)
        case [ast.Try(body=body, handlers=handlers, orelse=orelse)]:
            for ending in (orelse or body, *(handler.body for handler in handlers)):
                mark_last(ending)


def _locks(rows: ast.expr) -> bool:
    """Return whether rows are read only to be locked, so that nobody uses what was read."""
    return any(isinstance(node, ast.Attribute) and node.attr in LOCKS for node in ast.walk(rows))
