"""The dashboard counts money, webhooks and mail over a period."""

from . import money, periods, recovery, sections, svg
from .facts import counted, only, percent, share
from .parts import Cell, Chart, Figure, Section, Series, Table, Term
from .scope import Scope

__all__ = [
    "Cell",
    "Chart",
    "Figure",
    "Scope",
    "Section",
    "Series",
    "Table",
    "Term",
    "counted",
    "money",
    "only",
    "percent",
    "periods",
    "recovery",
    "sections",
    "share",
    "svg",
]
