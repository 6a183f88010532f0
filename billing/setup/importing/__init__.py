"""The import links customers that Stripe already has to our subscribers."""

from . import doubts, matching, runs
from .matching import Pairs, WrongUse
from .planning import Plan

__all__ = ["Pairs", "Plan", "WrongUse", "doubts", "matching", "runs"]
