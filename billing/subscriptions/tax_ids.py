"""The tax ids of a customer at Stripe become our rows here, and staff are told of one that no registry knows."""

from typing import Any

from billing.clock import from_timestamp
from billing.models import AccountDeletion, Customer, TaxId
from billing.monitoring import alerts, unknown_values
from billing.stripe_client import fetch

Found = dict[str, Any]
Status = TaxId.Status
TODO = (
    "Ask the customer for the right one. Then choose 'Remove a tax ID' on the customer's page in the admin, or 'Accept "
    "a tax ID' if it is right all the same: Stripe may leave out the tax because of it."
)


def refresh_tax_ids(customer: Customer, *, is_news: bool = True) -> None:
    """Save the customer's tax ids as Stripe has them now; alert staff to one that has turned out unverified. Call it
    holding the lane. Of one that was there before us, `is_news` False, only the doctor and the admin tell.
    """
    if customer.deleted_at or AccountDeletion.objects.filter(customer=customer).exists():
        return
    known = {row.pk: row for row in TaxId.objects.filter(customer=customer)}
    found = fetch.tax_ids(customer.pk)
    TaxId.objects.filter(customer=customer).exclude(pk__in=[each["id"] for each in found]).delete()
    for each in found:
        before = known.get(each["id"])
        row = _save(customer, each, before)
        has_turned = before.status != Status.UNVERIFIED if before else is_news
        if row.status == Status.UNVERIFIED and has_turned:
            _alert(row)


def doubtful(customer: str = "") -> list[TaxId]:
    """Return the tax ids, of one customer or of all, that wait for staff."""
    rows = TaxId.objects.doubtful().order_by("created_at", "pk")
    return list(rows.filter(customer=customer) if customer else rows)


def sentence_of(row: TaxId) -> str:
    return f"The tax ID {row.pk} ({row.type}) of the customer {row.customer_id} is not known to its registry. {TODO}"


def status_of(found: Found) -> str:
    """Return what Stripe says of a tax id; of a kind that nobody verifies it says nothing."""
    return str((found.get("verification") or {}).get("status") or Status.UNAVAILABLE)


def _save(customer: Customer, found: Found, before: TaxId | None) -> TaxId:
    """Save one. A status that we do not know leaves the one before; staff judge a changed one anew."""
    told = status_of(found)
    if not unknown_values.is_known("tax_id.verification.status", told, Status.values, found["id"]):
        told = before.status if before else Status.UNAVAILABLE
    is_same = before is not None and before.status == told
    columns = {
        "customer": customer,
        "type": found["type"],
        "value": found["value"],
        "country": found.get("country") or "",
        "status": told,
        "created_at": from_timestamp(found["created"]),
        "accepted_at": before.accepted_at if before and is_same else None,
    }
    return TaxId.objects.update_or_create(pk=found["id"], defaults=columns)[0]


def _alert(row: TaxId) -> None:
    alerts.alert_staff(f"tax_id_unverified:{row.pk}"[:100], f"The tax ID {row.pk} is not verified", sentence_of(row))
