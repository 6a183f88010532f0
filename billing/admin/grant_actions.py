"""Staff give access, and extend or end what was given."""

from typing import Any
from uuid import uuid4

from billing import clock
from billing.access import moment, words
from billing.models import AccountDeletion, Customer, Grant
from billing.subscriptions import grants

from . import staff_forms
from .action import Action
from .cause_words import STAFF as BY_STAFF
from .refused import Refused


def _about_grant(customer: Customer) -> list[str]:
    said = ["This gives a plan or a feature for free, besides what is paid. Nothing changes at Stripe."]
    said += [f"In force already: {words.given(grant)}." for grant in in_force(customer)]
    if customer.holds.active().exists():
        said.append("A hold is in force, so there is no access until the hold is released.")
    return said


def _give(customer: Customer, given: dict[str, Any]) -> str:
    """Give it, but only if nothing was given since the form was shown: of two members of staff, the second sees what
    the first gave."""
    _wait_for_colleagues(customer)
    if staff_forms.newest_grant(customer) != (given["newest"] or None):
        raise Refused
    plan = given["plan"].slug if given["plan"] else ""
    what = {"plan": plan, "feature": given["feature"], "quantity": given["quantity"], "until": given["until"]}
    source = f"{BY_STAFF}{uuid4()}"
    try:
        grant = grants.give(customer.subscriber, **what, source=source, reason=given["reason"])
    except grants.GrantRefused as error:
        raise Refused from error
    return f"Gave {grant.what} {_until(grant)}"


def _extend(customer: Customer, given: dict[str, Any]) -> str:
    grant = _still_open(customer, given["grant"])
    grant = grants.extend(customer.subscriber, grant.source, given["until"])
    return f"Extended {grant.what} {_until(grant)}"


def _end_grant(customer: Customer, given: dict[str, Any]) -> str:
    grant = _still_open(customer, given["grant"])
    if not grants.revoke(customer.subscriber, grant.source):
        raise Refused
    return f"Ended {grant.what}"


def _wait_for_colleagues(customer: Customer) -> None:
    """Let staff who act on what the subscriber was given act one after the other: each customer has a lane of its own,
    and grants are the subscriber's.
    """
    theirs = Customer.objects.filter(subscriber=customer.subscriber_id).order_by("pk")
    list(theirs.select_for_update(no_key=True).values_list("pk"))


def _still_open(customer: Customer, chosen: Grant) -> Grant:
    _wait_for_colleagues(customer)
    grant = next((grant for grant in in_force(customer) if grant.pk == chosen.pk), None)
    if grant is None:
        raise Refused
    return grant


def _until(grant: Grant) -> str:
    return f"until {moment(grant.until)}" if grant.until else "for good"


def _about_extension(customer: Customer) -> list[str]:
    return ["Its end moves to the day that you choose, sooner or later than now. Nothing changes at Stripe."]


def _about_end(customer: Customer) -> list[str]:
    return ["It ends now. What is paid for and what else was given stay."]


def _has_grant(customer: Customer) -> bool:
    return bool(in_force(customer))


def in_force(customer: Customer) -> list[Grant]:
    return [grant for grant in staff_forms.open_grants(customer) if grant.is_in_force(clock.now())]


def _may_be_given(customer: Customer) -> bool:
    subscriber = customer.subscriber_id
    return subscriber is not None and not AccountDeletion.objects.filter(subscriber=subscriber).exists()


GRANT = Action("grant", "grant_customer", "Give access", staff_forms.GrantForm, _about_grant, _may_be_given, _give)
EXTEND_GRANT = Action(
    "extend-grant",
    "grant_customer",
    "Extend what was given",
    staff_forms.ExtendForm,
    _about_extension,
    _has_grant,
    _extend,
)
END_GRANT = Action(
    "end-grant",
    "grant_customer",
    "End what was given",
    staff_forms.EndGrantForm,
    _about_end,
    _has_grant,
    _end_grant,
)
