"""The migration that makes the subscriber model is found, since our tables refer to its table.

Django assumes that a swappable model is made in its app's first migration. An organisation's may be made in a later one.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation


def made_in(model: str) -> tuple[str, str]:
    """Return the dependency on the migration that makes "app_label.Model"; its app's first one if none is found."""
    app_label, name = model.lower().split(".")
    found = (migration for migration, operations in _migrations(app_label) if _makes(operations, name))
    return app_label, next(found, "__first__")


def _migrations(app_label: str) -> Iterator[tuple[str, list[Operation]]]:
    module, _ = MigrationLoader.migrations_module(app_label)
    if module is None:
        return
    try:
        package = import_module(module)
    except ImportError:
        return
    for _, name, is_package in iter_modules(package.__path__):
        if not is_package and name[0] not in "_~":
            migration: Any = getattr(import_module(f"{module}.{name}"), "Migration", None)
            yield name, list(getattr(migration, "operations", []))


def _makes(operations: Sequence[Operation], name: str) -> bool:
    """Return whether the model has this name after the operations and had not before."""
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState) and _makes(operation.state_operations, name):
            return True
        if isinstance(operation, migrations.CreateModel) and operation.name_lower == name:
            return True
        if isinstance(operation, migrations.RenameModel) and operation.new_name_lower == name:
            return True
    return False
