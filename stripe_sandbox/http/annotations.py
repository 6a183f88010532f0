"""This module resolves the forward references of the SDK's annotations, also those that it imports for type checkers
only."""

import ast
import functools
import importlib
import inspect
import sys
import types
import typing
from typing import Any

UNIONS = (typing.Union, types.UnionType)
NONE = type(None)


def resolve(hint: Any, module: str) -> Any:
    """Resolve an annotation. The local names, though empty, matter: without them a reference keeps its meaning of the
    first module."""
    holder = types.SimpleNamespace(__annotations__={"hint": hint})
    return typing.get_type_hints(holder, names_in(module), {})["hint"]


@functools.cache
def names_in(module: str) -> dict[str, Any]:
    loaded = sys.modules[module]
    names = dict(vars(loaded))
    for node in ast.walk(ast.parse(inspect.getsource(loaded))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stripe"):
            for alias in node.names:
                known = alias.asname or alias.name
                if known not in names:
                    names[known] = getattr(importlib.import_module(node.module), alias.name)
    return names


def is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in UNIONS


def is_literal(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Literal


def is_optional(hint: Any) -> bool:
    return is_union(hint) and NONE in typing.get_args(hint)
