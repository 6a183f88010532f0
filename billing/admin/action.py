"""An action is what staff may do for a customer: it has a form, a permission, words beforehand, and its work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from billing import subscriptions
from billing.conf import conf
from billing.models import Customer

Given = dict[str, Any]


@dataclass(frozen=True)
class Action:
    """`work` runs under the lane lock, in one transaction with its log entry, and returns in words what was done.

    `at_stripe` runs under the lane lock before it, with no transaction open, and returns the words itself. `preview`
    returns what it would come to, which is shown before it is confirmed.
    """

    name: str
    permission: str
    title: str
    form: type[Any]
    about: Callable[[Customer], list[str]]
    is_possible: Callable[[Customer], bool]
    work: Callable[[Customer, Given], str]
    at_stripe: Callable[[Customer, Given], str] | None = None
    preview: Callable[[Customer, Given], list[str]] | None = None

    def is_allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{conf.app_label}.{self.permission}")


def refresh_quietly(customer: Customer, given: Given) -> str:
    """Read the subscriptions anew after Stripe was asked to change one."""
    subscriptions.refresh_rows(customer)
    return ""


def is_gone(customer: Customer) -> bool:
    """Return whether the customer was deleted, here or at Stripe: nothing more can be asked for them."""
    return customer.deleted_at is not None
