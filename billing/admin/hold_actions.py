"""Staff place a hold and release it."""

from typing import Any
from uuid import uuid4

from billing.models import Customer, Hold
from billing.subscriptions import holds

from . import staff_forms
from .action import Action, is_gone
from .refused import Refused

ACCESS_IS_BACK = "Access comes back at once, if it is paid for or was given."
RELEASING: dict[str, str] = {
    Hold.Kind.DISPUTE: "A payment is disputed: the subscriber may get both the access and the money. The dispute "
    "continues, and its later events do not place this hold again.",
    Hold.Kind.REFUND: "The current period was refunded in full. If you release the hold, nobody pays for the access.",
    Hold.Kind.FRAUD: "A payment was reported as fraud. Make sure that you know who you are talking to.",
}


def _about_hold(customer: Customer) -> list[str]:
    return [
        "Access ends at once, even if it is paid for, until somebody releases the hold.",
        "The subscription continues, and Stripe keeps charging. Cancel or refund it at Stripe if it should not.",
    ]


def _place_hold(customer: Customer, given: dict[str, Any]) -> str:
    holds.place(customer, Hold.Kind.STAFF, str(uuid4()), given["reason"])
    return "Placed a hold"


def _has_no_staff_hold(customer: Customer) -> bool:
    return not is_gone(customer) and not customer.holds.active().filter(kind=Hold.Kind.STAFF).exists()


def _about_release(customer: Customer) -> list[str]:
    kinds = list(customer.holds.active().order_by("placed_at").values_list("kind", flat=True))
    beside = ["The other holds stay in force."] if len(kinds) > 1 else []
    return [ACCESS_IS_BACK, *(RELEASING[kind] for kind in dict.fromkeys(kinds) if kind in RELEASING), *beside]


def _release_hold(customer: Customer, given: dict[str, Any]) -> str:
    hold: Hold = given["hold"]
    if not holds.release(customer, Hold.Kind(hold.kind), hold.reference):
        raise Refused
    return f"Released the {hold.get_kind_display().lower()} hold"


def _has_hold(customer: Customer) -> bool:
    is_theirs = customer.subscriber_id is not None or not is_gone(customer)
    return is_theirs and customer.holds.active().exists()


HOLD = Action(
    "hold", "hold_customer", "Place a hold", staff_forms.ReasonForm, _about_hold, _has_no_staff_hold, _place_hold
)
RELEASE = Action(
    "release",
    "release_customer",
    "Release a hold",
    staff_forms.ReleaseForm,
    _about_release,
    _has_hold,
    _release_hold,
)
