"""A pending change of plan is read from the subscription as Stripe sends it, whoever asked for the change."""

from dataclasses import dataclass
from typing import Any

from billing import catalogue
from billing.clock import from_timestamp
from billing.models import Price, Subscription
from billing.stripe_client import id_of, readers

Kind = Subscription.Pending


@dataclass(frozen=True)
class PendingChange:
    """A pending change happens `at` (UTC seconds), or lapses then unless it is paid at `url`.

    `price` is None if it belongs to no plan of ours.
    """

    kind: Kind
    price: Price | None
    at: int
    url: str = ""


def pending_change_of(found: dict[str, Any]) -> PendingChange | None:
    """Return the pending change, or None, of a subscription with its schedule and latest invoice expanded."""
    return _awaiting_payment(found) or _scheduled(found)


def pending_columns(found: dict[str, Any]) -> dict[str, Any]:
    """Return the `pending_…` columns; none if the schedule was not expanded, so that what we know stays."""
    if isinstance(found.get("schedule"), str):
        return {}
    change = pending_change_of(found)
    return {
        "pending_kind": change.kind if change else "",
        "pending_price": change.price if change else None,
        "pending_at": from_timestamp(change.at) if change else None,
        "pending_url": change.url if change else "",
    }


def _awaiting_payment(found: dict[str, Any]) -> PendingChange | None:
    """Return the change that waits for its invoice, which is the latest (`pending_if_incomplete`)."""
    update, invoice = found.get("pending_update"), found["latest_invoice"]
    if not update:
        return None
    url = (invoice.get("hosted_invoice_url") or "") if isinstance(invoice, dict) else ""
    return PendingChange(Kind.UPDATE, _price(update["subscription_items"] or []), update["expires_at"], url)


def _scheduled(found: dict[str, Any]) -> PendingChange | None:
    """Return the change of the first phase ahead that bills something else than now."""
    schedule = found.get("schedule")
    if not isinstance(schedule, dict) or schedule["status"] != "active" or not schedule["current_phase"]:
        return None
    now = _billed(found["items"]["data"])
    for phase in schedule["phases"]:
        if phase["start_date"] >= schedule["current_phase"]["end_date"] and _billed(phase["items"]) != now:
            known = Price.objects.filter(pk__in=[id_of(item["price"]) for item in phase["items"]])
            price = known.select_related("plan").order_by("-plan__rank").first()
            return PendingChange(Kind.SCHEDULED, price, phase["start_date"])
    return None


def _billed(items: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return sorted((id_of(item["price"]), readers.quantity_of(item)) for item in items)


def _price(items: list[dict[str, Any]]) -> Price | None:
    try:
        return catalogue.plan_item(items)[1]
    except catalogue.UnmappedPrice:
        return None
