"""System checks: what is set wrong is named at start-up, with what to set. Their ids are listed in docs/api.md."""

from django.core import checks

from . import plans, project, stripe, values
from .findings import Check
from .stripe import check_api_key

__all__ = ["CHECKS", "check_api_key", "register"]

CHECKS: tuple[Check, ...] = (*stripe.CHECKS, *values.CHECKS, *plans.CHECKS, *project.CHECKS)


def register() -> None:
    for check in CHECKS:
        checks.register(check, "billing")
