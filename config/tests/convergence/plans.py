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
]
SLUGS = [plan["slug"] for plan in PLANS]
LINES = {plan["slug"]: plan.get("line", "main") for plan in PLANS}
