"""The find box suggests customers while a member of staff types; without JavaScript it is a search like any other."""

from django.db.models import Q

from billing.models import Customer

from . import people

SHORTEST, MOST, LONGEST = 2, 8, 100


def found(asked: str) -> list[dict[str, str]]:
    """Return the first customers whose address begins so: what to find them by, and what they are."""
    begins = asked.replace("\0", "").strip()[:LONGEST]
    if len(begins) < SHORTEST:
        return []
    paths = ("email", *people.email_paths())
    matching = Q(*((f"{path}__istartswith", begins) for path in paths), _connector=Q.OR)
    rows = Customer.objects.filter(matching, is_current=True).select_related("subscriber").order_by("email", "pk")
    return [_told(row) for row in rows.prefetch_related("subscriptions__plan")[:MOST]]


def _told(row: Customer) -> dict[str, str]:
    held = [each for each in row.subscriptions.all() if each.counts]
    states = ", ".join(f"{each.plan or 'no plan'} {each.status.replace('_', ' ')}" for each in held)
    name = people.name_of(row)
    return {"value": row.email or name, "label": f"{name}: {states or 'never bought'}"}
