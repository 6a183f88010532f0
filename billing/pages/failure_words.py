"""The account page says of a payment that failed what was charged, on which day, why, and when it is tried again."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import clock
from billing.lifecycle import Overview, Owed
from billing.localized import amount
from billing.models import PaymentFailure

from .days import day

# Stripe's decline code → the sentence that tells the cardholder what to look at. Banks rarely say more, and codes of
# fraud are not for the page.
REASONS = {
    "insufficient_funds": gettext_lazy("There was not enough money."),
    "expired_card": gettext_lazy("The card has expired."),
    "card_not_supported": gettext_lazy("The card can't be used for this kind of payment."),
    "currency_not_supported": gettext_lazy("The card can't be used in this currency."),
    "card_velocity_exceeded": gettext_lazy("The card's limit was reached."),
    "withdrawal_count_limit_exceeded": gettext_lazy("The card's limit was reached."),
    "incorrect_number": gettext_lazy("The card number is wrong."),
    "incorrect_cvc": gettext_lazy("The security code is wrong."),
    "debit_not_authorized": gettext_lazy("The debit is not authorized at your bank."),
    "account_closed": gettext_lazy("The bank account is closed."),
}
NO_METHOD = frozenset({"payment_method_missing", "missing", "resource_missing"})


def sentences(overview: Overview, owed: Owed) -> str:
    """Return "Your Visa ending 0341 was declined on April 18, 2027. $20.00 is due for Pro. We try again on April 21,
    2027."
    """
    return " ".join(filter(None, [_declined(owed.failure), due(overview, owed), _next_try(owed)]))


def due(overview: Overview, owed: Owed) -> str:
    """Return what is due, and for which plan."""
    facts = {"amount": amount(owed.amount_remaining, owed.currency)}
    held = overview.subscription
    if held and held.plan:
        return _("{amount} is due for {plan}.").format(plan=held.plan.name, **facts)
    return _("{amount} is due.").format(**facts)


def _declined(failure: PaymentFailure | None) -> str:
    if failure is None or failure.is_action_required:
        return ""
    if failure.decline_code in NO_METHOD:
        return _("There was no card to charge on {date}.").format(date=day(failure.failed_at))
    words = (
        _("Your {card} was declined on {date}.") if failure.card_last4 else _("Your payment was declined on {date}.")
    )
    told = words.format(card=failure.paid_with, date=day(failure.failed_at))
    why: str | Promise = REASONS.get(failure.decline_code, "")
    return f"{told} {why}".strip()


def _next_try(owed: Owed) -> str:
    at = owed.row.next_attempt_at
    if at is None or at <= clock.now():
        return _("We won't try again automatically.") if at is None and owed.failure else ""
    return _("We try again on {date}.").format(date=day(at))
