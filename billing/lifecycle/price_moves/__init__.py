"""A price move tells everybody on an old price in time, and has Stripe charge the new price from a renewal on.

1. `start` checks both prices, and takes the old one from sale.
2. Everybody who pays it gets a row (`listing`). The row tells where each stands; nobody has two.
3. Each is told (`telling`), with the renewal that is at least the days of notice ahead.
4. When that renewal is near, the worker writes the new price at Stripe, as an owed write (`writing`).

The command and the worker do the same work, under the lane lock, row by row: whoever stops is continued.
"""

from .changes import coming_of, price_charged_at, stays_until
from .naming import NamedPrices, PriceMoveRefused, find_prices
from .notice import Notice, add_witness, is_in_time, remove_witness
from .running import Tally, each_minute, forecast, in_words, proceed, run
from .starting import running_move, start, stop
from .telling import decide_to_keep, decide_told, try_again
from .waiting import lasting
from .writing import write_prices

__all__ = [
    "NamedPrices",
    "Notice",
    "PriceMoveRefused",
    "Tally",
    "add_witness",
    "coming_of",
    "decide_to_keep",
    "decide_told",
    "each_minute",
    "find_prices",
    "forecast",
    "in_words",
    "is_in_time",
    "lasting",
    "price_charged_at",
    "proceed",
    "remove_witness",
    "run",
    "running_move",
    "start",
    "stays_until",
    "stop",
    "try_again",
    "write_prices",
]
