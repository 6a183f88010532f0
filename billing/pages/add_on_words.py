"""The pages say what somebody has of add-ons, what becomes of them, and what each gives."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billing import localized
from billing.cadence import Cadence
from billing.lifecycle import Overview, add_on_items, held_add_ons
from billing.localized import number, own_words
from billing.models import AddOn, Plan, Subscription

from .banners import Banner, Tone
from .days import day
from .status_words import humanize


def gives(add_on: AddOn, quantity: int = 1) -> str:
    """Return what so many of an add-on give: "500 more generations per month"."""
    return ", ".join(
        _("{feature} without limit").format(feature=humanize(feature))
        if each is None
        else _("{count} more {feature} per month").format(count=number(each * quantity), feature=humanize(feature))
        for feature, each in add_on.limits.items()
    )


def counted(name: str, quantity: int) -> str:
    """Return "2 × 500 more generations"; the name alone for one."""
    return name if quantity == 1 else f"{number(quantity)} × {name}"


def of_account(overview: Overview) -> list[dict[str, Any]]:
    """Return what the account page shows of each add-on: its name, and its amount with what becomes of it."""
    return [
        {
            "name": counted(own_words(held.add_on.name), held.quantity),
            "amount": _then(_amount(held.amount, held.currency, held.price.cadence), held.then),
        }
        for held in overview.add_ons
    ]


def in_change(
    outlooks: list[add_on_items.Outlook], plan: Plan, currency: str, cadence: Cadence
) -> list[tuple[str, bool]]:
    """Return a sentence for each add-on about a change of plan, and whether it is kept."""
    said = []
    for each in outlooks:
        name = counted(own_words(each.name), each.quantity)
        if each.is_kept:
            words = _("You keep {add_on}, {amount}.")
            said.append((words.format(add_on=name, amount=_amount(each.cost, currency, cadence)), True))
        else:
            words = _("{add_on} ends with this change, because we don't sell it with {plan} {how_often}.")
            said.append((words.format(add_on=name, plan=own_words(plan.name), how_often=cadence.adverb), False))
    return said


def ends_with(overview: Overview) -> str:
    """Return the sentence about add-ons for who thinks of cancelling; "" without any."""
    names = [counted(own_words(held.add_on.name), held.quantity) for held in overview.add_ons]
    words = _("What you have on top of your plan ends with it: {add_ons}.")
    return words.format(add_ons=", ".join(names)) if names else ""


def paused_with(overview: Overview) -> str:
    names = [counted(own_words(held.add_on.name), held.quantity) for held in overview.add_ons]
    words = _("What you have on top of your plan is paused with it: {add_ons}.")
    return words.format(add_ons=", ".join(names)) if names else ""


def pending(overview: Overview) -> Banner | None:
    """Return the banner of a change that is of add-ons alone; None for any other."""
    change, held = overview.pending_change, overview.subscription
    if change is None or held is None or change.add_ons is None or change.add_ons == held.add_ons:
        return None
    if change.price is None or change.price != held.price:
        return None
    more = _names(change.add_ons, held)
    if change.effective_at:
        headline = _("Your add-ons change on {date}").format(date=day(change.effective_at))
        text = _("From then on: {add_ons}. Until then everything stays as it is.").format(add_ons=more)
        return Banner(Tone.NOTICE, headline, text)
    if change.kind == Subscription.Pending.AWAITED:
        text = _("You get {add_ons} when the payment arrives. Until then everything stays as it is.")
        link = (change.confirm_url, _("Pay the invoice")) if change.confirm_url else ("", "")
        return Banner(Tone.NOTICE, _("Your add-ons wait for their payment"), text.format(add_ons=more), *link)
    text = _("You get {add_ons} when it is confirmed. Until then nothing is charged.").format(add_ons=more)
    headline = _("Confirm the payment for your add-ons")
    return Banner(Tone.WARNING, headline, text, change.confirm_url, _("Confirm the payment"))


def dropped(overview: Overview) -> str:
    """Return the sentence about add-ons that end with a scheduled change of plan; "" where none does."""
    change, held = overview.pending_change, overview.subscription
    if change is None or held is None or change.add_ons is None:
        return ""
    gone = {slug: count for slug, count in held.add_ons.items() if slug not in change.add_ons}
    if not gone:
        return ""
    words = ngettext("{add_ons} ends then.", "{add_ons} end then.", len(gone))
    return " " + words.format(add_ons=_names(gone, held))


def offers(subscription: Subscription | None) -> list[dict[str, Any]]:
    """Return what the page of add-ons shows: those that are sold with the plan, and those that there are besides."""
    held = {each.add_on.slug: each for each in held_add_ons.held_by(subscription)}
    sold = held_add_ons.offered_to(subscription)
    rows = [(add_on, price, subscription.currency if subscription else "") for add_on, price in sold]
    known = {add_on.slug for add_on, _ in sold}
    rows += [(each.add_on, each.price, each.currency) for slug, each in held.items() if slug not in known]
    found = []
    for add_on, price, currency in rows:
        has = held.get(add_on.slug)
        paid = has.price if has else price
        amount = paid.amounts.get(currency)
        found.append(
            {
                "add_on": add_on,
                "gives": gives(add_on),
                "amount": "" if amount is None else localized.amount(amount, currency),
                "per": paid.cadence.per,
                "quantity": has.quantity if has else 0,
                "count": number(has.quantity) if has else "",
                "most": add_on.most,
                "is_sold": add_on.slug in known,
            }
        )
    return found


def beside(plan: Plan, cadence: Cadence, currency: str) -> list[dict[str, Any]]:
    """Return what the checkout page offers with a plan."""
    return [
        {
            "add_on": add_on,
            "gives": gives(add_on),
            "amount": localized.amount(price.amounts[currency], currency),
            "per": price.cadence.per,
        }
        for add_on, price in held_add_ons.sold_with(plan, cadence, currency)
    ]


def _names(add_ons: dict[str, int], held: Subscription) -> str:
    names = dict(AddOn.objects.filter(slug__in=add_ons).values_list("slug", "name"))
    said = ", ".join(counted(names.get(slug, slug), count) for slug, count in add_ons.items())
    return said or pgettext("add-ons", "none")


def _then(amount: str, count: int | None) -> str:
    """Return an amount with how many there are from the next period on; None: as many as now."""
    if count is None:
        return amount
    if count == 0:
        return _("{amount}, then none").format(amount=amount)
    return _("{amount}, then {count}").format(amount=amount, count=number(count))


def _amount(amount: int | None, currency: str, cadence: Cadence) -> str:
    return "" if amount is None else f"{localized.amount(amount, currency)} {cadence.per}"
