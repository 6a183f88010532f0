"""Lanes let one worker at a time change a customer's state; the writes that we owe Stripe are kept here too."""

from . import standing_writes, tries, writes
from .claims import (
    Claim,
    LaneBusy,
    LaneLost,
    commit_under,
    exclusive,
    is_awake,
    is_collision,
    lane_of,
    let_go,
    queue_drain,
    release,
    renew,
    run_in,
    take,
    waiting,
    wake,
)

__all__ = [
    "Claim",
    "LaneBusy",
    "LaneLost",
    "commit_under",
    "exclusive",
    "is_awake",
    "is_collision",
    "lane_of",
    "let_go",
    "queue_drain",
    "release",
    "renew",
    "run_in",
    "standing_writes",
    "take",
    "tries",
    "waiting",
    "wake",
    "writes",
]
