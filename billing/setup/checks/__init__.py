"""System checks: what is set wrong is named at start-up, with what to set. Their ids are listed in docs/api.md."""

from django.core import checks

from . import plans, project, stripe, values
from .findings import Check

CHECKS: tuple[Check, ...] = (*stripe.CHECKS, *values.CHECKS, *plans.CHECKS, *project.CHECKS)


def register() -> None:
    for check in CHECKS:
        checks.register(check, "billing")
