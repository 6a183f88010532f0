"""Rules decide whether the number of an add-on may change, and when: more when it is paid, less with the next period.

Nothing here asks Stripe.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import access, catalogue
from billing.localized import number
from billing.models import AddOn, AddOnPrice, Price, Subscription

from .add_on_items import price_paid
from .change_rules import Effect, check_changeable
from .live_subscription import Standing
from .refusals import AccessWithheld, AddOnNotOffered, ChangePending

UNKNOWN = gettext_lazy("There is no such add-on. Look at what your plan can have.")
MOST = 10_000  # of an add-on that says no number


def add_on_named(slug: str) -> AddOn:
    """Return an add-on, one that is no longer sold too. Raises `AddOnNotOffered`."""
    found = AddOn.objects.filter(slug=slug).prefetch_related("prices").first()
    if found is None:
        raise AddOnNotOffered(UNKNOWN)
    return found


def effect(now: Standing, add_on: AddOn, quantity: int) -> Effect | None:
    """Return when somebody gets so many of an add-on; None if they have or await exactly that.

    1. The number that they have takes back what was to change it.
    2. During a trial nothing was paid, so every change is made at once.
    3. More starts now, when it is paid. Less starts with the next period.

    Raises the refusals of `check_changeable`, `AddOnNotOffered`, `AccessWithheld`, `ChangePending`.
    """
    has, coming = now.add_ons.get(add_on.slug, 0), now.coming_add_ons.get(add_on.slug, 0)
    if quantity == coming:
        return None
    check_changeable(now)
    pending = now.pending
    if quantity == has:
        return Effect.TAKES_BACK
    if quantity > has:
        if access.withheld(now.customer, now.id):
            raise AccessWithheld
        check_offered(add_on, now.price, now.found["currency"], quantity)
        if pending is not None or now.has_pending_update:
            raise ChangePending
        return Effect.NOW
    if pending is not None and pending.kind != Subscription.Pending.SCHEDULED:
        raise ChangePending
    if pending is not None and pending.price and not catalogue.add_ons.is_allowed(add_on, pending.price):
        words = _("{add_on} ends with your change to {plan}, which can't have it.")
        raise AddOnNotOffered(words.format(add_on=add_on.name, plan=pending.price.plan.name))
    return Effect.NOW if now.is_trial else Effect.PERIOD_END


def check_offered(add_on: AddOn, price: Price, currency: str, quantity: int) -> None:
    """Refuse more of an add-on than is sold beside a plan's price, in a currency. Raises `AddOnNotOffered`."""
    if not add_on.is_public or not add_on.is_sold_with(price.plan.slug):
        raise AddOnNotOffered(_not_beside(add_on, price))
    if catalogue.add_ons.price_for(add_on, price.cadence, currency) is None:
        words = _("We don't sell {add_on} {how_often} in {currency}.")
        facts = {"how_often": price.cadence.adverb, "currency": currency.upper()}
        raise AddOnNotOffered(words.format(add_on=add_on.name, **facts))
    most = add_on.most or MOST
    if quantity > most:
        words = _("You can have {most} of {add_on} at most.")
        raise AddOnNotOffered(words.format(most=number(most), add_on=add_on.name))


def price_to_pay(now: Standing, add_on: AddOn) -> AddOnPrice:
    """Return the price of more of an add-on. Raises `AddOnNotOffered`."""
    price = price_paid(now, add_on)
    if price is None:
        raise AddOnNotOffered(_not_beside(add_on, now.price))
    return price


def _not_beside(add_on: AddOn, price: Price) -> str:
    return _("We don't sell {add_on} with {plan}.").format(add_on=add_on.name, plan=price.plan.name)
