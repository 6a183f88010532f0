"""Staff see the tax ids of customers here, and which of them no registry knows."""

from typing import Any

from django.contrib import admin

from billing.models import TaxId
from billing.subscriptions import tax_ids

from . import display
from .open_filter import open_filter
from .payments import MoneyAdmin

BADGES = {TaxId.Status.VERIFIED: "good", TaxId.Status.UNVERIFIED: "dead", TaxId.Status.PENDING: "waiting"}


@admin.register(TaxId)
class TaxIdAdmin(MoneyAdmin):
    list_display = ["tax_id", "subscriber", "state", "country", "created"]
    list_filter = ["status", ("accepted_at", open_filter("accepted by staff", "no", "yes")), "country"]
    ordering = ["-created_at"]
    ids_searched = ("id", "value")
    facts = ("subscriber", "type", "value", "country", "at_stripe", "created", "accepted")

    def in_words(self, row: TaxId) -> tuple[Any, str]:
        waits = row.status == TaxId.Status.UNVERIFIED and row.accepted_at is None
        return self.state(row), tax_ids.TODO if waits else ""

    @display.column("tax ID")
    def money(self, row: TaxId) -> Any:
        """Return what stands first on the page, where other rows have their amount."""
        return row.value

    @display.column("tax ID", ordering="value")
    def tax_id(self, row: TaxId) -> Any:
        return display.lines(row.value, row.type)

    @display.column("status", ordering="status")
    def state(self, row: TaxId) -> Any:
        words = f"{row.get_status_display().lower()}{', accepted' if row.accepted_at else ''}"
        return display.badge(words, "quiet" if row.accepted_at else BADGES.get(TaxId.Status(row.status), "quiet"))

    @display.column("at Stripe")
    def at_stripe(self, row: TaxId) -> Any:
        return display.plain_id(row.pk)

    @display.column("created", ordering="created_at")
    def created(self, row: TaxId) -> Any:
        return display.moment(row.created_at)

    @display.column("accepted")
    def accepted(self, row: TaxId) -> Any:
        return display.moment(row.accepted_at)
