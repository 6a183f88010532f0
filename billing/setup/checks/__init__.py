"""System checks report wrong settings at start-up, and say what to set. docs/api.md lists their ids."""

from django.core import checks

from . import plans, project, queue, stripe, values
from .problems import Check
from .stripe import check_api_key

__all__ = ["CHECKS", "check_api_key", "register"]

CHECKS: tuple[Check, ...] = (*stripe.CHECKS, *values.CHECKS, *plans.CHECKS, *queue.CHECKS, *project.CHECKS)


def register() -> None:
    for check in CHECKS:
        checks.register(check, "billing")
