"""A grant gives a plan or a feature without a subscription. Call these in the subscriber's lane (`lanes.lane_of`)."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from billing import cause, clock, signals
from billing.conf import conf
from billing.models import AccountDeletion, Customer, Grant, Plan, PlanLimit, all_subscribers

from .announcing import announce_access_of

MOST_QUANTITY = 2_147_483_647
LONGEST_SOURCE = 255


class GrantRefused(ValueError):
    """Nothing was given or changed; the message says why."""


def give(
    subscriber: Any,
    *,
    plan: str = "",
    feature: str = "",
    quantity: int | None = None,
    until: datetime | None = None,
    source: str,
    reason: str = "",
) -> Grant:
    """Give a plan or a feature as `billing.grants.grant` says. Raises `GrantRefused`."""
    _check_shape(plan, feature, quantity, until, source)
    if known := Grant.objects.filter(subscriber=subscriber, source=source).select_related("plan").first():
        return _same(known, plan, feature, quantity)
    _refuse_past(until)
    if AccountDeletion.objects.filter(subscriber=subscriber).exists():
        raise GrantRefused("The account is being deleted.")
    what = {"plan": _plan(plan), "feature": _feature(feature), "quantity": quantity}
    made = {"until": until, "reason": reason, "granted_at": clock.now(), "cause": cause.current()}
    grant, is_new = Grant.objects.get_or_create(subscriber=subscriber, source=source, defaults={**what, **made})
    if not is_new:
        return _same(grant, plan, feature, quantity)
    _send(signals.grant_given, grant)
    announce_access_of(subscriber)
    return grant


def extend(subscriber: Any, source: str, until: datetime | None) -> Grant:
    """Let the grant of a source end at another moment ahead, or never (None). Raises `GrantRefused`."""
    _check_until(until)
    _refuse_past(until)
    grant = Grant.objects.open().filter(subscriber=subscriber, source=source).select_related("plan").first()
    if grant is None or not grant.is_in_force(clock.now()):
        raise GrantRefused(f"Nothing that {source!r} gave is in force.")
    if not Grant.objects.open().filter(pk=grant.pk).update(until=until):
        raise GrantRefused(f"What {source!r} gave has just ended and is no longer in force.")
    grant.until = until
    return grant


def revoke(subscriber: Any, source: str) -> bool:
    """End the grant of a source now; return whether there was an open one."""
    return _end(subscriber, list(Grant.objects.open().filter(subscriber=subscriber, source=source)))


def end_all(subscriber: Any) -> None:
    """End all that the subscriber was given, since the account is deleted. The words of staff go with it."""
    _end(subscriber, list(Grant.objects.open().filter(subscriber=subscriber)))
    Grant.objects.filter(subscriber=subscriber).update(reason="")


def end_lapsed(subscriber: Any) -> None:
    """End the grants of a subscriber that have run out, unless they were extended meanwhile."""
    _end(subscriber, list(Grant.objects.open().filter(subscriber=subscriber, until__lte=clock.now())))


def subscribers_past_grant() -> list[Any]:
    """Return the subscribers who have a grant that has run out but is not ended yet."""
    lapsed = Grant.objects.open().filter(until__lte=clock.now())
    return list(all_subscribers().filter(pk__in=lapsed.values("subscriber")))


def _end(subscriber: Any, grants: list[Grant]) -> bool:
    """End those that are still open, and return whether any was: two lanes of a subscriber may write for a moment."""
    now, has_ended = clock.now(), False
    for grant in grants:
        grant.ended_at, grant.ended_by = min(grant.until or now, now), cause.current()
        still_open = Grant.objects.open().filter(pk=grant.pk)
        if still_open.update(ended_at=grant.ended_at, ended_by=grant.ended_by):
            has_ended = True
            _send(signals.grant_ended, grant)
    if has_ended:
        announce_access_of(subscriber)
    return has_ended


def _send(signal: Any, grant: Grant) -> None:
    customer = Customer.objects.of(grant.subscriber)
    subscription = customer.subscription if customer else None
    signal.send(sender=Grant, subscription=subscription, subscriber=grant.subscriber, grant=grant)


def _same(known: Grant, plan: str, feature: str, quantity: int | None) -> Grant:
    """Return the grant of the first call. When it ends is not compared: who repeats a call may count from now."""
    slug = known.plan.slug if known.plan else ""
    if (slug, known.feature, known.quantity) != (plan, feature, quantity):
        raise GrantRefused(f"The source {known.source!r} gave {known.what} before. Use another source.")
    return known


def _check_shape(plan: str, feature: str, quantity: int | None, until: datetime | None, source: str) -> None:
    if not source or len(source) > LONGEST_SOURCE:
        raise GrantRefused("Name the source, in 1 to 255 characters.")
    if bool(plan) == bool(feature):
        raise GrantRefused("Give either a plan or a feature.")
    if quantity is not None and (plan or not 1 <= quantity <= MOST_QUANTITY):
        raise GrantRefused("A quantity is of a feature, and at least 1.")
    _check_until(until)


def _check_until(until: datetime | None) -> None:
    if until is not None and timezone.is_naive(until):
        raise GrantRefused("The end needs a time zone.")


def _refuse_past(until: datetime | None) -> None:
    if until is not None and until <= clock.now():
        raise GrantRefused(f"The end, {until.isoformat()}, is past.")


def _plan(slug: str) -> Plan | None:
    if not slug:
        return None
    plan = Plan.objects.filter(slug=slug).first()
    if plan is None:
        raise GrantRefused(f"There is no plan {slug!r}.")
    if slug == conf.free_plan:
        raise GrantRefused(f"Everybody has the plan {slug!r} already.")
    return plan


def _feature(name: str) -> str:
    if name and not PlanLimit.objects.filter(feature=name).exists():
        raise GrantRefused(f"No plan has the feature {name!r}.")
    return name
