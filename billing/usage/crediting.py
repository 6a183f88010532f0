"""Credits are given once, spent when the month's limit is used up, and expire, soonest first.

Whoever changes rows here is in a transaction and locks them; `counting` calls these with the month's counter locked.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from billing import cause, clock
from billing.models import AccountDeletion, Credit, KeyedUse, PlanLimit

Spent = list[list[int]]

MOST_QUANTITY = 2**53
LONGEST_SOURCE = 255
AT_ONCE = 500


class CreditRefused(ValueError):
    """Nothing was given or changed; the message says why."""


@dataclass(frozen=True)
class TakenBack:
    """This tells what became of credits that had to be taken back: `taken` of them were left or released, `used` of
    them were used before."""

    taken: int
    used: int


def give(
    subscriber: Any, feature: str, quantity: int, *, until: datetime | None = None, source: str, reason: str = ""
) -> Credit:
    """Give credits as `billing.grants.give_credits` says. Raises `CreditRefused`."""
    _check(quantity, until, source)
    if known := Credit.objects.filter(subscriber=subscriber, source=source).first():
        return _same(known, feature, quantity)
    if until is not None and until <= clock.now():
        raise CreditRefused(f"The end, {until.isoformat()}, is past.")
    if not PlanLimit.objects.filter(feature=feature).exists():
        raise CreditRefused(f"No plan has the feature {feature!r}.")
    if AccountDeletion.objects.filter(subscriber=subscriber).exists():
        raise CreditRefused("The account is being deleted.")
    credit, is_new = Credit.objects.get_or_create(
        subscriber=subscriber,
        source=source,
        defaults={
            "feature": feature,
            "quantity": quantity,
            "left": quantity,
            "until": until,
            "reason": reason,
            "cause": cause.current(),
            "given_at": clock.now(),
        },
    )
    return credit if is_new else _same(credit, feature, quantity)


def take_back(subscriber: Any, source: str, total: int | None = None) -> TakenBack:
    """Take credits of a source back, until `total` of them are gone in all. Raises `CreditRefused` if it gave none."""
    with transaction.atomic():
        credit = Credit.objects.select_for_update().filter(subscriber=subscriber, source=source).first()
        if credit is None:
            raise CreditRefused(f"{source!r} gave no credits.")
        wanted = credit.quantity if total is None else min(max(total, 0), credit.quantity)
        _give_again(credit, max(credit.taken_back - wanted, 0))
        taken = min(max(wanted - credit.taken_back, 0), credit.left)
        credit.left, credit.taken_back = credit.left - taken, credit.taken_back + taken
        credit.owed_back = min(max(wanted - credit.taken_back, 0), credit.used)
        credit.save(update_fields=["left", "expired", "taken_back", "owed_back"])
    return TakenBack(credit.taken_back, credit.owed_back)


def _give_again(credit: Credit, quantity: int) -> None:
    """Undo a taking back, as after a dispute that was won. What would have expired meanwhile has expired."""
    credit.taken_back -= quantity
    if credit.until is not None and credit.until <= clock.now():
        credit.expired += quantity
    else:
        credit.left += quantity


def expire() -> int:
    """Write off what is left of credits whose time is over; return of how many. It is unspendable already."""
    found = list(Credit.objects.filter(left__gt=0, until__lte=clock.now()).values_list("pk", flat=True)[:AT_ONCE])
    return sum(
        Credit.objects.filter(pk=pk, left__gt=0, until__lte=clock.now()).update(
            expired=F("expired") + F("left"), left=0
        )
        for pk in found
    )


def forget_words(subscriber: Any) -> None:
    """Forget what staff and the host wrote about a subscriber whose account is deleted."""
    Credit.objects.filter(subscriber=subscriber).update(reason="")
    KeyedUse.objects.filter(subscriber=subscriber).delete()


def balance(subscriber: Any) -> dict[str, int]:
    """Return how many credits are left by feature, of those that are."""
    rows = Credit.objects.spendable(subscriber, clock.now()).order_by().values_list("feature")
    return dict(rows.annotate(Sum("left")).values_list("feature", "left__sum"))


def spend(subscriber: Any, feature: str, quantity: int, *, is_whole: bool = True) -> Spent | None:
    """Take credits, those first that expire soonest; return from where, or None if there are not enough and the
    quantity must be whole."""
    rows = list(Credit.objects.spendable(subscriber, clock.now()).filter(feature=feature).select_for_update())
    if is_whole and sum(row.left for row in rows) < quantity:
        return None
    spent: Spent = []
    for row in rows:
        if part := min(row.left, quantity):
            Credit.objects.filter(pk=row.pk).update(left=F("left") - part, used=F("used") + part)
            spent.append([row.pk, part])
            quantity -= part
    return spent


def give_back(spent: Spent) -> None:
    """Return what was spent to where it came from: to what is owed back first, and not to what has expired."""
    rows = Credit.objects.select_for_update().order_by(F("until").asc(nulls_last=True), "pk")
    parts = {pk: part for pk, part in spent}  # noqa: C416 (pairs that are lists, as JSON has them)
    for row in rows.filter(pk__in=parts):
        part = parts[row.pk]
        owed = min(part, row.owed_back)
        row.used, row.owed_back, row.taken_back = row.used - part, row.owed_back - owed, row.taken_back + owed
        if row.until is not None and row.until <= clock.now():
            row.expired += part - owed
        else:
            row.left += part - owed
        row.save(update_fields=["used", "left", "expired", "taken_back", "owed_back"])


def split(spent: Spent, quantity: int) -> tuple[Spent, Spent]:
    """Split into what is kept and the `quantity` that goes back: what was spent last goes back first."""
    kept, back = [], []
    for pk, part in reversed(spent):
        going = min(part, quantity)
        quantity -= going
        back += [[pk, going]] if going else []
        kept += [[pk, part - going]] if part > going else []
    return kept[::-1], back


def _check(quantity: int, until: datetime | None, source: str) -> None:
    if not source or len(source) > LONGEST_SOURCE:
        raise CreditRefused("Name the source, in 1 to 255 characters.")
    if not 1 <= quantity <= MOST_QUANTITY:
        raise CreditRefused("Give at least 1 credit.")
    if until is not None and timezone.is_naive(until):
        raise CreditRefused("The end needs a time zone.")


def _same(known: Credit, feature: str, quantity: int) -> Credit:
    if (known.feature, known.quantity) != (feature, quantity):
        raise CreditRefused(
            f"The source {known.source!r} gave {known.quantity:,} {known.feature} before. Use another source."
        )
    return known
