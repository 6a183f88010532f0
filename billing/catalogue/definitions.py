"""Plans come from the setting BILLING_PLANS if it is set, otherwise from three defaults that staff edit."""

from dataclasses import dataclass, field, fields
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop as _

from billing.cadence import Cadence
from billing.conf import conf
from billing.models import MAIN_LINE, Plan, PlanLimit, Price

Interval = Price.Interval
WHY_READ_ONLY = "The setting BILLING_PLANS defines these plans: change them there, then run `manage.py setup`."


@dataclass(frozen=True)
class PlanDefinition:
    """A definition states a plan as the settings do.

    `limits`: feature → how many a month, None for any number. `overage`: feature → currency → minor units for each use
    beyond its limit, a whole number or a text such as "2.5". `rollover`: feature → how many of what a month has left
    are kept as credits at most. `prices`: cadence, such as `month` or `3 month` → currency → amount in minor units,
    the main currency first. `grace_days` None: BILLING_GRACE_DAYS. `trial_without_card` "":
    BILLING_TRIAL_WITHOUT_CARD. `line`: the plans that it excludes. `min_seats`: seats that are billed at least.
    """

    slug: str
    name: str
    rank: int
    description: str = ""
    line: str = MAIN_LINE
    limits: dict[str, int | None] = field(default_factory=dict)
    overage: dict[str, dict[str, Any]] = field(default_factory=dict)
    rollover: dict[str, int] = field(default_factory=dict)
    trial_days: int = 0
    trial_without_card: str = ""
    grace_days: int | None = None
    min_seats: int = 1
    is_public: bool = True
    prices: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def cadences(self) -> dict[Cadence, dict[str, int]]:
        """Return the prices by cadence. Raises ValueError for a wrong spelling, which a system check refuses."""
        return {Cadence.parse(spelling): amounts for spelling, amounts in self.prices.items()}

    def overage_of(self, feature: str) -> dict[str, str]:
        """Return what a use beyond the limit costs by currency, as texts; nothing where it is refused."""
        return {currency: str(amount) for currency, amount in self.overage.get(feature, {}).items()}

    @property
    def columns(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in COLUMNS}


ELSEWHERE = {"slug", "limits", "overage", "rollover", "prices"}
COLUMNS = tuple(f.name for f in fields(PlanDefinition) if f.name not in ELSEWHERE)

# The names and descriptions are kept in English, and translated where they are shown (`localized.own_words`).
FEATURES = (_("generations"),)
DEFAULT_PLANS: list[dict[str, Any]] = [
    {
        "slug": "free",
        "name": _("Free"),
        "description": _("Everything you need to try it out."),
        "limits": {"generations": 10},
    },
    {
        "slug": "pro",
        "name": _("Pro"),
        "description": _("For one person who uses it every day."),
        "limits": {"generations": 1_000},
        "prices": {
            Interval.MONTH: {"usd": 2_000, "eur": 1_900, "gbp": 1_600, "jpy": 3_000},
            Interval.YEAR: {"usd": 20_000, "eur": 19_000, "gbp": 16_000, "jpy": 30_000},
        },
    },
    {
        "slug": "team",
        "name": _("Team"),
        "description": _("For a team that builds on it together."),
        "limits": {"generations": 10_000},
        "trial_days": 14,
        "prices": {
            Interval.MONTH: {"usd": 6_000, "eur": 5_500, "gbp": 4_800, "jpy": 9_000},
            Interval.YEAR: {"usd": 60_000, "eur": 55_000, "gbp": 48_000, "jpy": 90_000},
        },
    },
]


def is_from_settings() -> bool:
    """Return whether BILLING_PLANS defines the plans, rather than staff in the admin."""
    return conf.plans is not None


def defined_plans() -> list[PlanDefinition]:
    """Return the plans of the settings, or the defaults. A plan without a rank gets that of its place in the list."""
    stated = DEFAULT_PLANS if conf.plans is None else conf.plans
    return [PlanDefinition(**{"rank": place, **plan}) for place, plan in enumerate(stated)]


@transaction.atomic
def update_plans() -> int:
    """Make the plans that are missing, and return how many plans were made or changed.

    If BILLING_PLANS defines the plans, the others are updated too; a plan that was taken out of it is no longer sold,
    and stays for its subscribers.
    """
    return sum(_update_plan(plan) for plan in defined_plans()) + _withdraw_plans()


def plans_out_of_line() -> list[str]:
    """Return the slugs of plans that differ from BILLING_PLANS; none if that setting does not define them."""
    if not is_from_settings():
        return []
    rows = {plan.slug: plan for plan in Plan.objects.prefetch_related("limits")}
    found = [plan.slug for plan in defined_plans() if plan.slug not in rows or _differs(plan, rows[plan.slug])]
    return [*found, *_withdrawn_plans().values_list("slug", flat=True)]


def _update_plan(plan: PlanDefinition) -> bool:
    row, is_new = Plan.objects.get_or_create(slug=plan.slug, defaults=plan.columns)
    if not is_new and not _differs(plan, row):
        return False
    Plan.objects.filter(pk=row.pk).update(**plan.columns)
    row.limits.exclude(feature__in=plan.limits).delete()
    for feature, quantity in plan.limits.items():
        columns = {
            "quantity": quantity,
            "overage": plan.overage_of(feature),
            "rollover": plan.rollover.get(feature, 0),
        }
        PlanLimit.objects.update_or_create(plan=row, feature=feature, defaults=columns)
    return True


def _differs(plan: PlanDefinition, row: Plan) -> bool:
    """Return whether a row differs from its definition. A row that staff may edit never does."""
    if not is_from_settings():
        return False
    limits = {each.feature: (each.quantity, each.overage, each.rollover) for each in row.limits.all()}
    stated = {
        feature: (quantity, plan.overage_of(feature), plan.rollover.get(feature, 0))
        for feature, quantity in plan.limits.items()
    }
    return limits != stated or any(getattr(row, name) != value for name, value in plan.columns.items())


def _withdrawn_plans() -> Any:
    rows = Plan.objects.filter(is_public=True)
    return rows.exclude(slug__in=[plan.slug for plan in defined_plans()]) if is_from_settings() else rows.none()


def _withdraw_plans() -> int:
    return _withdrawn_plans().update(is_public=False)
