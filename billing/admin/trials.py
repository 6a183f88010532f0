"""Staff see every trial here, and which person a card or an address tells again."""

from typing import Any

from django.contrib import admin

from billing.models import Trial

from . import display
from .customers import OfCustomerAdmin
from .open_filter import open_filter


@admin.register(Trial)
class TrialAdmin(OfCustomerAdmin):
    list_display = ["began", "subscriber", "plan", "ends", "again"]
    list_filter = ["line", ("same_person_as", open_filter("person", "First trial", "Had one before")), "started_at"]
    list_select_related = [*OfCustomerAdmin.list_select_related, "plan", "same_person_as"]
    ordering = ["-started_at", "-pk"]
    ids_searched = ("subscription_id",)
    fields = ["subscription", "subscriber", "plan", "line", "began", "ends", "again", "settled", "others"]
    readonly_fields = fields

    @display.column("began", ordering="started_at")
    def began(self, trial: Trial) -> Any:
        return display.moment(trial.started_at)

    @display.column("ends", ordering="ends_at")
    def ends(self, trial: Trial) -> Any:
        return display.moment(trial.ends_at)

    @display.column("subscription")
    def subscription(self, trial: Trial) -> Any:
        return display.at_stripe(trial.subscription_id)

    @display.column("person", ordering="same_person_as")
    def again(self, trial: Trial) -> Any:
        if trial.same_person_as is None:
            return None
        what = "card" if trial.has_same_card else "address"
        words = "settled" if trial.settled_at else f"{what} had one before"
        badge = display.badge(words, "quiet" if trial.settled_at else "waiting")
        return display.lines(badge, display.row_link("trial", trial.same_person_as_id, str(trial.same_person_as)))

    @display.column("settled")
    def settled(self, trial: Trial) -> Any:
        return display.moment(trial.settled_at)

    @display.column("same person")
    def others(self, trial: Trial) -> Any:
        """Link the other trials with the same card or e-mail address."""
        by_card = Trial.objects.filter(card_digest=trial.card_digest).exclude(card_digest="")
        by_email = Trial.objects.filter(email_digest=trial.email_digest).exclude(email_digest="")
        rows = (by_card | by_email).exclude(pk=trial.pk).order_by("-pk")[:10]
        return display.lines(*(display.row_link("trial", row.pk, str(row)) for row in rows))
