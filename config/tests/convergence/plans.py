"""The plans of the story: the project's own, and one of another line. Settings read this, so it imports nothing."""

from typing import Any

PLANS: list[dict[str, Any]] = [
    {"slug": "free", "name": "Free", "limits": {"generations": 10}},
    {
        "slug": "pro",
        "name": "Pro",
        "limits": {"generations": 1_000},
        "prices": {"month": {"usd": 2_000}, "year": {"usd": 20_000}},
    },
    {
        "slug": "team",
        "name": "Team",
        "limits": {"generations": 10_000},
        "trial_days": 14,
        "prices": {"month": {"usd": 6_000}, "year": {"usd": 60_000}},
    },
    {
        "slug": "vault",
        "name": "Vault",
        "line": "storage",
        "limits": {"gigabytes": 100},
        "prices": {"month": {"usd": 900}},
    },
    {
        "slug": "cloud",
        "name": "Cloud",
        "limits": {"generations": 100},
        "overage": {"generations": {"usd": "2.5"}},
        "prices": {"month": {"usd": 1_500}},
    },
]
PACKS: list[dict[str, Any]] = [
    {
        "slug": "credits_500",
        "name": "500 generations",
        "feature": "generations",
        "quantity": 500,
        "prices": {"usd": 999},
    },
    {
        "slug": "week_of_credits",
        "name": "50 generations",
        "feature": "generations",
        "quantity": 50,
        "lasts_days": 7,
        "prices": {"usd": 300},
    },
    {"slug": "handbook", "name": "A handbook", "is_own": True, "prices": {"usd": 1_200}},
    {"slug": "pro_for_good", "name": "Pro for good", "plan": "pro", "prices": {"usd": 40_000}},
]
SLUGS = [plan["slug"] for plan in PLANS]
LINES = {plan["slug"]: plan.get("line", "main") for plan in PLANS}
