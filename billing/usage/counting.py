"""Use is counted here, all or none of it, exactly even in parallel: of the month's limit first, then of credits, then
beyond both where that is paid by use.

What fits in the limit is one conditional UPDATE of the month's counter, by what was decided before if that still holds
(`kept`); what lies beyond limit and credits is another. Otherwise the counter is locked, so that those who spend the
same credits wait for each other. A use with a key is a row that is inserted first: a second caller waits for it, and
gets the answer of the first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction
from django.db.models import F, Subquery, Sum
from django.utils.translation import gettext as _

from billing import clock
from billing.models import Credit, KeyedUse, Usage

from . import crediting, kept, overage, reporting, rollover
from .allowances import Allowance, allowance
from .quotas import KeyReused, NoAccess, Quota, QuotaExceeded, ReservationOver, SpendCapReached, UnknownKey

State = KeyedUse.State

LONGEST_KEY = 255
RESERVED_FOR = timedelta(minutes=15)
AT_ONCE = 500
TOLD = ("used", "limit", "credits", "overage")


def consume(subscriber: Any, feature: str, quantity: int = 1, key: str = "") -> Quota:
    """Count `quantity` uses of `feature`, all or none, and return how use stands then.

    With a `key`, up to 255 characters of the caller's choice, it counts once: the same call again returns the same
    quota. Raises `NoAccess`, `QuotaExceeded`, `KeyReused` if the key counted another quantity or was released;
    ValueError for a quantity below one or a key that is too long.
    """
    if not key:
        _check(quantity)
        if (counted := kept.count(subscriber, feature, quantity)) is not None:
            return counted.quota
        with transaction.atomic():
            return _decide_and_take(subscriber, feature, quantity).quota
    return _with_key(subscriber, feature, quantity, key, State.COUNTED, None)


def reserve(subscriber: Any, feature: str, quantity: int, *, key: str, lasting: timedelta = RESERVED_FOR) -> Quota:
    """Hold `quantity` uses for work whose size is known at its end; then `commit` what was used, or `release` all.

    What is not settled after `lasting` is given back. Raises as `consume` does.
    """
    return _with_key(subscriber, feature, quantity, key, State.RESERVED, clock.now() + lasting)


def commit(subscriber: Any, feature: str, key: str, quantity: int | None = None) -> Quota:
    """Count what a reservation really used, all of it by default, and give the rest back to where it came from.

    The same call again changes nothing. Raises `UnknownKey`, `ReservationOver`, `KeyReused` if it was settled with
    another quantity; ValueError if more was used than was held: `consume` the rest.
    """
    with transaction.atomic():
        use = _locked(subscriber, feature, key)
        used = use.asked if quantity is None else quantity
        if use.state == State.LAPSED:
            words = _("The reservation {key} was not settled in time and is given back. Count it anew.")
            raise ReservationOver(words.format(key=repr(key)))
        if use.state != State.RESERVED:
            if use.quantity != used or use.state == State.RELEASED:
                words = _("The reservation {key} was settled before, with {count}.")
                raise KeyReused(words.format(key=repr(key), count=use.quantity))
        elif not 0 <= used <= use.quantity:
            raise ValueError(f"The reservation {key!r} holds {use.quantity}, so it can't count {used}.")
        else:
            _give_back(use, use.quantity - used, State.COUNTED)
        return _standing(subscriber, feature)


def release(subscriber: Any, feature: str, key: str) -> Quota:
    """Give back what a key counted or holds, to where it came from. The same call again changes nothing.

    Raises `UnknownKey`.
    """
    with transaction.atomic():
        use = _locked(subscriber, feature, key)
        if use.state in {State.COUNTED, State.RESERVED}:
            _give_back(use, use.quantity, State.RELEASED)
        return _standing(subscriber, feature)


def release_lapsed() -> int:
    """Give back what reservations hold whose time is over; return how many there were."""
    over = KeyedUse.objects.filter(lapses_at__lte=clock.now(), state=State.RESERVED)
    return sum(_lapse(pk) for pk in list(over.values_list("pk", flat=True)[:AT_ONCE]))


def _lapse(pk: int) -> bool:
    with transaction.atomic():
        use = KeyedUse.objects.select_for_update().filter(pk=pk, state=State.RESERVED).first()
        if use is not None:
            _give_back(use, use.quantity, State.LAPSED)
        return use is not None


def _with_key(subscriber: Any, feature: str, quantity: int, key: str, state: str, lapses_at: datetime | None) -> Quota:
    _check(quantity)
    if not key or len(key) > LONGEST_KEY or "\0" in key:
        raise ValueError(f"A key has 1 to {LONGEST_KEY} characters.")
    with transaction.atomic():
        use = KeyedUse(
            subscriber=subscriber,
            feature=feature,
            key=key,
            state=state,
            asked=quantity,
            made_at=clock.now(),
            period_start=clock.now(),
            lapses_at=lapses_at,
        )
        KeyedUse.objects.bulk_create([use], ignore_conflicts=True)
        known = _locked(subscriber, feature, key)
        if known.answer:
            return _as_before(known, quantity)
        counted = kept.count(subscriber, feature, quantity)
        if counted is not None:
            taken = Taken(counted.quota, counted.period_start, quantity, [])
        else:
            taken = _decide_and_take(subscriber, feature, quantity)
        quota, known.counted, known.spent, known.overage = taken.quota, taken.counted, taken.spent, taken.over
        known.period_start = taken.period_start
        known.answer = {name: getattr(quota, name) for name in TOLD}
        known.answer["resets_at"] = cast("datetime", quota.resets_at).isoformat()
        known.save(update_fields=["counted", "spent", "overage", "period_start", "answer"])
    return quota


def _as_before(use: KeyedUse, quantity: int) -> Quota:
    if use.state in {State.RELEASED, State.LAPSED}:
        raise KeyReused(_("The key {key} was given back. Count again with another key.").format(key=repr(use.key)))
    if use.asked != quantity:
        words = _("The key {key} counted {count} before. Use another key.")
        raise KeyReused(words.format(key=repr(use.key), count=use.asked))
    told = use.answer
    return Quota(resets_at=datetime.fromisoformat(told["resets_at"]), **{name: told[name] for name in TOLD})


@dataclass(frozen=True)
class Taken:
    """What a use took, in the month that began at `period_start`: `counted` of the month's limit, `spent` of credits,
    and `over` beyond both."""

    quota: Quota
    period_start: datetime
    counted: int
    spent: crediting.Spent
    over: int = 0


def _decide_and_take(subscriber: Any, feature: str, quantity: int) -> Taken:
    """Take a use that doesn't fit in what was kept: beyond the limit by what was kept of it, else decided anew."""
    if (granted := kept.standing(subscriber, feature)) is not None:
        row = Usage(subscriber=subscriber, feature=feature, period_start=granted.period_start)
        return _take_beyond(row, granted, quantity, overage.terms_of(subscriber, granted, feature))
    known = kept.seen(subscriber)
    granted = allowance(subscriber)
    taken = _take(subscriber, granted, feature, quantity)
    row = Usage(subscriber=subscriber, feature=feature, period_start=taken.period_start)
    kept.keep(row, granted, taken.quota, known)
    return taken


