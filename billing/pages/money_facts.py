"""The account page lists of a subscription's money what is due, what is charged next, from which card, and what is
credited.
"""

from django.utils.translation import gettext as _

from billing import clock
from billing.lifecycle import Overview, checkout
from billing.localized import amount
from billing.models import Invoice

from . import next_words
from .days import day

Facts = list[tuple[str, str]]


def of_account(overview: Overview, *, shows_card: bool = True) -> Facts:
    """Return each fact with its name, what is due first."""
    return [*of_line(overview, shows_card=shows_card), *_credit(overview)]


def of_line(overview: Overview, *, shows_card: bool = True) -> Facts:
    """Return the same for a further line; a credit is the subscriber's, and stands with the first."""
    coming = next_words.next_words(overview)
    return [*_due(overview), *([coming] if coming else []), *(_paid_with(overview) if shows_card else [])]


def _due(overview: Overview) -> Facts:
    """Return what access depends on, and when it is charged again."""
    owed = overview.unpaid
    if owed is None or owed.payment == Invoice.Standing.PROCESSING:
        return []
    words = amount(owed.amount_remaining, owed.currency)
    if owed.due_at and owed.row.is_sent:
        facts = {"amount": words, "date": day(owed.due_at)}
        if owed.row.is_overdue(clock.now()):
            return [(_("Overdue"), _("{amount} since {date}").format(**facts))]
        return [(_("To be paid"), _("{amount} by {date}").format(**facts))]
    found = [(_("Due now"), words)]
    again = owed.row.next_attempt_at
    if again and again > clock.now():
        found.append((_("Next try"), day(again)))
    return found


def _paid_with(overview: Overview) -> Facts:
    held = overview.subscription
    if held is None or overview.status in checkout.NOT_LIVE or held.is_free:
        return []
    if held.collection_method == Invoice.SENT:
        return [(_("Paid by"), _("Invoice, when you pay it"))]
    return [(_("Paid with"), held.paid_with)] if held.paid_with else []


def _credit(overview: Overview) -> Facts:
    if not overview.credit:
        return []
    credit = amount(overview.credit.amount, overview.credit.currency)
    return [(_("Credit"), _("{credit}, taken off your next invoices").format(credit=credit))]
