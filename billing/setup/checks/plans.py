"""These checks go through BILLING_PLANS and BILLING_PACKS, one by one."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from billing.cadence import LONGEST, Cadence
from billing.catalogue import definitions, lookup_key, overage
from billing.conf import conf
from billing.models import LONGEST_TRIAL, Plan, PlanLimit

from . import kinds
from .kinds import Kind
from .problems import Check, Problem, finds

WANTED = (
    'Write a list of {"slug": "pro", "name": "Pro", "limits": {"exports": 100}, "prices": {"month": {"usd": 2000}, '
    '"3 month": {"usd": 5400}}}, amounts in minor units (docs/seams.md).'
)


def _texts(longest: int) -> Kind:
    words = f"a text of up to {longest} characters, not a translated one: it is stored, in one language"
    return Kind(words, lambda v: isinstance(v, str) and len(v) <= longest)


def _number(model: type[Plan | PlanLimit], name: str) -> Kind:
    """Return the kind of numbers that the column takes on every database, None where it may be empty."""
    field: Any = model._meta.get_field(name)
    kind = kinds.whole(0, MOST[field.get_internal_type()])
    if not field.null:
        return kind
    return Kind(f"{kind.words}, or None", lambda v: v is None or kind.is_right(v))


def _slug(longest: int) -> Kind:
    words = f"letters, digits, - and _, up to {longest} of them"
    return Kind(words, lambda v: kinds.matching(kinds.SLUG, words).is_right(v) and len(v) <= longest)


def _by(key: Kind, value: Kind, words: str) -> Kind:
    return Kind(
        words,
        lambda v: isinstance(v, dict) and all(key.is_right(k) and value.is_right(item) for k, item in v.items()),
    )


def _cadence(spelling: str) -> Cadence | None:
    try:
        found = Cadence.parse(spelling)
    except ValueError:
        return None
    return found if found.is_sellable else None


def _longest(name: str) -> int:
    field: Any = Plan._meta.get_field(name)
    return int(field.max_length)


CADENCE = Kind("an interval", lambda v: isinstance(v, str) and _cadence(v) is not None)
LOWER = Kind("a currency", lambda v: kinds.matching(kinds.CURRENCY, "").is_right(v) and v.islower())
MOST = {"PositiveSmallIntegerField": 2**15 - 1, "PositiveBigIntegerField": 2**63 - 1}
AMOUNTS = Kind("amounts", lambda v: bool(v) and _by(LOWER, kinds.whole(1), "").is_right(v))
OVERAGE = Kind(
    "amounts",
    lambda v: bool(v) and _by(LOWER, Kind("", lambda each: overage.amount_of(each) is not None), "").is_right(v),
)
SPELLINGS = "A count stands before day, week, month or year, without a plural, and three years are the longest."
NAMED = {
    "quarter": "3 month", "quarterly": "3 month", "half_year": "6 month", "half-year": "6 month", "halfyear": "6 month",
    "biannual": "6 month", "annual": "year", "yearly": "year", "annually": "year", "monthly": "month",
    "weekly": "week", "daily": "day", "biweekly": "2 week", "fortnight": "2 week", "biennial": "2 year",
}  # fmt: skip
FIELDS = {
    "slug": kinds.matching(kinds.SLUG, "letters, digits, - and _"),
    "name": _texts(_longest("name")),
    "rank": _number(Plan, "rank"),
    "description": _texts(_longest("description")),
    "line": _slug(_longest("line")),
    "limits": _by(_slug(50), _number(PlanLimit, "quantity"), "features with a number per month, None for no limit"),
    "overage": _by(_slug(50), OVERAGE, "features → currency in lower case → minor units above 0, 3 or '2.5'"),
    "rollover": _by(_slug(50), _number(PlanLimit, "rollover"), "features with how many of a month's rest are kept"),
    "trial_days": _number(Plan, "trial_days"),
    "trial_without_card": kinds.one_of("", *Plan.WithoutCard.values),
    "grace_days": _number(Plan, "grace_days"),
    "min_seats": kinds.whole(1, MOST["PositiveSmallIntegerField"]),
    "is_public": kinds.FLAG,
    "prices": _by(CADENCE, AMOUNTS, "an interval → currency in lower case → minor units above 0"),
}

PACKS_WANTED = (
    'Write a list of {"slug": "credits", "name": "1,000 exports", "feature": "exports", "quantity": 1000, "prices": '
    '{"usd": 1500}}, or with "plan": "pro" or "is_own": True in place of feature and quantity; amounts in minor units '
    "(docs/packs.md)."
)
PACK_FIELDS = {
    "slug": _slug(45),
    "name": _texts(_longest("name")),
    "description": _texts(_longest("description")),
    "feature": _slug(50),
    "quantity": kinds.whole(1, 2**53),
    "plan": _slug(50),
    "lasts_days": Kind("whole days, 1 to 36500, or None", lambda v: v is None or kinds.whole(1, 36_500).is_right(v)),
    "is_own": kinds.FLAG,
    "is_public": kinds.FLAG,
    "prices": AMOUNTS,
}


@finds("billing.E012")
def check_plans() -> Problem:
    """BILLING_PLANS is a list of plans, each with a unique slug, a name and no unknown fields."""
    problem = next(problems_in(conf.plans), None)
    return (f"BILLING_PLANS: {problem}.", WANTED) if problem else None


@finds("billing.E067")
def check_intervals() -> Problem:
    """BILLING_PLANS spells intervals like `month` or `3 month`, up to three years, and no two have one lookup key."""
    if not isinstance(conf.plans, list | tuple):
        return None
    plans = [plan for plan in conf.plans if isinstance(plan, dict) and isinstance(plan.get("prices"), dict)]
    for plan in plans:
        for spelling in plan["prices"]:
            if not CADENCE.is_right(spelling):
                problem = f"BILLING_PLANS: {plan.get('slug')}: {spelling!r} is not an interval that Stripe sells by."
                return problem, f"Write {_likely(str(spelling))}. {SPELLINGS}"
    keys = [lookup_key(str(plan.get("slug")), Cadence.parse(each)) for plan in plans for each in plan["prices"]]
    twice = next((key for key in keys if keys.count(key) > 1), "")
    if not twice:
        return None
    return (
        f"BILLING_PLANS: two prices have the lookup key {twice!r}, so Stripe could sell only one of them.",
        "Give one of the two plans a slug that does not end with a number.",
    )


@finds("billing.E210")
def check_overage() -> Problem:
    """Each plan of BILLING_PLANS prices use beyond a limit that it has, in every currency that it is sold in."""
    problem = next(_overage_problems(), None) if not next(problems_in(conf.plans), None) else None
    return (f"BILLING_PLANS: {problem}.", "See docs/pay-by-use.md for what `overage` may say.") if problem else None


def _overage_problems() -> Iterator[str]:
    for plan in conf.plans or ():
        sold = list(dict.fromkeys(currency for amounts in plan.get("prices", {}).values() for currency in amounts))
        for feature, amounts in plan.get("overage", {}).items():
            name = f"{plan['slug']}: overage of {feature!r}"
            if plan.get("limits", {}).get(feature) is None:
                yield f"{name} needs a number for it among the limits"
            elif not sold or plan["slug"] == conf.free_plan:
                yield f"{name} needs a plan that is sold, since its subscription bills it"
            elif lacking := [currency for currency in sold if currency not in amounts]:
                yield f"{name} lacks an amount in {', '.join(lacking)}"


@finds("billing.E188")
def check_trials() -> Problem:
    """No plan of BILLING_PLANS has a trial of more than two years, which is the most that Stripe takes."""
    plans = conf.plans if isinstance(conf.plans, list | tuple) else []
    days = {plan.get("slug"): plan.get("trial_days", 0) for plan in plans if isinstance(plan, dict)}
    longer = [slug for slug, number in days.items() if type(number) is int and number > LONGEST_TRIAL]
    if not longer:
        return None
    return (
        f"BILLING_PLANS: {', '.join(map(str, longer))}: the trial is longer than two years, and Stripe refuses it.",
        f"Set `trial_days` to at most {LONGEST_TRIAL}. For a longer time give a grant (docs/plans-and-limits.md).",
    )


def _likely(spelling: str) -> str:
    """Return what a wrong spelling probably means, in quotes."""
    if spelling.lower() in NAMED:
        return repr(NAMED[spelling.lower()])
    count, unit = re.search(r"\d+", spelling), re.search("day|week|month|year", spelling.lower())
    if unit is None:
        return "'month' or '3 month'"
    found = Cadence(unit[0], int(count[0]) if count else 1)
    return repr(str(found if found.is_sellable else Cadence(unit[0], LONGEST[unit[0]])))


@finds("billing.E013")
def check_free_plan() -> Problem:
    """BILLING_FREE_PLAN is the slug of a plan, if BILLING_PLANS is set."""
    if not definitions.is_from_settings() or next(problems_in(conf.plans), None):
        return None
    slugs = [plan.slug for plan in definitions.defined_plans()]
    if conf.free_plan in slugs:
        return None
    return (
        f"BILLING_FREE_PLAN is {conf.free_plan!r}, but BILLING_PLANS has no such plan, so the free plan is missing.",
        f"Set BILLING_FREE_PLAN to one of {', '.join(slugs) or 'your plans'}, or add the plan.",
    )


def problems_in(plans: Any, fields: dict[str, Kind] = FIELDS, noun: str = "plan") -> Iterator[str]:
    if plans is None:
        return
    if not isinstance(plans, list | tuple) or not all(isinstance(plan, dict) for plan in plans):
        yield "is not a list of dictionaries"
        return
    for place, plan in enumerate(plans, 1):
        name = plan.get("slug") or f"{noun} {place}"
        yield from (f"{name} lacks {field!r}" for field in ("slug", "name") if field not in plan)
        yield from (f"{name} has the unknown field {field!r}" for field in plan if field not in fields)
        yield from (
            f"{name}: {field!r} is {plan[field]!r}, and must be {kind.words}"
            for field, kind in fields.items()
            if field in plan and not kind.is_right(plan[field])
        )
    slugs = [plan["slug"] for plan in plans if "slug" in plan]
    yield from (f"the slug {slug!r} is used twice" for slug in slugs if slugs.count(slug) > 1)


@finds("billing.E195")
def check_packs() -> Problem:
    """BILLING_PACKS is a list of packs, each of credits, of a plan that exists, or of what is the project's own."""
    problem = next(chain(problems_in(conf.packs, PACK_FIELDS, "pack"), _pack_problems()), None)
    return (f"BILLING_PACKS: {problem}.", PACKS_WANTED) if problem else None


def _pack_problems() -> Iterator[str]:
    plans = {plan.slug: plan for plan in definitions.defined_plans()} if not next(problems_in(conf.plans), None) else {}
    features = {feature for plan in plans.values() for feature in plan.limits}
    for pack in conf.packs or ():
        name, plan, feature = pack.get("slug"), pack.get("plan"), pack.get("feature")
        own = pack.get("is_own") is True
        if [bool(plan), bool(feature), own].count(True) != 1:
            yield f"{name} must give either a 'plan' or a 'feature', or say that it 'is_own'"
        elif bool(feature) != bool(pack.get("quantity")):
            yield f"{name}: a 'quantity' is of a 'feature', and a feature needs one"
        elif own and pack.get("lasts_days"):
            yield f"{name}: what 'is_own' ends by a rule of yours, so it has no 'lasts_days'"
        elif plan and definitions.is_from_settings() and (plan not in plans or plan == conf.free_plan):
            yield f"{name}: there is no plan {plan!r} that is sold"
        elif feature and definitions.is_from_settings() and feature not in features:
            yield f"{name}: no plan of BILLING_PLANS has the feature {feature!r}"


CHECKS: tuple[Check, ...] = (check_plans, check_intervals, check_overage, check_trials, check_free_plan, check_packs)
