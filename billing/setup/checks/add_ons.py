"""These checks go through BILLING_ADD_ONS, one by one."""

from collections.abc import Iterator
from typing import Any

from billing.cadence import Cadence
from billing.catalogue import add_ons, definitions
from billing.conf import conf

from . import kinds
from .kinds import Kind
from .plans import CADENCE, FIELDS, PACK_FIELDS, problems_in
from .problems import Check, Problem, finds

MOST = 2**31 - 1
WANTED = (
    'Write a list of {"slug": "extra", "name": "100 more exports", "limits": {"exports": 100}, "plans": ["pro"], '
    '"prices": {"month": {"usd": 500}}}, amounts in minor units (docs/add-ons.md).'
)


def _is_limits(value: Any) -> bool:
    return isinstance(value, dict) and all(
        PACK_FIELDS["feature"].is_right(feature) and (each is None or kinds.whole(1, MOST).is_right(each))
        for feature, each in value.items()
    )


def _is_slugs(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(PACK_FIELDS["plan"].is_right(slug) for slug in value)


ADD_ON_FIELDS = {
    "slug": PACK_FIELDS["slug"],
    "name": FIELDS["name"],
    "description": FIELDS["description"],
    "limits": Kind("features with a number above 0 per month, None for no limit", _is_limits),
    "plans": Kind("a list of slugs of plans", _is_slugs),
    "most": Kind("a whole number above 0, or None", lambda v: v is None or kinds.whole(1, MOST).is_right(v)),
    "is_public": kinds.FLAG,
    "prices": FIELDS["prices"],
}


@finds("billing.E200")
def check_add_ons() -> Problem:
    """BILLING_ADD_ONS is a list of add-ons, each with a unique slug, a name, something that it gives, and prices."""
    problem = next(_problems(), None)
    return (f"BILLING_ADD_ONS: {problem}.", WANTED) if problem else None


@finds("billing.E201")
def check_plans_of_add_ons() -> Problem:
    """Each add-on is sold with plans that exist and cost something, by an interval and in a currency of theirs."""
    if not _can_look():
        return None
    problem = next((each for add_on in add_ons.defined_add_ons() for each in _misfits(add_on)), None)
    hint = "Correct `plans` and `prices` of the add-on: both are bought in one subscription (docs/add-ons.md)."
    return (f"BILLING_ADD_ONS: {problem}.", hint) if problem else None


@finds("billing.E202")
def check_keys_of_add_ons() -> Problem:
    """No plan of BILLING_PLANS and no other add-on has a price with the lookup key of an add-on's price."""
    if not _can_look():
        return None
    keys = [add_ons.lookup_key(each.slug, cadence) for each in add_ons.defined_add_ons() for cadence in each.cadences]
    slugs = [plan.slug for plan in definitions.defined_plans() if plan.slug.startswith("addon_")]
    if slugs:
        return (
            f"BILLING_PLANS: the plan {slugs[0]!r} is named as the prices of add-ons are at Stripe.",
            "Give the plan a slug that does not begin with 'addon_'.",
        )
    twice = next((key for key in keys if keys.count(key) > 1), "")
    hint = "Give one of the two add-ons a slug that does not end with a number."
    return (f"BILLING_ADD_ONS: two prices have the lookup key {twice!r}.", hint) if twice else None


def _problems() -> Iterator[str]:
    yield from problems_in(conf.add_ons, ADD_ON_FIELDS, "add-on")
    for add_on in conf.add_ons or ():
        name = add_on.get("slug")
        if not add_on.get("limits"):
            yield f"{name} gives nothing: it lacks 'limits'"
        elif not add_on.get("prices"):
            yield f"{name} lacks 'prices'"
        elif not all(CADENCE.is_right(spelling) for spelling in add_on["prices"]):
            yield f"{name}: an interval of 'prices' is none that Stripe sells by"


def _can_look() -> bool:
    """Return whether there are add-ons to look at; that they are well-formed is for the other checks to tell."""
    return conf.add_ons is not None and not next(_problems(), None) and not next(problems_in(conf.plans), None)


def _misfits(add_on: add_ons.AddOnDefinition) -> Iterator[str]:
    if not definitions.is_from_settings():
        return  # plans that staff edit may be made later
    plans = {plan.slug: plan for plan in definitions.defined_plans()}
    for slug in add_on.plans:
        if slug not in plans or not plans[slug].prices:
            yield f"{add_on.slug}: there is no plan {slug!r} that is sold"
            return
    sold_with = [plans[slug] for slug in add_on.plans] or [plan for plan in plans.values() if plan.prices]
    sold: dict[Cadence, set[str]] = {}
    for plan in sold_with:
        for cadence, amounts in plan.cadences.items():
            sold.setdefault(cadence, set()).update(amounts)
    for cadence, amounts in add_on.cadences.items():
        if cadence not in sold:
            yield f"{add_on.slug}: none of its plans is sold {cadence.adverb}"
        elif missing := amounts.keys() - sold[cadence]:
            yield f"{add_on.slug}: none of its plans is sold in {', '.join(sorted(missing))}"


CHECKS: tuple[Check, ...] = (check_add_ons, check_plans_of_add_ons, check_keys_of_add_ons)
