"""The report of every sync says how far price moves are, and names what waits for a person, as the doctor does."""

from billing import lanes, payments, usage
from billing.commands import spelled
from billing.lifecycle import agreements, price_moves
from billing.monitoring import unknown_values
from billing.subscriptions import doubts, holds, mirror_failures

MOST = 10


def sentences(customer: str = "") -> list[str]:
    """Return a sentence for each matter, of one customer or of all, up to the first ten."""
    found = [
        *doubts.lasting(customer),
        *payments.nothing.lasting(customer),
        *holds.lasting(customer),
        *lanes.standing_writes.lasting(customer),
        *usage.reporting.lasting(customer),
        *(text for text, _ in agreements.lasting(customer)),
        *price_moves.lasting(customer),
    ]
    if not customer:
        found += mirror_failures.lasting()
        found += [" ".join(alert.text.split()) for alert in unknown_values.recent()]
    return [spelled(sentence) for sentence in found[:MOST]]
