"""The report of every sync names what waits for a person, as the doctor and the admin do."""

from billing import lanes, payments, usage
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
    ]
    if not customer:
        found += mirror_failures.lasting()
        found += [" ".join(alert.text.split()) for alert in unknown_values.recent()]
    return found[:MOST]
