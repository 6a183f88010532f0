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
    run_in_lane_of,
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
    "run_in_lane_of",
    "standing_writes",
    "take",
    "tries",
    "waiting",
    "wake",
    "writes",
]
