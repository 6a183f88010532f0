"""Staff see each mail of the outbox, its state and its text, and may send it again."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.clickjacking import xframe_options_sameorigin

from billing.admin import ReadOnlyAdmin, display, mail_rows
from billing.monitoring import needs

from . import outbox, rendering
from .gallery import POLICY, GalleryAdmin
from .models import Mail
from .suppression_admin import SuppressionAdmin

__all__ = ["GalleryAdmin", "MailAdmin", "SuppressionAdmin"]

BADGES = {
    Mail.Status.QUEUED: "waiting",
    Mail.Status.SENDING: "waiting",
    Mail.Status.SENT: "good",
    Mail.Status.SKIPPED: "quiet",
    Mail.Status.FAILED: "dead",
    Mail.Status.UNCONFIRMED: "bad",
    Mail.Status.DELIVERED: "good",
    Mail.Status.BOUNCED: "dead",
    Mail.Status.COMPLAINED: "dead",
}
ERROR_IN_LIST = 120
LATELY = timedelta(days=7)
NONE = "–"


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    """This admin lists the mails of the outbox, with a page for each."""

    list_display = ["what", "recipient", "outcome", "attempts", "decided"]
    list_filter = ["status", "kind", "created_at"]
    search_fields = ["key", "recipient", "customer__id__exact"]
    search_help_text = "Part of the key (an invoice, dispute or refund id), an address, or a whole customer id"
    actions = ["send_again"]
    fieldsets = [
        (None, {"fields": ["kind", "key", "recipient", "customer_link", "state"]}),
        (
            "Sending",
            {
                "fields": [
                    "error",
                    "attempts",
                    "created",
                    "next_attempt",
                    "sent",
                    "reported",
                    "message_id",
                    "provider_id",
                ]
            },
        ),
        ("The mail", {"fields": ["subject", "html", "text"]}),
        ("Facts", {"fields": ["facts"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for _, section in self.fieldsets for field in section["fields"]]

    # Columns and fields

    @admin.display(description="mail", ordering="kind")
    def what(self, mail: Mail) -> Any:
        return display.lines(mail.get_kind_display(), display.plain_id(mail.key))

    @admin.display(description="status", ordering="status")
    def outcome(self, mail: Mail) -> Any:
        return display.lines(self.state(mail), mail.error[:ERROR_IN_LIST] or display.moment(mail.sent_at))

    @admin.display(description="status")
    def state(self, mail: Mail) -> Any:
        status = Mail.Status(mail.status)
        return display.badge(status.value, BADGES[status], str(status.label))

    @admin.display(description="decided", ordering="created_at")
    def decided(self, mail: Mail) -> Any:
        return display.moment(mail.created_at)

    @admin.display(description="sent")
    def sent(self, mail: Mail) -> Any:
        return display.exact(mail.sent_at) or NONE

    @admin.display(description="last report")
    def reported(self, mail: Mail) -> Any:
        return display.exact(mail.reported_at) or NONE

    @admin.display(description="reserved")
    def created(self, mail: Mail) -> Any:
        return display.exact(mail.created_at)

    @admin.display(description="next attempt")
    def next_attempt(self, mail: Mail) -> Any:
        return display.exact(mail.next_attempt_at) if mail.status == Mail.Status.QUEUED else NONE

    @admin.display(description="customer")
    def customer_link(self, mail: Mail) -> Any:
        return display.row_link("customer", mail.customer_id, mail.customer_id) if mail.customer_id else NONE

    @admin.display(description="subject")
    def subject(self, mail: Mail) -> str:
        return rendering.render(mail).subject

    @admin.display(description="as text")
    def text(self, mail: Mail) -> Any:
        return display.preformatted(rendering.render(mail).text)

    @admin.display(description="as HTML")
    def html(self, mail: Mail) -> Any:
        address = reverse("admin:billing_mail_mail_preview", args=(mail.pk,))
        frame = '<iframe src="{0}" title="The mail as HTML" width="640" height="640" sandbox></iframe>'
        return display.lines(format_html(frame, address), format_html('<a href="{}">Open in its own page</a>', address))

    @admin.display(description="facts")
    def facts(self, mail: Mail) -> Any:
        return display.folded_json(mail.context, "Facts given to the mail")

    # The HTML by itself

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(self.preview)
        return [path("<uuid:pk>/preview/", preview, name="billing_mail_mail_preview"), *super().get_urls()]

    @method_decorator(xframe_options_sameorigin)
    def preview(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        mail = get_object_or_404(Mail, pk=pk)
        if not self.has_view_permission(request, mail):
            raise PermissionDenied
        return HttpResponse(rendering.render(mail).html, headers={"Content-Security-Policy": POLICY})

    # Send again

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing_mail.resend_mail")

    @admin.action(description="Send again", permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        """Queue the selected mails once more. A mail whose reason has passed is not queued."""
        queued = []
        for mail in queryset:
            refusal = outbox.send_again(mail)
            if refusal:
                messages.warning(request, f"{mail}: {refusal}")
            else:
                queued.append(mail)
        if queued:
            who: Any = request.user.pk
            LogEntry.objects.log_actions(who, queued, CHANGE, change_message="Asked to send again")
            messages.success(request, f"Queued again: {', '.join(map(str, queued))}")


@mail_rows.register
def mails_elsewhere(asked: mail_rows.Asked) -> Iterator[mail_rows.MailRow]:
    """Yield a customer's mails, for the pages of billing's admin."""
    if not asked.request.user.has_perm("billing_mail.view_mail"):
        return
    mails = Mail.objects.filter(customer=asked.customer_id).defer("context")
    if asked.cause:
        mails = mails.filter(cause=asked.cause)
    if asked.until:
        mails = mails.filter(created_at__lte=asked.until)
    for mail in mails[: asked.most]:
        page = reverse("admin:billing_mail_mail_change", args=(mail.pk,))
        what = format_html('<a href="{}">{}</a>', page, mail.get_kind_display())
        status = Mail.Status(mail.status)
        state = display.badge(status.value, BADGES[status], mail.error)
        yield mail_rows.MailRow(what, mail.recipient, state, mail.created_at, mail.cause)


@mail_rows.register_list
def list_of_mails(customer_id: str) -> Any:
    """Return the link from a customer's page to their mails."""
    address = reverse("admin:billing_mail_mail_changelist")
    return format_html('<a href="{}?{}">Mails, to send again</a>', address, urlencode({"q": customer_id}))


def _not_sent() -> QuerySet[Mail]:
    wrong = (Mail.Status.FAILED, Mail.Status.UNCONFIRMED)
    return Mail.objects.filter(status__in=wrong, created_at__gt=timezone.now() - LATELY)


needs.add(needs.Need("mail", Mail, "mail was not sent", "mails were not sent", _not_sent))
