"""What another integration of Stripe believes of each customer is compared with what we believe, before the switch."""

from . import sources
from .beliefs import Belief
from .comparing import Comparison, Difference

__all__ = ["Belief", "Comparison", "Difference", "sources"]
