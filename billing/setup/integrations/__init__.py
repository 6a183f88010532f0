"""This module compares what another integration of Stripe believes of each customer with what we believe."""

from . import sources
from .beliefs import Belief
from .comparing import Comparison, Difference

__all__ = ["Belief", "Comparison", "Difference", "sources"]
