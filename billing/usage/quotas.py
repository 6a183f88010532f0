"""A quota compares use with what may be used; these are the ways in which use is refused."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from billing.localized import number


class QuotaExceeded(Exception):
    """The use would exceed limit and credits by `over`, so nothing was counted. `used` of `limit` stands as before."""

    def __init__(self, feature: str, used: int, limit: int, quantity: int, resets_at: datetime, left: int = 0) -> None:
        self.feature, self.used, self.limit, self.quantity, self.resets_at = feature, used, limit, quantity, resets_at
        self.credits = left
        self.over = quantity - max(limit - used, 0) - left
        if left:
            words = _(
                "{used} of {limit} {feature} are used, {credits} credits are left, and {more} more would be {over} too "
                "many."
            )
        else:
            words = _("{used} of {limit} {feature} are used, and {more} more would be {over} too many.")
        facts = {"used": used, "limit": limit, "feature": feature, "more": quantity, "over": self.over}
        resets = _("The limit resets on {date} at {time} UTC.")
        at = resets_at.astimezone(UTC)
        said = words.format(credits=number(left), **facts)
        super().__init__(f"{said} {resets.format(date=f'{at:%Y-%m-%d}', time=f'{at:%H:%M}')}")


class SpendCapReached(QuotaExceeded):
    """Limit and credits are used up, and the use would pass the cap on what a month may cost beyond them."""

    def __str__(self) -> str:
        words = _("Your spend cap for {feature} beyond the limit is reached.").format(feature=self.feature)
        return f"{super().__str__()} {words}"


class NoAccess(Exception):
    """Neither a plan nor a grant includes the feature, and no credits were ever given for it."""


class NotPaidByUse(Exception):
    """The plan in effect prices nothing beyond its limits, or its subscription is not active."""

    def __init__(self) -> None:
        super().__init__(_("Nothing is paid by use with your plan now."))


class UnknownKey(LookupError):
    """No use of this feature was counted with this key."""

    def __init__(self, feature: str, key: str) -> None:
        super().__init__(
            _("No use of {feature} was counted with the key {key}.").format(feature=feature, key=repr(key))
        )


class KeyReused(ValueError):
    """The key counted another quantity, or was released: it can't count again."""


class ReservationOver(ValueError):
    """The reservation was not settled in time, so what it held was given back."""


@dataclass(frozen=True)
class Quota:
    """A quota compares use with what may be used.

    `used` counts what was taken of `limit`, the month's; `credits` are left beside it. `limit` and `remaining` are None
    if the plan sets no limit; `remaining`, never negative, is what may still be used of both. `overage` is what was
    used beyond both, and is paid by use.
    """

    used: int
    limit: int | None
    resets_at: datetime | None = field(default=None, compare=False)
    credits: int = 0
    overage: int = 0

    @property
    def remaining(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.used, 0) + self.credits

    @property
    def overflow(self) -> int:
        """Return how much use exceeds the limit, which a downgrade can cause."""
        return 0 if self.limit is None else max(self.used - self.limit, 0)
