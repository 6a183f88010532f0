"""Staff see suppressed addresses here and may allow mail to them again, with a reason."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from billing.admin import ReadOnlyAdmin, display

from . import suppression
from .models import Suppression


class ReasonForm(ActionForm):
    """This form adds a field for the reason to the admin's form of actions."""

    reason = forms.CharField(label="Reason:", required=False, max_length=200)


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    """This admin lists the suppressed addresses, with a page for each."""

    list_display = ["address", "state", "detail", "age", "last_mail"]
    list_filter = ["reason", ("lifted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["mail"]
    search_fields = ["address"]
    actions = ["mail_again"]
    action_form = ReasonForm
    fields = ["address", "state", "detail", "age", "last_mail"]
    readonly_fields = ["address", "state", "detail", "age", "last_mail"]

    @admin.display(description="state", ordering="reason")
    def state(self, row: Suppression) -> Any:
        if row.lifted_at:
            return display.lines(display.badge("lifted", "quiet"), display.moment(row.lifted_at))
        return display.badge(row.reason, "dead", row.get_reason_display())

    @admin.display(description="since", ordering="suppressed_at")
    def age(self, row: Suppression) -> Any:
        return display.age(row.suppressed_at)

    @admin.display(description="the mail")
    def last_mail(self, row: Suppression) -> Any:
        if row.mail is None:
            return display.NOTHING
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:billing_mail_mail_change", args=[row.mail_id]), row.mail
        )

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing_mail.lift_suppression")

    @admin.action(description="Mail this address again", permissions=["lift"])
    def mail_again(self, request: HttpRequest, queryset: QuerySet[Suppression]) -> None:
        """Let the selected addresses be mailed again. Mails that were skipped meanwhile are not sent; staff send them
        again if needed."""
        reason = request.POST.get("reason", "").strip()
        if not reason:
            messages.error(request, "Enter a reason. It is required, and it is kept in the log.")
            return
        lifted = [row for row in queryset.select_related("mail__customer") if suppression.lift(row)]
        who: Any = request.user.pk
        for row in lifted:
            about: Any = row.mail.customer if row.mail and row.mail.customer else row
            LogEntry.objects.log_actions(
                who, [about], CHANGE, change_message=f"Mailed again: {reason}", single_object=True
            )
        messages.success(request, f"Addresses that can be mailed again: {len(lifted)}.")
