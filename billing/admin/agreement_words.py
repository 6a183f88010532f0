"""The admin says in words what an agreement is about, how it stands, and what an act does."""

from typing import Any

from django.utils.formats import date_format

from billing.catalogue import amounts
from billing.models import Agreement

from . import display

Status = Agreement.Status

KINDS = {
    Status.DRAFT: "quiet",
    Status.SENT: "waiting",
    Status.STARTING: "waiting",
    Status.STARTED: "good",
    Status.REFUSED: "bad",
    Status.DISCARDED: "quiet",
}
SENTENCES = {
    Status.DRAFT: "Nothing has happened at Stripe yet.",
    Status.STARTING: "Stripe has not answered yet; the worker asks again each minute.",
    Status.STARTED: "Stripe has sent the first invoice.",
    Status.DISCARDED: "Nothing was started.",
}


def badge(agreement: Agreement) -> Any:
    return display.badge(agreement.status, KINDS[Status(agreement.status)])


def sentence(agreement: Agreement) -> str:
    if agreement.status == Status.SENT:
        return f"It starts on {start(agreement)}."
    if agreement.status == Status.REFUSED:
        return agreement.error_message
    return SENTENCES[Status(agreement.status)]


def what(agreement: Agreement) -> str:
    several = f"{agreement.quantity:,} × " if agreement.quantity != 1 else ""
    return f"{several}{agreement.plan}, billed {agreement.cadence.adverb}"


def total(agreement: Agreement) -> str:
    """Return what each invoice asks for, before tax; "" where the price bills by usage."""
    if agreement.unit_amount is not None:
        minor: int | None = agreement.unit_amount * agreement.quantity
    else:
        price = agreement.price
        minor = amounts.cost(price, agreement.currency, agreement.quantity) if price else None
    return display.amount(minor, agreement.currency) or ""


def money(agreement: Agreement) -> str:
    of = "as agreed" if agreement.unit_amount is not None else "by the plan's price"
    return f"{total(agreement) or 'By usage'} {agreement.cadence.per}, {of}"


def extras(agreement: Agreement) -> list[str]:
    """Return what is agreed beside the price: a trial and a discount."""
    trial = f"{agreement.trial_days} days of trial before the first invoice" if agreement.trial_days else ""
    return [text for text in (trial, f"Discount: {agreement.discount}" if agreement.discount else "") if text]


def start(agreement: Agreement) -> str:
    return date_format(agreement.starts_on, "j F Y") if agreement.starts_on else "as soon as it is sent"


def about(agreement: Agreement, act: str) -> list[str]:
    """Return what an act does, before staff confirm it."""
    if act == "discard":
        return ["Nothing starts and nothing is billed. The agreement stays in the list."]
    when = f"On {start(agreement)}" if agreement.starts_on else "At once"
    invoice = f"an invoice of {total(agreement) or 'what was used'}, before tax, due in {agreement.days_until_due} days"
    then = f"after a trial of {agreement.trial_days} days " if agreement.trial_days else ""
    less = [f"The discount {agreement.discount} comes off that."] if agreement.discount else []
    return [
        f"{when}, the subscription starts, with access, and {then}Stripe sends {agreement.subscriber} {invoice}.",
        *less,
        f"It renews {agreement.cadence.adverb}, with an invoice by the same terms.",
        "If the subscriber has a live subscription of the same line then, nothing starts, and you are told.",
    ]
