"""The account page says of each unpaid invoice what it is for, how its payment stands, and where it is paid."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import clock
from billing.lifecycle import Overview, Owed
from billing.localized import amount
from billing.models import Invoice, Subscription

from . import failure_words
from .banners import Banner, Tone, plan_words
from .days import day

Standing = Invoice.Standing

UNPAID = frozenset({"past_due", "unpaid", "incomplete"})


class Actions(NamedTuple):
    """One action, in the sentences that say what it is good for."""

    to_keep_subscription: Promise
    by_date: Promise
    to_keep: Promise
    to_have_back: Promise


CONFIRM = Actions(
    gettext_lazy("Confirm it to keep your subscription."),
    gettext_lazy("Confirm it by {date} to keep {plan} without a gap."),
    gettext_lazy("Confirm it to keep {plan}."),
    gettext_lazy("Confirm it and you get your plan back at once."),
)
PAY = Actions(
    gettext_lazy("Pay the open invoice to keep your subscription."),
    gettext_lazy("Pay the open invoice by {date} to keep {plan} without a gap."),
    gettext_lazy("Pay the open invoice to keep {plan}."),
    gettext_lazy("Pay the open invoice and you get your plan back at once."),
)
PAY_IT = Actions(
    gettext_lazy("Pay it to keep your subscription."),
    gettext_lazy("Pay it by {date} to keep {plan} without a gap."),
    gettext_lazy("Pay it to keep {plan}."),
    gettext_lazy("Pay it and you get your plan back at once."),
)


def for_plan(overview: Overview) -> Banner | None:
    """Return the banner about the invoice that access depends on; None if nothing is to be said of it.

    Of an invoice that a change waits for, the banner of the change tells.
    """
    owed, change = overview.unpaid, overview.pending_change
    if change and change.kind == Subscription.Pending.AWAITED:
        return None
    if owed and owed.payment == Standing.PROCESSING:
        return _on_its_way(overview, owed)
    if owed and owed.row.is_sent:
        return _to_be_paid(overview, owed)
    if overview.status not in UNPAID:
        return None
    tone = Tone.WARNING if overview.has_access else Tone.PROBLEM
    if owed is None:
        return _without_invoice(overview, tone)
    if owed.payment == Standing.REQUIRES_ACTION:
        headline, link_text = _("Your bank asks you to confirm a payment"), _("Confirm the payment")
        sentence = f"{failure_words.due(overview, owed)} {_until(overview, CONFIRM)}"
        return Banner(tone, headline, sentence, owed.page, link_text if owed.page else "")
    if overview.status == "incomplete" and owed.payment == Standing.NONE:
        headline = _("Your first payment is not complete yet")
    else:
        headline = _("Your last payment did not go through")
    sentence = f"{failure_words.sentences(overview, owed)} {_until(overview, PAY)}"
    return Banner(tone, headline, sentence, owed.page, _("Pay now") if owed.page else "")


def for_others(overview: Overview) -> list[Banner]:
    """Return a banner for each unpaid invoice that access does not depend on, in any line."""
    return [_other(owed) for owed in overview.owed if not owed.access_depends and not owed.of_another_line]


def _on_its_way(overview: Overview, owed: Owed) -> Banner:
    headline = _("Your payment of {amount} is on its way").format(amount=_amount(owed))
    wait = _("This can take a few days. You don't need to do anything. Please don't pay a second time.")
    if not overview.has_access:
        then = _("You get your plan as soon as it arrives.")
    elif overview.grace_ends_at:
        then = _("You have {plan} until {date} in any case.").format(
            plan=plan_words(overview.effective_plan), date=day(overview.grace_ends_at)
        )
    else:
        then = _("You have {plan} meanwhile.").format(plan=plan_words(overview.effective_plan))
    return Banner(Tone.NOTICE, headline, f"{wait} {then}")


def _to_be_paid(overview: Overview, owed: Owed) -> Banner:
    """Return the banner of an invoice that is sent rather than charged."""
    facts = {"amount": _amount(owed), "date": day(owed.due_at) if owed.due_at else ""}
    link_text = _("Pay the invoice")
    if not owed.row.is_overdue(clock.now()):
        headline = _("You have an invoice of {amount} to pay by {date}").format(**facts)
        sentence = _("It is for {plan}.").format(plan=_for_what(overview))
        return Banner(Tone.NOTICE, headline, sentence, owed.page, link_text, pdf=owed.pdf)
    tone = Tone.WARNING if overview.has_access else Tone.PROBLEM
    headline = _("Your invoice of {amount} was due on {date}").format(**facts)
    sentence = f"{failure_words.due(overview, owed)} {_until(overview, PAY_IT)}"
    return Banner(tone, headline, sentence, owed.page, link_text, pdf=owed.pdf)


def _for_what(overview: Overview) -> str:
    subscription = overview.subscription
    return plan_words(subscription.plan if subscription else None)


def _without_invoice(overview: Overview, tone: Tone) -> Banner:
    """Return the banner of a subscription that no open invoice would bring back."""
    if overview.status == "unpaid":
        sentence = _("Its open invoices would not bring it back. Cancel it below, then choose a plan to start again.")
        return Banner(tone, _("Your subscription stopped because it was not paid"), sentence)
    sentence = _("We are asking our payment provider for it. Check again in a moment, or write to us.")
    return Banner(tone, _("A payment for your plan is open"), sentence)


def _until(overview: Overview, actions: Actions) -> str:
    """Return the sentence that says what to do, until when, and what it keeps or brings back."""
    facts = {"plan": plan_words(overview.effective_plan)}
    if overview.is_by_grant:
        meanwhile = _("You have {plan} for now in any case.")
        return f"{actions.to_keep_subscription} {meanwhile.format(**facts)}"
    if overview.has_access and overview.grace_ends_at:
        return str(actions.by_date).format(date=day(overview.grace_ends_at), **facts)
    if overview.has_access:
        return str(actions.to_keep).format(**facts)
    if overview.holds:
        meanwhile = _("Your access stays on hold for now.")
        return f"{actions.to_keep_subscription} {meanwhile}"
    meanwhile = _("Until then you are on the free plan.")
    return f"{actions.to_have_back} {meanwhile}"


def _other(owed: Owed) -> Banner:
    facts = {"amount": _amount(owed), "what": owed.row.description}
    is_unnamed = owed.row.is_one_off and not owed.row.description
    if owed.payment == Standing.PROCESSING:
        if is_unnamed:
            headline = _("Your payment of {amount} is on its way")
        elif owed.row.description:
            headline = _("Your payment of {amount} for {what} is on its way")
        else:
            headline = _("Your payment of {amount} for an earlier period of your plan is on its way")
        return Banner(Tone.NOTICE, headline.format(**facts), _("You don't need to do anything."))
    if is_unnamed:
        headline = _("You have an unpaid invoice of {amount}")
    elif owed.row.description:
        headline = _("You have an unpaid invoice of {amount} for {what}")
    else:
        headline = _("You have an unpaid invoice of {amount} for an earlier period of your plan")
    due = _("It is due on {date}.").format(date=day(owed.due_at)) if owed.due_at and owed.row.is_sent else ""
    depends = _("Your plan does not depend on it.") if owed.row.is_one_off else _("Your access does not depend on it.")
    link_text = _("Pay the invoice")
    return Banner(Tone.NOTICE, headline.format(**facts), f"{due} {depends}".strip(), owed.page, link_text, pdf=owed.pdf)


def _amount(owed: Owed) -> str:
    return amount(owed.amount_remaining, owed.currency)
