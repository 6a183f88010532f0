"""These checks go through BILLING_PLANS, plan by plan."""

from collections.abc import Iterator
from typing import Any

from billing.catalogue import definitions
from billing.conf import conf
from billing.models import Plan, Price

from . import kinds
from .kinds import Kind
from .problems import Check, Problem, finds

WANTED = (
    'Write a list of {"slug": "pro", "name": "Pro", "limits": {"exports": 100}, "prices": {"month": {"usd": 2000}}}, '
    "amounts in minor units (docs/seams.md)."
)
ANY_NUMBER = Kind("a whole number of at least 0, or None", lambda v: v is None or kinds.whole(0).is_right(v))


def _texts(longest: int) -> Kind:
    return Kind(f"a text of up to {longest} characters", lambda v: isinstance(v, str) and len(v) <= longest)


def _slug(longest: int) -> Kind:
    words = f"letters, digits, - and _, up to {longest} of them"
    return Kind(words, lambda v: kinds.matching(kinds.SLUG, words).is_right(v) and len(v) <= longest)


def _by(key: Kind, value: Kind, words: str) -> Kind:
    return Kind(
        words,
        lambda v: isinstance(v, dict) and all(key.is_right(k) and value.is_right(item) for k, item in v.items()),
    )


def _longest(name: str) -> int:
    field: Any = Plan._meta.get_field(name)
    return int(field.max_length)


INTERVAL = Kind("an interval", lambda v: v in Price.Interval.values)
LOWER = Kind("a currency", lambda v: kinds.matching(kinds.CURRENCY, "").is_right(v) and v.islower())
AMOUNTS = Kind("amounts", lambda v: bool(v) and _by(LOWER, kinds.whole(1), "").is_right(v))
FIELDS = {
    "slug": kinds.matching(kinds.SLUG, "letters, digits, - and _"),
    "name": _texts(_longest("name")),
    "rank": kinds.whole(0),
    "description": _texts(_longest("description")),
    "line": _slug(_longest("line")),
    "limits": _by(kinds.matching(kinds.SLUG, ""), ANY_NUMBER, "features with a number per month, None for no limit"),
    "trial_days": kinds.whole(0),
    "grace_days": ANY_NUMBER,
    "is_public": kinds.FLAG,
    "prices": _by(INTERVAL, AMOUNTS, "day, week, month or year → currency in lower case → minor units above 0"),
}


@finds("billing.E012")
def check_plans() -> Problem:
    """BILLING_PLANS is a list of plans, each with a unique slug, a name and no unknown fields."""
    problem = next(_problems(conf.plans), None)
    return (f"BILLING_PLANS: {problem}.", WANTED) if problem else None


@finds("billing.E013")
def check_free_plan() -> Problem:
    """BILLING_FREE_PLAN is the slug of a plan, if BILLING_PLANS is set."""
    if not definitions.is_from_settings() or next(_problems(conf.plans), None):
        return None
    slugs = [plan.slug for plan in definitions.defined_plans()]
    if conf.free_plan in slugs:
        return None
    return (
        f"BILLING_FREE_PLAN is {conf.free_plan!r}, but BILLING_PLANS has no such plan, so the free plan is missing.",
        f"Set BILLING_FREE_PLAN to one of {', '.join(slugs) or 'your plans'}, or add the plan.",
    )


def _problems(plans: Any) -> Iterator[str]:
    if plans is None:
        return
    if not isinstance(plans, list | tuple) or not all(isinstance(plan, dict) for plan in plans):
        yield "is not a list of dictionaries"
        return
    for place, plan in enumerate(plans, 1):
        name = plan.get("slug") or f"plan {place}"
        yield from (f"{name} lacks {field!r}" for field in ("slug", "name") if field not in plan)
        yield from (f"{name} has the unknown field {field!r}" for field in plan if field not in FIELDS)
        yield from (
            f"{name}: {field!r} is {plan[field]!r}, and must be {kind.words}"
            for field, kind in FIELDS.items()
            if field in plan and not kind.is_right(plan[field])
        )
    slugs = [plan["slug"] for plan in plans if "slug" in plan]
    yield from (f"the slug {slug!r} is used twice" for slug in slugs if slugs.count(slug) > 1)


CHECKS: tuple[Check, ...] = (check_plans, check_free_plan)