def _take(subscriber: Any, granted: Allowance, feature: str, quantity: int) -> Taken:
    """Take of the limit, then of credits, then beyond both where that is paid by use."""
    if feature not in granted.limits and not _had_credits(subscriber, granted, feature):
        raise NoAccess(_("Your plan does not include {feature}.").format(feature=feature))
    limit = granted.limits.get(feature, 0)
    row = Usage(subscriber=subscriber, feature=feature, period_start=granted.period_of(feature)[0])
    if _count(row, quantity, limit):
        return Taken(_quota(row, granted), row.period_start, quantity, [])
    terms = overage.terms_of(subscriber, granted, feature)
    if terms:
        overage.lock(subscriber, granted, terms)
    _begin(row, granted)
    if _count(row, quantity, limit):
        return Taken(_quota(row, granted), row.period_start, quantity, [])
    return _take_beyond(row, granted, quantity, terms)


def _take_beyond(row: Usage, granted: Allowance, quantity: int, terms: overage.Terms | None) -> Taken:
    """Take a use that the limit does not hold whole; its counter is there."""
    limit = cast("int", granted.limits.get(row.feature, 0))
    if terms and overage.count(_counter(row), quantity, limit, granted, terms, row.feature):
        return Taken(_quota(row, granted), row.period_start, 0, [], quantity)
    return _take_locked(row, granted, quantity, terms)


