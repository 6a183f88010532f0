"""Use is counted here, all or none of it, exactly even in parallel: of the month's limit first, then of credits.

What fits in the limit is one conditional UPDATE of the month's counter, by what was decided before if that still holds
(`kept`). Otherwise the counter is locked, so that those who spend the same credits wait for each other. A use with a
key is a row that is inserted first: a second caller waits for it, and gets the answer of the first.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction
from django.db.models import F, Subquery, Sum

from billing import clock
from billing.models import Credit, KeyedUse, Usage

from . import crediting, kept, rollover
from .allowances import Allowance, allowance
from .quotas import KeyReused, NoAccess, Quota, QuotaExceeded, ReservationOver, UnknownKey

State = KeyedUse.State

LONGEST_KEY = 255
RESERVED_FOR = timedelta(minutes=15)
AT_ONCE = 500


def consume(subscriber: Any, feature: str, quantity: int = 1, key: str = "") -> Quota:
    """Count `quantity` uses of `feature`, all or none, and return how use stands then.

    With a `key`, up to 255 characters of the caller's choice, it counts once: the same call again returns the same
    quota. Raises `NoAccess`, `QuotaExceeded`, `KeyReused` if the key counted another quantity or was released;
    ValueError for a quantity below one or a key that is too long.
    """
    if not key:
        _check(quantity)
        if (quota := kept.count(subscriber, feature, quantity)) is not None:
            return quota
        with transaction.atomic():
            return _decide_and_take(subscriber, feature, quantity)
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
            raise ReservationOver(f"The reservation {key!r} was not settled in time and is given back. Count it anew.")
        if use.state != State.RESERVED:
            if use.quantity != used or use.state == State.RELEASED:
                raise KeyReused(f"The reservation {key!r} was settled before, with {use.quantity}.")
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
        granted = allowance(subscriber)
        quota, known.counted, known.spent = _take(subscriber, granted, feature, quantity)
        known.period_start, _ = granted.period_of(feature)
        known.answer = {"used": quota.used, "limit": quota.limit, "credits": quota.credits}
        known.answer["resets_at"] = cast("datetime", quota.resets_at).isoformat()
        known.save(update_fields=["counted", "spent", "period_start", "answer"])
    return quota


def _as_before(use: KeyedUse, quantity: int) -> Quota:
    if use.state in {State.RELEASED, State.LAPSED}:
        raise KeyReused(f"The key {use.key!r} was given back. Count again with another key.")
    if use.asked != quantity:
        raise KeyReused(f"The key {use.key!r} counted {use.asked} before. Use another key.")
    told = use.answer
    return Quota(told["used"], told["limit"], datetime.fromisoformat(told["resets_at"]), told["credits"])


def _decide_and_take(subscriber: Any, feature: str, quantity: int) -> Quota:
    known = kept.seen(subscriber)
    granted = allowance(subscriber)
    quota = _take(subscriber, granted, feature, quantity)[0]
    row = Usage(subscriber=subscriber, feature=feature, period_start=granted.period_of(feature)[0])
    kept.keep(row, granted, quota, known)
    return quota


def _take(subscriber: Any, granted: Allowance, feature: str, quantity: int) -> tuple[Quota, int, crediting.Spent]:
    """Take of the limit, then of credits; return how use stands, what the counter took, and what was spent."""
    if feature not in granted.limits and not _had_credits(subscriber, granted, feature):
        raise NoAccess(f"Your plan does not include {feature}.")
    limit = granted.limits.get(feature, 0)
    start, end = granted.period_of(feature)
    row = Usage(subscriber=subscriber, feature=feature, period_start=start)
    if _count(row, quantity, limit) or (_begin(row, granted) and _count(row, quantity, limit)):
        used, left = _used_and_credits(row, granted)
        return Quota(used, limit, end, left), quantity, []
    used = _counter(row).select_for_update().values_list("used", flat=True).get()
    counted = min(max(cast("int", limit) - used, 0), quantity)
    spent = None if granted.withholds_credits else crediting.spend(subscriber, feature, quantity - counted)
    if spent is None:
        left = _used_and_credits(row, granted)[1]
        raise QuotaExceeded(feature, used, cast("int", limit), quantity, end, left)
    _counter(row).update(used=F("used") + counted)
    used, left = _used_and_credits(row, granted)
    return Quota(used, limit, end, left), counted, spent


def _had_credits(subscriber: Any, granted: Allowance, feature: str) -> bool:
    """Return whether credits of the feature were given, spent or not: then use is refused for want of credits."""
    return not granted.withholds_credits and Credit.objects.filter(subscriber=subscriber, feature=feature).exists()


def _give_back(use: KeyedUse, quantity: int, state: str) -> None:
    """Give back so much of what a use took: of credits first, those that expire last, then of the month's counter."""
    row = Usage(subscriber=use.subscriber, feature=use.feature, period_start=use.period_start)
    list(_counter(row).select_for_update())  # before the credits, as whoever spends them does
    use.spent, back = crediting.split(use.spent, quantity)
    of_month = quantity - sum(part for _, part in back)
    crediting.give_back(back)
    _counter(row).update(used=F("used") - of_month)
    use.counted, use.state, use.lapses_at = use.counted - of_month, state, None
    use.save(update_fields=["counted", "spent", "state", "lapses_at"])


def _standing(subscriber: Any, feature: str) -> Quota:
    """Return how use of a feature stands now, also of one that the plan no longer includes."""
    granted = allowance(subscriber)
    start, end = granted.period_of(feature)
    used, left = _used_and_credits(Usage(subscriber=subscriber, feature=feature, period_start=start), granted)
    return Quota(used, granted.limits.get(feature, 0), end, left)


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


def _begin(row: Usage, granted: Allowance) -> bool:
    """Insert the counter, unless another caller has just done so, and carry over what the month before had left."""
    Usage.objects.bulk_create([row], ignore_conflicts=True)
    rollover.carry_over(row, granted)
    return True


def _used_and_credits(row: Usage, granted: Allowance) -> tuple[int, int]:
    """Return what was used of the month's limit, and the credits that are left to spend, in one query."""
    left = Credit.objects.spendable(row.subscriber, clock.now()).filter(feature=row.feature).order_by()
    sums = left.values("feature").annotate(sum=Sum("left")).values("sum")
    found = _counter(row).values_list("used", Subquery(sums)).first()
    used, credits_left = found or (0, crediting.balance(row.subscriber).get(row.feature, 0))
    return used, 0 if granted.withholds_credits else credits_left or 0


def _counter(row: Usage) -> Any:
    return Usage.objects.filter(subscriber=row.subscriber, feature=row.feature, period_start=row.period_start)
