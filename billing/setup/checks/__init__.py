"""System checks report wrong settings at start-up, and say what to set. docs/api.md lists their ids."""

from django.core import checks

from . import add_ons, browsers, databases, names, plans, project, queue, stripe, values
from .problems import Check
from .stripe import check_api_key

__all__ = ["CHECKS", "check_api_key", "register"]

CHECKS: tuple[Check, ...] = tuple(
    check
    for module in (stripe, values, plans, add_ons, queue, project, databases, names, browsers)
    for check in module.CHECKS
)


def register() -> None:
    for check in CHECKS:
        checks.register(check, checks.Tags.database if check.reads_database else "billing")
