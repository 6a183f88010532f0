"""Nobody is there to confirm a charge off session: if the card asks for 3D Secure, the charge is declined."""

from ..books import charging
from ..store import Object, State


def needs_customer(state: State, method: str) -> bool:
    return charging.needs_authentication(state, method, on_session=False)


def refuse(state: State, intent: Object, method: str) -> str:
    """Answer 402 `authentication_required`: the intent waits for the customer to confirm it with this card again."""
    return charging.decline(state, intent, method, "authentication_required")
