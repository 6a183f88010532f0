"""Staff give access without payment until a moment (a comp), and may end it early. Call these holding the lane."""

from datetime import datetime

from billing import cause, clock
from billing.models import Comp, Customer, Plan

from .announcing import announce_access


def grant(customer: Customer, plan: Plan, until: datetime, reason: str) -> Comp:
    """Give access to a plan until a moment; an open comp is replaced."""
    _close(customer)
    comp = Comp.objects.create(
        customer=customer, plan=plan, until=until, reason=reason, granted_at=clock.now(), cause=cause.current()
    )
    announce_access(customer.pk, has_changed=True)
    return comp


def end(customer: Customer) -> None:
    _close(customer)
    announce_access(customer.pk, has_changed=True)


def customers_past_comp() -> list[str]:
    """Return the ids of customers whose comp has run out but is not closed yet."""
    return list(Comp.objects.open().filter(until__lte=clock.now()).values_list("customer_id", flat=True))


def end_lapsed(customer_id: str) -> None:
    """End a comp that has run out, unless another has taken its place meanwhile."""
    customer = Customer.objects.get(pk=customer_id)
    if customer.comps.open().filter(until__lte=clock.now()).exists():
        end(customer)


def _close(customer: Customer) -> None:
    now = clock.now()
    for comp in customer.comps.open():
        comp.ended_at, comp.ended_by = min(comp.until, now), cause.current()
        comp.save(update_fields=["ended_at", "ended_by"])
