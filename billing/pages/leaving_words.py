"""The cancel page says what a cancellation means for the money, before it is made."""

from django.utils.translation import gettext as _

from billing.lifecycle import Outlook
from billing.localized import amount

from .days import day


def consequences(outlook: Outlook) -> list[str]:
    """Return the sentences about money that a subscriber reads before they cancel."""
    said = []
    end = "" if outlook.under_way else " " + _("Nothing more is charged.")
    for each in outlook.charged:
        if each.is_draft:
            words = _("The renewal of {amount} has begun: it is cancelled with the subscription, which ends now.")
        else:
            words = _("An invoice of {amount} is unpaid: it is cancelled with the subscription, which ends now.")
        said.append(words.format(amount=amount(each.amount, each.currency)) + end)
    for each in outlook.under_way:
        words = _("Your bank is already paying {amount}. That payment can't be stopped; no other will follow.")
        said.append(words.format(amount=amount(each.amount, each.currency)))
    for each in outlook.sent:
        facts = {"amount": amount(each.amount, each.currency), "date": day(each.due_at) if each.due_at else ""}
        if each.due_at:
            words = _("Your invoice of {amount} is still to be paid by {date}, unless the subscription ends now.")
        else:
            words = _("Your invoice of {amount} is still to be paid, unless the subscription ends now.")
        said.append(words.format(**facts))
    if outlook.has_usage and outlook.ends_at:
        said.append(_("What you use until the end is still billed then."))
    return said
