"""A lane keeps one customer's state in one pair of hands; here too are the writes that we owe Stripe."""

from . import orders, tries, writes
from .claims import (
    Claim,
    LaneBusy,
    LaneLost,
    commit_under,
    hold,
    is_awake,
    let_go,
    queue_drain,
    release,
    renew,
    take,
    wake,
)

__all__ = [
    "Claim",
    "LaneBusy",
    "LaneLost",
    "commit_under",
    "hold",
    "is_awake",
    "let_go",
    "orders",
    "queue_drain",
    "release",
    "renew",
    "take",
    "tries",
    "wake",
    "writes",
]
