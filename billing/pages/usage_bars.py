"""The account page shows a bar for each feature, and says of a full one what can be done."""

from typing import Any

from django.utils.translation import gettext as _

from billing import catalogue, site, usage
from billing.lifecycle import Overview, checkout
from billing.localized import number
from billing.models import Plan, PlanLimit

from .days import day
from .status_words import humanize


def of_account(subscriber: Any, overview: Overview) -> list[dict[str, Any]]:
    """Return what the page shows of each feature."""
    quotas = overview.usage
    own = usage.overriding.in_force(subscriber) if quotas and subscriber is not None else {}
    return [{**_bar(feature, quota, overview), "own": own.get(feature)} for feature, quota in quotas.items()]


def _bar(feature: str, quota: usage.Quota, overview: Overview) -> dict[str, Any]:
    by_use = overview.spending.features if overview.spending else []
    is_full = quota.remaining == 0
    waits = is_full and bool(quota.limit) and feature not in {row.feature for row in by_use}
    return {
        "feature": humanize(feature),
        "quota": quota,
        "used": number(quota.used),
        "limit": "" if quota.limit is None else number(quota.limit),
        "credits": number(quota.credits) if quota.credits else "",
        "is_full": is_full,
        **(_advice(feature, quota, overview) if waits else {}),
    }


def _advice(feature: str, quota: usage.Quota, overview: Overview) -> dict[str, str]:
    """Return what who has used all can do: wait, take a larger plan, or buy credits. Nothing is sold under a hold."""
    words = _("You have used all {feature} of this period.").format(feature=humanize(feature))
    found = {"advice": words}
    if quota.resets_at:
        found["advice"] = f"{words} " + _("You can use more from {date}.").format(date=day(quota.resets_at))
    if overview.holds or overview.decided.refused_by_host:
        return found
    if _has_larger(feature, quota, overview):
        if overview.status in checkout.NOT_LIVE:
            found |= {"link": site.path_of("prices"), "link_text": _("See larger plans")}
        elif overview.status in {"active", "trialing"} and not overview.cancel_at and not overview.pending_change:
            found |= {"link": site.path_of("change"), "link_text": _("See larger plans")}
    if catalogue.packs.for_sale().filter(feature=feature).exists():
        found |= {"packs": site.path_of("packs")}
    return found


def _has_larger(feature: str, quota: usage.Quota, overview: Overview) -> bool:
    """Return whether a plan that is for sale in this line gives more of the feature."""
    public = Plan.objects.filter(is_public=True, line=overview.line).values("pk")
    limits = PlanLimit.objects.filter(plan__in=public, feature=feature).values_list("quantity", flat=True)
    return any(limit is None or limit > (quota.limit or 0) for limit in limits)
