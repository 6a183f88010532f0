"""The account page says of each unpaid invoice what it is for, how its payment stands, and where it is paid."""

from billing import clock
from billing.lifecycle import Overview, Owed
from billing.models import Invoice, Subscription
from billing.money import format_amount

from .banners import Banner, Tone, plan_words
from .days import day

Standing = Invoice.Standing

UNPAID = frozenset({"past_due", "unpaid", "incomplete"})


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
        headline, action, link_text = "Your bank asks you to confirm a payment", "Confirm it", "Confirm the payment"
    elif overview.status == "incomplete" and owed.payment == Standing.NONE:
        headline, action, link_text = "Your first payment is not complete yet", "Pay the open invoice", "Pay now"
    else:
        headline, action, link_text = "Your last payment did not go through", "Pay the open invoice", "Pay now"
    return Banner(tone, headline, _until(overview, action), owed.page, link_text if owed.page else "")


def for_others(overview: Overview) -> list[Banner]:
    """Return a banner for each unpaid invoice that access does not depend on, in any line."""
    return [_other(owed) for owed in overview.owed if not owed.access_depends and not owed.of_another_line]


def _on_its_way(overview: Overview, owed: Owed) -> Banner:
    name = plan_words(overview.effective_plan)
    headline = f"Your payment of {_amount(owed)} is on its way"
    wait = "This can take a few days. You don't need to do anything. Please don't pay a second time."
    if overview.has_access and overview.grace_ends_at:
        return Banner(Tone.NOTICE, headline, f"{wait} You have {name} until {day(overview.grace_ends_at)} in any case.")
    if overview.has_access:
        return Banner(Tone.NOTICE, headline, f"{wait} You have {name} meanwhile.")
    return Banner(Tone.NOTICE, headline, f"{wait} You get your plan as soon as it arrives.")


def _to_be_paid(overview: Overview, owed: Owed) -> Banner:
    """Return the banner of an invoice that is sent rather than charged."""
    due = day(owed.due_at) if owed.due_at else ""
    if not owed.row.is_overdue(clock.now()):
        headline = f"You have an invoice of {_amount(owed)} to pay by {due}"
        return Banner(
            Tone.NOTICE, headline, f"It is for {_for_what(overview)}.", owed.page, "Pay the invoice", pdf=owed.pdf
        )
    tone = Tone.WARNING if overview.has_access else Tone.PROBLEM
    headline = f"Your invoice of {_amount(owed)} was due on {due}"
    return Banner(tone, headline, _until(overview, "Pay it"), owed.page, "Pay the invoice", pdf=owed.pdf)


def _for_what(overview: Overview) -> str:
    subscription = overview.subscription
    return plan_words(subscription.plan if subscription else None)


def _without_invoice(overview: Overview, tone: Tone) -> Banner:
    """Return the banner of a subscription that no open invoice would bring back."""
    if overview.status == "unpaid":
        sentence = "Its open invoices would not bring it back. Cancel it below, then choose a plan to start again."
        return Banner(tone, "Your subscription stopped because it was not paid", sentence)
    sentence = "We are asking our payment provider for it. Check again in a moment, or write to us."
    return Banner(tone, "A payment for your plan is open", sentence)


def _until(overview: Overview, action: str) -> str:
    if overview.is_by_grant:
        name = plan_words(overview.effective_plan)
        return f"{action} to keep your subscription. You have {name} for now in any case."
    if overview.has_access and overview.grace_ends_at:
        name = plan_words(overview.effective_plan)
        return f"{action} by {day(overview.grace_ends_at)} to keep {name} without a gap."
    if overview.has_access:
        return f"{action} to keep {plan_words(overview.effective_plan)}."
    if overview.holds:
        return f"{action} to keep your subscription. Your access stays on hold for now."
    return f"{action} and you get your plan back at once. Until then you are on the free plan."


def _other(owed: Owed) -> Banner:
    what = f"for {owed.row.description}" if owed.row.description else "for an earlier period of your plan"
    what = "" if owed.row.is_one_off and not owed.row.description else f" {what}"
    if owed.payment == Standing.PROCESSING:
        headline = f"Your payment of {_amount(owed)}{what} is on its way"
        return Banner(Tone.NOTICE, headline, "You don't need to do anything.")
    due = f"It is due on {day(owed.due_at)}. " if owed.due_at and owed.row.is_sent else ""
    depends = "Your plan does not depend on it." if owed.row.is_one_off else "Your access does not depend on it."
    headline = f"You have an unpaid invoice of {_amount(owed)}{what}"
    return Banner(Tone.NOTICE, headline, f"{due}{depends}", owed.page, "Pay the invoice", pdf=owed.pdf)


def _amount(owed: Owed) -> str:
    return format_amount(owed.amount_remaining, owed.currency)
