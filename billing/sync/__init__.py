"""The sync finds events that we missed and objects that drifted."""

from . import full, list_pages, pruning, report, runs, trouble
from .alone import AnotherRuns, alone, is_free
from .healing import compare_customers
from .list_pages import FullRun
from .listing import Reader, Stretch
from .missed import OVERLAP_SECONDS
from .parallel import AT_ONCE, Threads
from .report import count

__all__ = [
    "AT_ONCE",
    "OVERLAP_SECONDS",
    "AnotherRuns",
    "FullRun",
    "Reader",
    "Stretch",
    "Threads",
    "alone",
    "compare_customers",
    "count",
    "full",
    "is_free",
    "list_pages",
    "pruning",
    "report",
    "runs",
    "trouble",
]
