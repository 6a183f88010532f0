"""A subscriber redeems a code, and gets what it gives, once.

Whoever is first takes the use: one conditional UPDATE counts it, in the transaction that gives. A code that is
redeemed again by the same subscriber answers as the first time.
"""

import re
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy

from billing import clock, lanes, usage
from billing.models import AccountDeletion, Code, Redemption
from billing.subscriptions import grants

from .refusals import AccountClosing, CodeOver, CodeSpent, UnknownCode

SEPARATORS = re.compile(r"[\s\-_.]+")
LONGEST = 64
NOT_GIVEN = gettext_lazy(
    "This code can't be redeemed at the moment. Nothing was changed; write to us, and name the code."
)


def plain(text: str) -> str:
    """Return a code as it is kept: in capitals, without what people put between its parts."""
    return SEPARATORS.sub("", text).upper()


def redeem(subscriber: Any, text: str) -> Redemption:
    """Give the subscriber what a code gives, and return the redemption, with its code.

    Raises `UnknownCode`, also for one that was withdrawn, `CodeOver`, `CodeSpent`, `AccountClosing`, `LaneBusy`.
    """
    name = plain(text)
    code = Code.objects.filter(code=name).select_related("plan").first() if 0 < len(name) <= LONGEST else None
    if code is None:
        raise UnknownCode
    return lanes.run_in_lane_of(subscriber, lambda: _redeem(subscriber, code))


def _redeem(subscriber: Any, code: Code) -> Redemption:
    if known := Redemption.objects.filter(subscriber=subscriber, code=code).select_related("code__plan").first():
        return known
    if AccountDeletion.objects.filter(subscriber=subscriber).exists():
        raise AccountClosing
    try:
        with transaction.atomic():
            return _first(subscriber, code)
    except (grants.GrantRefused, usage.CreditRefused) as error:
        raise CodeOver(str(NOT_GIVEN)) from error
    except IntegrityError:  # another lane of the same subscriber was faster
        return Redemption.objects.select_related("code__plan").get(subscriber=subscriber, code=code)


def _first(subscriber: Any, code: Code) -> Redemption:
    _take_a_use(code)
    now = clock.now()
    until = now + timedelta(days=code.lasts_days) if code.lasts_days else None
    made = Redemption.objects.create(code=code, subscriber=subscriber, redeemed_at=now, until=until)
    how: dict[str, Any] = {"until": until, "source": f"code:{code.code}", "reason": code.batch}
    if code.once:
        usage.crediting.give(subscriber, code.feature, code.quantity or 0, **how)
    else:
        plan = code.plan.slug if code.plan else ""
        grants.give(subscriber, plan=plan, feature=code.feature, quantity=code.quantity, **how)
    return made


def _take_a_use(code: Code) -> None:
    is_left = Q(most_uses=None) | Q(used__lt=F("most_uses"))
    open_codes = Code.objects.filter(pk=code.pk, withdrawn_at=None)
    if not open_codes.filter(is_left).update(used=F("used") + 1):
        raise CodeSpent if open_codes.exists() else UnknownCode
    if code.valid_until is not None and code.valid_until <= clock.now():
        raise CodeOver
