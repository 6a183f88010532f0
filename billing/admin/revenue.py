"""Staff see the ledger of monthly recurring revenue: who began, grew, shrank, left and came back, and when."""

from typing import Any

from django.contrib import admin

from billing.models import MrrMovement

from . import display
from .payments import CurrencyFilter, MoneyAdmin

BADGES = {
    MrrMovement.Kind.NEW: "good",
    MrrMovement.Kind.REACTIVATION: "good",
    MrrMovement.Kind.EXPANSION: "good",
    MrrMovement.Kind.CONTRACTION: "waiting",
    MrrMovement.Kind.CHURN: "bad",
}


@admin.register(MrrMovement)
class MrrMovementAdmin(MoneyAdmin):
    list_display = ["money", "subscriber", "what", "moved"]
    list_filter = ["moved_at", "kind", ("currency", CurrencyFilter)]
    ordering = ["-moved_at"]
    facts = ("subscriber", "what", "moved")

    def in_words(self, movement: MrrMovement) -> tuple[Any, str]:
        return self.what(movement), "Change per month from then on; a loss is negative."

    @display.column("kind", ordering="kind")
    def what(self, movement: MrrMovement) -> Any:
        kind = MrrMovement.Kind(movement.kind)
        return display.badge(kind.label.lower(), BADGES[kind])

    @display.column("moved", ordering="moved_at")
    def moved(self, movement: MrrMovement) -> Any:
        return display.moment(movement.moved_at)
