"""Staff see what was reported to Stripe's meters, settle what needs a person, and set spend caps."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext

from billing import cause, clock
from billing.conf import conf
from billing.models import OveragePrice, SpendCap, UsageReport
from billing.money import format_amount
from billing.usage import reporting

from . import cause_words, display, people
from .cause_words import STAFF
from .readonly import ReadOnlyAdmin, WithForm
from .usage import OfSubscriber
from .values_filter import ValuesFilter

State = UsageReport.State
SETTLE = f"{conf.app_label}.settle_usagereport"
MOST_AT_ONCE = 100
TONES = {
    State.WAITING: "waiting",
    State.SENDING: "waiting",
    State.SENT: "good",
    State.DOUBTFUL: "bad",
    State.REFUSED: "bad",
    State.LATE: "bad",
    State.DROPPED: "quiet",
}


@admin.register(UsageReport)
class UsageReportAdmin(ReadOnlyAdmin):
    list_display = ["what", "subscriber_link", "state_", "billed_as_of", "made"]
    list_filter = ["state", ("price__feature", ValuesFilter), "made_at"]
    list_select_related = ["price__plan", "usage__subscriber"]
    ordering = ["-made_at", "pk"]
    search_fields = ["customer_id__exact", "subscription_id__exact"]
    search_help_text = "Whole id of the customer or subscription"
    fields = [
        "what", "subscriber_link", "state_", "error", "billed_as_of", "made", "tries", "identifier", "subscription_",
        "meter", "settled",
    ]  # fmt: skip
    readonly_fields = fields
    actions = ["send_again", "count_as_sent", "give_up"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("usage__subscriber__billing_customers")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(SETTLE)

    @admin.action(description="Send again, dated now (Stripe has not counted it)", permissions=["settle"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[UsageReport]) -> None:
        _settle(request, queryset, reporting.send_again, "sent again")

    @admin.action(description="Mark as counted by Stripe", permissions=["settle"])
    def count_as_sent(self, request: HttpRequest, queryset: QuerySet[UsageReport]) -> None:
        _settle(request, queryset, reporting.count_as_sent, "marked as counted")

    @admin.action(description="Give up: nobody is billed for it", permissions=["settle"])
    def give_up(self, request: HttpRequest, queryset: QuerySet[UsageReport]) -> None:
        _settle(request, queryset, reporting.give_up, "given up")

    @display.column("uses", ordering="quantity")
    def what(self, report: UsageReport) -> Any:
        return display.lines(f"{report.quantity:,} {report.price.feature}", str(report.price.plan))

    @display.column("subscriber")
    def subscriber_link(self, report: UsageReport) -> Any:
        return people.subscriber_or_customer_link(report.usage.subscriber)

    @display.column("status", ordering="state")
    def state_(self, report: UsageReport) -> Any:
        state = State(report.state)
        return display.badge(str(state.label), TONES[state], report.error_message)

    @display.column("billed as of", ordering="at")
    def billed_as_of(self, report: UsageReport) -> Any:
        return display.moment(report.at)

    @display.column("made", ordering="made_at")
    def made(self, report: UsageReport) -> Any:
        return display.moment(report.made_at)

    @display.column("tries")
    def tries(self, report: UsageReport) -> Any:
        first = f"first {report.tried_at:%Y-%m-%d %H:%M} UTC" if report.tried_at else ""
        return display.lines(str(report.attempts), first)

    @display.column("Stripe's words")
    def error(self, report: UsageReport) -> str:
        return report.error_message

    @display.column("identifier")
    def identifier(self, report: UsageReport) -> Any:
        return display.plain_id(str(report.pk))

    @display.column("subscription")
    def subscription_(self, report: UsageReport) -> Any:
        return display.at_stripe(report.subscription_id)

    @display.column("meter")
    def meter(self, report: UsageReport) -> Any:
        return display.lines(report.price.event_name, display.plain_id(report.price.meter))

    @display.column("settled by")
    def settled(self, report: UsageReport) -> Any:
        return cause_words.words_for(report.settled_by) if report.settled_by else ""


def _settle(request: HttpRequest, queryset: QuerySet[UsageReport], decide: Any, done: str) -> None:
    """Decide about each chosen report that needs a person, with a log entry, and say for how many that was possible."""
    staff: Any = request.user.pk
    chosen = list(queryset.select_related("price")[:MOST_AT_ONCE])
    settled = [row for row in chosen if decide(row, f"{STAFF}{staff}")]
    LogEntry.objects.log_actions(staff, settled, CHANGE, change_message=f"Usage report {done}")
    one, many = "%(count)d report was %(done)s.", "%(count)d reports were %(done)s."
    said = ngettext(one, many, len(settled)) % {"count": len(settled), "done": done}
    if len(settled) == len(chosen):
        messages.success(request, said)
    else:
        messages.warning(request, f"{said} The others need nobody: only those that stand still can be settled.")


@admin.register(SpendCap)
class SpendCapAdmin(WithForm, OfSubscriber):
    """Staff change and remove the cap of a subscriber; the subscriber sets it on the account page."""

    list_display = ["subscriber_link", "cap", "policy", "since"]
    list_display_links = ["cap"]
    list_filter = ["policy"]
    ordering = ["-set_at"]
    fields = ["subscriber_link", "amount", "currency", "policy", "since", "by"]
    readonly_fields = ["subscriber_link", "currency", "since", "by"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(f"{conf.app_label}.change_spendcap")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(f"{conf.app_label}.delete_spendcap")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: SpendCap, form: Any, change: bool) -> None:
        staff: Any = request.user.pk
        with cause.recorded_as(f"{STAFF}{staff}"):
            obj.set_at, obj.set_by = clock.now(), cause.current()
            super().save_model(request, obj, form, change)

    @display.column("cap", ordering="amount")
    def cap(self, row: SpendCap) -> str:
        return f"{format_amount(row.amount, row.currency)} a month"

    @display.column("set", ordering="set_at")
    def since(self, row: SpendCap) -> Any:
        return display.moment(row.set_at)

    @display.column("set by")
    def by(self, row: SpendCap) -> Any:
        return cause_words.words_for(row.set_by)


@admin.register(OveragePrice)
class OveragePriceAdmin(ReadOnlyAdmin):
    """The settings define what a use beyond a limit costs; this shows what is published."""

    list_display = ["feature", "plan", "interval_in_words", "cost", "state"]
    list_select_related = ["plan"]
    list_filter = ["is_current", "feature"]
    ordering = ["plan", "feature", "interval", "pk"]
    search_fields = ["id__exact", "meter__exact"]
    search_help_text = "Whole id of the price or the meter"
    fields = ["feature", "plan", "interval_in_words", "cost", "state", "id", "meter", "event_name"]
    readonly_fields = fields

    @display.column("billed", ordering="interval")
    def interval_in_words(self, price: OveragePrice) -> str:
        return price.cadence.per

    @display.column("for one use")
    def cost(self, price: OveragePrice) -> str:
        return ", ".join(f"{amount} {currency} minor units" for currency, amount in price.amounts.items())

    @display.column("status")
    def state(self, price: OveragePrice) -> Any:
        return display.badge("for sale", "good") if price.is_current else display.badge("replaced", "quiet")
