"""Staff see how much of each feature was used in which month, what credits are left, and what each key counted."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.models import Credit, KeyedUse, Usage

from . import cause_words, display, export_columns, people
from .list_export import ExportedList
from .readonly import ReadOnlyAdmin
from .values_filter import ValuesFilter


class OfSubscriber(ReadOnlyAdmin):
    """This shows rows of a subscriber, who is found by customer id, address, or what `searched` names."""

    list_select_related = ("subscriber",)
    search_help_text = "Customer id, or the beginning of an e-mail address"
    searched: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("subscriber__billing_customers")

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        emails = [f"{path}__istartswith" for path in people.email_paths()]
        return [*self.searched, "subscriber__billing_customers__id__exact", *emails]

    @display.column("subscriber")
    def subscriber_link(self, row: Any) -> Any:
        return people.subscriber_or_customer_link(row.subscriber)


@admin.register(Usage)
class UsageAdmin(ExportedList, OfSubscriber):
    export_columns = export_columns.USAGE
    list_display = ["feature", "subscriber_link", "counted", "since"]
    list_filter = [("feature", ValuesFilter), "period_start"]
    ordering = ["-period_start"]
    fields = ["feature", "subscriber_link", "counted", "since"]
    readonly_fields = fields

    @display.column("used", ordering="used")
    def counted(self, usage: Usage) -> Any:
        over = (
            display.badge("above the limit", "bad", "The subscriber was told") if usage.has_announced_overflow else ""
        )
        return display.lines(f"{usage.used:,}", over)

    @display.column("period began", ordering="period_start")
    def since(self, usage: Usage) -> Any:
        return display.moment(usage.period_start)


@admin.register(Credit)
class CreditAdmin(OfSubscriber):
    list_display = ["feature", "subscriber_link", "standing", "expires", "source_and_reason", "given"]
    list_filter = [("feature", ValuesFilter), "given_at"]
    ordering = ["-given_at"]
    search_help_text = "Source, customer id, or the beginning of an e-mail address"
    searched = ("source__exact",)
    fields = ["feature", "subscriber_link", "standing", "expires", "reason", "source", "given", "given_by"]
    readonly_fields = fields

    @display.column("credits", ordering="left")
    def standing(self, credit: Credit) -> Any:
        """Return what is left, and what became of the rest."""
        rest = {"used": credit.used, "expired": credit.expired, "taken back": credit.taken_back}
        words = [f"{number:,} {word}" for word, number in rest.items() if number]
        owed = [f"{credit.owed_back:,} used that had to be taken back"] if credit.owed_back else []
        return display.lines(f"{credit.left:,} of {credit.quantity:,} left", ", ".join([*words, *owed]))

    @display.column("expire", ordering="until")
    def expires(self, credit: Credit) -> Any:
        return display.moment(credit.until) if credit.until else "never"

    @display.column("source", ordering="source")
    def source_and_reason(self, credit: Credit) -> Any:
        return display.lines(credit.source, credit.reason)

    @display.column("given", ordering="given_at")
    def given(self, credit: Credit) -> Any:
        return display.day(credit.given_at)

    @display.column("given by")
    def given_by(self, credit: Credit) -> Any:
        return cause_words.words_for(credit.cause)


@admin.register(KeyedUse)
class KeyedUseAdmin(OfSubscriber):
    list_display = ["key", "feature", "subscriber_link", "standing", "made"]
    list_filter = ["state", ("feature", ValuesFilter), "made_at"]
    ordering = ["-made_at"]
    search_help_text = "Key, customer id, or the beginning of an e-mail address"
    searched = ("key__exact",)
    fields = ["key", "feature", "subscriber_link", "standing", "taken_from", "made", "lapses"]
    readonly_fields = fields

    @display.column("status", ordering="state")
    def standing(self, use: KeyedUse) -> Any:
        return display.lines(use.get_state_display().lower(), f"{use.quantity:,} of {use.asked:,} count")

    @display.column("taken from")
    def taken_from(self, use: KeyedUse) -> str:
        spent = sum(part for _, part in use.spent)
        return f"{use.counted:,} of the month's limit, {spent:,} of credits"

    @display.column("made", ordering="made_at")
    def made(self, use: KeyedUse) -> Any:
        return display.moment(use.made_at)

    @display.column("held until")
    def lapses(self, use: KeyedUse) -> Any:
        return display.moment(use.lapses_at) if use.lapses_at else ""
