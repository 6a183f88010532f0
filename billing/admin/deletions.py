"""Staff see each deletion of an account, which steps are done, and what it waits for."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext

from billing.lifecycle import deletion
from billing.models import AccountDeletion

from . import display, people, replay
from .open_filter import open_filter
from .readonly import ReadOnlyAdmin

LOGGED = "Tried again"


@admin.register(AccountDeletion)
class AccountDeletionAdmin(ReadOnlyAdmin):
    list_display = ["who", "state", "requested", "done", "tries"]
    list_filter = [("done_at", open_filter("status", "Running", "Done")), "requested_at"]
    list_select_related = ["customer__subscriber", "subscriber", "part_of__subscriber"]
    ordering = ["-requested_at"]
    search_fields = ["customer__id__exact"]
    search_help_text = "Whole customer id"
    fieldsets = [
        (None, {"fields": ["state"], "classes": ["billing-answer"]}),
        ("Account", {"fields": ["who", "subscriber_page", "requested", "next_try"], "classes": ["billing-facts"]}),
        (
            "Steps, with the time at which Stripe confirmed them",
            {"fields": [*AccountDeletion.STEPS], "classes": ["billing-facts"]},
        ),
        ("Attempts", {"fields": ["attempts", "error"]}),
    ]
    actions = ["try_now"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for _, section in self.fieldsets for field in section["fields"]]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return replay.is_allowed(request)

    @admin.action(description="Try again now", permissions=["replay"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[AccountDeletion]) -> None:
        waiting, asked_by = list(queryset.filter(done_at=None)), cast("int", request.user.pk)
        with transaction.atomic():
            for row in waiting:
                deletion.try_now(row)
            LogEntry.objects.log_actions(asked_by, waiting, CHANGE, change_message=LOGGED)
        one, many = "%(count)d deletion will be tried again now.", "%(count)d deletions will be tried again now."
        messages.success(request, ngettext(one, many, len(waiting)) % {"count": len(waiting)})

    @display.column("who", ordering="customer_id")
    def who(self, row: AccountDeletion) -> Any:
        subscriber = row.part_of.subscriber if row.part_of else row.subscriber
        name = display.breakable(str(subscriber)) if subscriber else "deleted user"
        return display.lines(name, display.plain_id(row.customer_id or ""))

    @display.column("status")
    def state(self, row: AccountDeletion) -> Any:
        if row.is_done:
            return display.lines(display.badge("done", "good"))
        word = display.badge("failing", "bad") if row.error_message else display.badge("running", "waiting")
        return display.lines(word, f"Next: {row.next_step}")

    @display.column("subscriber's page")
    def subscriber_page(self, row: AccountDeletion) -> Any:
        return people.link(row.customer) if row.customer else None

    @display.column("attempts")
    def tries(self, row: AccountDeletion) -> Any:
        last = row.error_message.strip().splitlines()[-1:] if not row.is_done else []
        return display.lines(str(row.attempts), *(line[:90] for line in last), display.moment(row.next_attempt_at))

    @display.column("requested", ordering="requested_at")
    def requested(self, row: AccountDeletion) -> Any:
        return display.moment(row.requested_at)

    @display.column("done", ordering="done_at")
    def done(self, row: AccountDeletion) -> Any:
        return display.moment(row.done_at)

    @display.column("next attempt")
    def next_try(self, row: AccountDeletion) -> Any:
        return display.exact(row.next_attempt_at)

    @display.column("last error")
    def error(self, row: AccountDeletion) -> Any:
        return display.preformatted(row.error_message) if row.error_message else None
