"""Packs come from the setting BILLING_PACKS if it is set, otherwise from two defaults."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from billing.conf import conf
from billing.models import Pack, Plan, PlanLimit

from .definitions import is_from_settings

COLUMNS = ("name", "description", "feature", "quantity", "is_own", "lasts_days", "is_public")


@dataclass(frozen=True)
class PackDefinition:
    """A definition states a pack as the settings do: `quantity` credits of a `feature`, or a `plan` (its slug), for
    `lasts_days` or for good; or what is the project's own (`is_own`). `prices`: currency → amount in minor units, the
    main currency first.
    """

    slug: str
    name: str
    description: str = ""
    feature: str = ""
    quantity: int | None = None
    plan: str = ""
    is_own: bool = False
    lasts_days: int | None = None
    is_public: bool = True
    prices: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return the lookup key of its price at Stripe."""
        return f"pack_{self.slug}"


DEFAULT_PACKS: list[dict[str, Any]] = [
    {
        "slug": "credits_1000",
        "name": _("1,000 generations"),
        "description": _("For a busy month. They don't expire."),
        "feature": "generations",
        "quantity": 1_000,
        "prices": {"usd": 1_500, "eur": 1_400, "gbp": 1_200, "jpy": 2_300},
    },
    {
        "slug": "lifetime_pro",
        "name": _("Pro for good"),
        "description": _("Pay once, keep it."),
        "plan": "pro",
        "prices": {"usd": 40_000, "eur": 38_000, "gbp": 32_000, "jpy": 60_000},
    },
]


def defined_packs() -> list[PackDefinition]:
    """Return the packs of BILLING_PACKS. The defaults stand beside the default plans only."""
    if conf.packs is not None:
        return [PackDefinition(**pack) for pack in conf.packs]
    return [] if is_from_settings() else [PackDefinition(**pack) for pack in DEFAULT_PACKS]


def stated() -> list[PackDefinition]:
    """Return the defined packs whose plan or feature exists, and those of the project's own; a system check names the
    others."""
    plans = set(Plan.objects.values_list("slug", flat=True))
    features = set(PlanLimit.objects.values_list("feature", flat=True))
    return [pack for pack in defined_packs() if pack.is_own or pack.plan in plans or pack.feature in features]


@transaction.atomic
def update_packs() -> int:
    """Make or change the packs as they are defined, and return how many were made or changed.

    A pack that is no longer defined is no longer sold, and stays for its buyers.
    """
    plans, found = {plan.slug: plan for plan in Plan.objects.all()}, stated()
    changed = sum(_update(pack, place, plans.get(pack.plan)) for place, pack in enumerate(found))
    withdrawn = Pack.objects.filter(is_public=True).exclude(slug__in=[pack.slug for pack in found])
    return changed + withdrawn.update(is_public=False)


def _update(pack: PackDefinition, place: int, plan: Plan | None) -> bool:
    columns = {**{name: getattr(pack, name) for name in COLUMNS}, "plan": plan, "place": place}
    row, is_new = Pack.objects.get_or_create(slug=pack.slug, defaults=columns)
    if not is_new and all(getattr(row, name) == value for name, value in columns.items()):
        return False
    Pack.objects.filter(pk=row.pk).update(**columns)
    return True


def for_sale() -> QuerySet[Pack]:
    return Pack.objects.filter(is_public=True).exclude(price_id="").select_related("plan")


def record_price(pack: PackDefinition, price: dict[str, Any]) -> None:
    """Keep what Stripe's price of a pack says."""
    options = price.get("currency_options") or {}
    amounts = {currency: option["unit_amount"] for currency, option in options.items()}
    Pack.objects.filter(slug=pack.slug).update(
        price_id=price["id"] if price["active"] else "",
        product=price["product"] if isinstance(price["product"], str) else price["product"]["id"],
        currency=price["currency"],
        amounts=amounts or {price["currency"]: price["unit_amount"]},
    )


def currencies_of(pack: Pack) -> list[str]:
    """Return the currencies in which a pack is sold, the main one first."""
    return [pack.currency, *(currency for currency in pack.amounts if currency != pack.currency)]
