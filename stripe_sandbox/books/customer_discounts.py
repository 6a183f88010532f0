"""A customer's own discount counts if a subscription or an invoice has none, as the SDK says.

Staff give it in Stripe's Dashboard; the pinned version of the API has no parameter for it, and a route that ends it.
"""

from ..events import emit, recorded
from ..store import Object, State
from .reductions import row_of

DELETED = "customer.discount.deleted"


def held(state: State, customer: str | None) -> str | None:
    """Return the id of the discount that a customer has."""
    row = state.find("customer", customer)
    return str(row["discount"]["id"]) if row and row["discount"] else None


def counting(state: State, payer: Object, at: int = 0) -> list[str | Object]:
    """Return the discounts that count for a subscription or an invoice, of those that last beyond an instant."""
    own = list(payer["discounts"]) or [known for known in [held(state, payer["customer"])] if known]
    return [known for known in own if (row_of(state, known)["end"] or at + 1) > at]


def give(state: State, customer: Object, discount: Object) -> None:
    if customer["discount"]:
        end(state, customer["discount"])
    with recorded(state, customer, "customer.updated"):
        customer["discount"] = discount


def end(state: State, discount: Object) -> None:
    """End the discount if it is a customer's own."""
    customer = state.find("customer", discount["customer"])
    if customer is None or held(state, customer["id"]) != discount["id"]:
        return
    with recorded(state, customer, "customer.updated"):
        customer["discount"] = None
    emit(state, DELETED, discount)
