"""The pages say what somebody has of add-ons, what becomes of them, and what each gives."""

from typing import Any

from billing.cadence import Cadence
from billing.lifecycle import Overview, add_on_items, held_add_ons
from billing.models import AddOn, Plan, Subscription
from billing.money import format_amount

from .banners import Banner, Tone
from .days import day
from .status_words import humanize


def gives(add_on: AddOn, quantity: int = 1) -> str:
    """Return what so many of an add-on give: "500 more generations per month"."""
    return ", ".join(
        f"{humanize(feature)} without limit"
        if each is None
        else f"{each * quantity:,} more {humanize(feature)} per month"
        for feature, each in add_on.limits.items()
    )


def counted(name: str, quantity: int) -> str:
    """Return "2 × 500 more generations"; the name alone for one."""
    return name if quantity == 1 else f"{quantity} × {name}"


def of_account(overview: Overview) -> list[dict[str, Any]]:
    """Return what the account page shows of each add-on: its name, its amount, and what becomes of it."""
    return [
        {
            "name": counted(held.add_on.name, held.quantity),
            "amount": _amount(held.amount, held.currency, held.price.cadence),
            "then": "" if held.then is None else ("none" if held.then == 0 else f"{held.then:,}"),
        }
        for held in overview.add_ons
    ]


def in_change(
    outlooks: list[add_on_items.Outlook], plan: Plan, currency: str, cadence: Cadence
) -> list[tuple[str, bool]]:
    """Return a sentence for each add-on about a change of plan, and whether it is kept."""
    said = []
    for each in outlooks:
        name = counted(each.name, each.quantity)
        if each.is_kept:
            said.append((f"You keep {name}, {_amount(each.cost, currency, cadence)}.", True))
        else:
            said.append(
                (f"{name} ends with this change, because we don't sell it with {plan.name} {cadence.adverb}.", False)
            )
    return said


def ends_with(overview: Overview) -> str:
    """Return the sentence about add-ons for who thinks of cancelling; "" without any."""
    names = [counted(held.add_on.name, held.quantity) for held in overview.add_ons]
    return f"What you have on top of your plan ends with it: {', '.join(names)}." if names else ""


def paused_with(overview: Overview) -> str:
    names = [counted(held.add_on.name, held.quantity) for held in overview.add_ons]
    return f"What you have on top of your plan is paused with it: {', '.join(names)}." if names else ""


def pending(overview: Overview) -> Banner | None:
    """Return the banner of a change that is of add-ons alone; None for any other."""
    change, held = overview.pending_change, overview.subscription
    if change is None or held is None or change.add_ons is None or change.add_ons == held.add_ons:
        return None
    if change.price is None or change.price != held.price:
        return None
    more, until = _names(change.add_ons, held), "Until then everything stays as it is."
    if change.effective_at:
        return Banner(
            Tone.NOTICE, f"Your add-ons change on {day(change.effective_at)}", f"From then on: {more}. {until}"
        )
    if change.kind == Subscription.Pending.AWAITED:
        text = f"You get {more} when the payment arrives. {until}"
        link = (change.confirm_url, "Pay the invoice") if change.confirm_url else ("", "")
        return Banner(Tone.NOTICE, "Your add-ons wait for their payment", text, *link)
    text = f"You get {more} when it is confirmed. Until then nothing is charged."
    return Banner(Tone.WARNING, "Confirm the payment for your add-ons", text, change.confirm_url, "Confirm the payment")


def dropped(overview: Overview) -> str:
    """Return the sentence about add-ons that end with a scheduled change of plan; "" where none does."""
    change, held = overview.pending_change, overview.subscription
    if change is None or held is None or change.add_ons is None:
        return ""
    gone = {slug: count for slug, count in held.add_ons.items() if slug not in change.add_ons}
    return f" {_names(gone, held)} ends then." if gone else ""


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
                "amount": "" if amount is None else format_amount(amount, currency),
                "per": paid.cadence.per,
                "quantity": has.quantity if has else 0,
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
            "amount": format_amount(price.amounts[currency], currency),
            "per": price.cadence.per,
        }
        for add_on, price in held_add_ons.sold_with(plan, cadence, currency)
    ]


def _names(add_ons: dict[str, int], held: Subscription) -> str:
    names = dict(AddOn.objects.filter(slug__in=add_ons).values_list("slug", "name"))
    return ", ".join(counted(names.get(slug, slug), count) for slug, count in add_ons.items()) or "none"


def _amount(amount: int | None, currency: str, cadence: Cadence) -> str:
    return "" if amount is None else f"{format_amount(amount, currency)} {cadence.per}"