def _take_locked(row: Usage, granted: Allowance, quantity: int, terms: overage.Terms | None) -> Taken:
    """Take what is left of limit and credits, and the rest beyond both, with the counter locked."""
    subscriber, feature, limit = row.subscriber, row.feature, cast("int", granted.limits.get(row.feature, 0))
    held = _counter(row).select_for_update().get()
    counted = min(max(limit - held.used, 0), quantity)
    rest = quantity - counted
    spent = None if granted.withholds_credits else crediting.spend(subscriber, feature, rest, is_whole=terms is None)
    if spent is None:
        raise _refusal(QuotaExceeded, row, granted, held.used, quantity)
    over = rest - sum(part for _, part in spent)
    if over and terms:
        if held.overage_price != terms.price.pk:
            reporting.cut(held)  # what was used before is priced as it was
        if not overage.add(_counter(row), over, granted, terms, feature):
            raise _refusal(SpendCapReached, row, granted, held.used, quantity)
    if counted:
        _counter(row).update(used=F("used") + counted)
    return Taken(_quota(row, granted), row.period_start, counted, spent, over)


def _refusal(kind: type[QuotaExceeded], row: Usage, granted: Allowance, used: int, quantity: int) -> QuotaExceeded:
    now = _quota(row, granted)
    return kind(row.feature, used, now.limit or 0, quantity, cast("datetime", now.resets_at), now.credits)


def _had_credits(subscriber: Any, granted: Allowance, feature: str) -> bool:
    """Return whether credits of the feature were given, spent or not: then use is refused for want of credits."""
    return not granted.withholds_credits and Credit.objects.filter(subscriber=subscriber, feature=feature).exists()


def _give_back(use: KeyedUse, quantity: int, state: str) -> None:
    """Give back so much of what a use took: what is paid by use first, then of credits those that expire last, then of
    the month's counter."""
    row = Usage(subscriber=use.subscriber, feature=use.feature, period_start=use.period_start)
    list(_counter(row).select_for_update())  # before the credits, as whoever spends them does
    over = min(use.overage, quantity)
    use.spent, back = crediting.split(use.spent, quantity - over)
    of_month = quantity - over - sum(part for _, part in back)
    crediting.give_back(back)
    _counter(row).update(used=F("used") - of_month, overage=F("overage") - over)
    use.counted, use.overage = use.counted - of_month, use.overage - over
    use.state, use.lapses_at = state, None
    use.save(update_fields=["counted", "spent", "overage", "state", "lapses_at"])


def _standing(subscriber: Any, feature: str) -> Quota:
    """Return how use of a feature stands now, also of one that the plan no longer includes."""
    granted = allowance(subscriber)
    row = Usage(subscriber=subscriber, feature=feature, period_start=granted.period_of(feature)[0])
    return _quota(row, granted)


def _locked(subscriber: Any, feature: str, key: str) -> KeyedUse:
    use = KeyedUse.objects.select_for_update().filter(subscriber=subscriber, feature=feature, key=key).first()
    if use is None:
        raise UnknownKey(feature, key)
    return use


def _check(quantity: int) -> None:
    if quantity < 1:
        raise ValueError("quantity must be at least 1")


def _count(row: Usage, quantity: int, limit: int | None) -> bool:
    """Add to the counter in one statement, only if the sum stays within the limit. Returns whether it did."""
    counter = _counter(row)
    if limit is not None:
        counter = counter.filter(used__lte=limit - quantity)
    return counter.update(used=F("used") + quantity) == 1


def _begin(row: Usage, granted: Allowance) -> None:
    """Insert the counter, unless another caller has just done so, and carry over what the month before had left."""
    Usage.objects.bulk_create([row], ignore_conflicts=True)
    rollover.carry_over(row, granted)


def _quota(row: Usage, granted: Allowance) -> Quota:
    """Return how a counter stands, with the credits that are left to spend, in one query."""
    spendable = Credit.objects.spendable(row.subscriber, clock.now()).filter(feature=row.feature).order_by()
    sums = spendable.values("feature").annotate(sum=Sum("left")).values("sum")
    found = _counter(row).values_list("used", "overage", Subquery(sums)).first()
    used, over, left = found or (0, 0, crediting.balance(row.subscriber).get(row.feature, 0))
    left = 0 if granted.withholds_credits else left or 0
    return Quota(used, granted.limits.get(row.feature, 0), granted.period_of(row.feature)[1], left, over)


def _counter(row: Usage) -> Any:
    return Usage.objects.filter(subscriber=row.subscriber, feature=row.feature, period_start=row.period_start)
