"""The prices of a move are named by staff; a pair that cannot be moved is refused with a stable code."""

from dataclasses import dataclass

from billing import catalogue
from billing.cadence import Cadence
from billing.catalogue import amounts
from billing.models import Plan, Price, PriceMove
from billing.stripe_client import fetch, id_of

NAMING = "Name it by its id at Stripe (price_…), or as plan:interval, such as pro:month or pro:3_month."


class PriceMoveRefused(Exception):
    """The move was not begun, and nothing was changed. `code` is stable; the text says what to do."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class NamedPrices:
    """The price that is paid now, and the one that shall be paid. `new` is unsaved if only Stripe has it so far."""

    old: Price
    new: Price


def find_prices(old_name: str, new_name: str) -> NamedPrices:
    """Return the two prices that are named. Raises `PriceMoveRefused`; and `StripeUnavailable` for a new price that
    only Stripe may know.
    """
    old = known_price(old_name)
    if old is None:
        raise PriceMoveRefused("unknown_price", f"We know no price {old_name!r}. {NAMING}")
    new = known_price(new_name) or _at_stripe(new_name, old)
    if new is None:
        raise PriceMoveRefused("unknown_price", f"Neither we nor Stripe know a price {new_name!r}. {NAMING}")
    if old.pk == new.pk and ":" in old_name:
        old = replaced_by(new) or old
    _check(old, new)
    return NamedPrices(old, new)


def known_price(name: str) -> Price | None:
    """Return the price of that id, or the one that is sold by the name of a plan and an interval."""
    if ":" not in name:
        return Price.objects.select_related("plan").filter(pk=name).first()
    slug, _, spelling = name.partition(":")
    plan = Plan.objects.filter(slug=slug).prefetch_related("prices__plan").first()
    try:
        cadence = Cadence.parse(spelling.replace("_", " "))
    except ValueError:
        return None
    return catalogue.price_for_sale(plan, cadence) if plan else None


def replaced_by(new: Price) -> Price | None:
    """Return the price from which a running move goes to this one: a name of it means the new one by then."""
    moves = PriceMove.objects.running().filter(new_price=new).select_related("old_price__plan")
    return next((move.old_price for move in moves), None)


def _at_stripe(name: str, old: Price) -> Price | None:
    """Return a price that was made at Stripe, for the product of the old one: it buys the same plan."""
    if ":" in name or not fetch.ID.fullmatch(name) or (found := fetch.price(name)) is None:
        return None
    if id_of(found["product"]) != old.product or not found.get("recurring"):
        raise PriceMoveRefused("other_product", f"The price {name} is of another product, or paid only once.")
    return Price(pk=found["id"], plan=old.plan, **catalogue.price_columns(found))


def _check(old: Price, new: Price) -> None:
    if old.pk == new.pk:
        raise PriceMoveRefused("same_price", f"Both names mean the price {old.pk}. {_paid_instead(old)}{NAMING}")
    if old.plan_id != new.plan_id or (old.product and new.product and old.product != new.product):
        text = f"{old.pk} buys {old.plan}, and {new.pk} buys {new.plan} or is of another product. Only a subscriber can"
        raise PriceMoveRefused("other_product", f"{text} change plan.")
    if old.cadence != new.cadence:
        text = f"{old.pk} is charged {old.cadence.adverb}, and {new.pk} {new.cadence.adverb}."
        raise PriceMoveRefused("other_interval", f"{text} Make a price with the same interval at Stripe.")
    if missing := [each for each in amounts.currencies(old) if each not in amounts.currencies(new)]:
        sold = ", ".join(each.upper() for each in missing)
        text = f"{new.pk} is not sold in {sold}, which {old.pk} is. Add that currency to it at Stripe."
        raise PriceMoveRefused("other_currency", text)
    _check_kind(old, new)
    if not new.is_active:
        raise PriceMoveRefused("not_for_sale", f"Stripe does not sell {new.pk}: activate the price and its product.")


def _check_kind(old: Price, new: Price) -> None:
    """Refuse what would charge otherwise than a mail can say: by usage, from nothing, or with tax in another way."""
    if amounts.is_metered(old) or amounts.is_metered(new):
        text = "A price by usage cannot be moved: Stripe would bill what was used before by the new price."
        raise PriceMoveRefused("metered_price", text)
    if amounts.is_free(old):
        text = f"{old.pk} costs nothing, so its subscribers never gave a way to pay. Let them choose a plan themselves."
        raise PriceMoveRefused("free_price", text)
    behaviors = {amounts.tax_behavior(price, old.currency) for price in (old, new)} - {"unspecified"}
    if len(behaviors) > 1:
        text = f"One of {old.pk} and {new.pk} includes tax, and the other does not, so their amounts do not compare."
        raise PriceMoveRefused("other_tax", text)


def _paid_instead(sold: Price) -> str:
    """Return the sentence that names the prices which the one that is sold has replaced."""
    earlier = Price.objects.filter(plan=sold.plan, interval=sold.interval, interval_count=sold.interval_count)
    names = list(earlier.exclude(pk=sold.pk).order_by("-created_at").values_list("pk", flat=True)[:5])
    return f"Earlier prices of it are {', '.join(names)}. " if names else ""
