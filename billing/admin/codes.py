"""Staff make redeem codes, or enter those of a partner, see who redeemed them, export a batch and withdraw it."""

import csv
from collections.abc import Iterator
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse

from billing import cause, clock
from billing.conf import conf
from billing.lifecycle import redeeming
from billing.models import Code, Redemption, in_pages

from . import cause_words, display, people
from .asking import ask
from .code_forms import MakeCodesForm
from .csv_cells import harmless
from .open_filter import open_filter
from .readonly import ReadOnlyAdmin, ReadOnlyInline

PERMISSION = f"{conf.app_label}.make_code"
COLUMNS = ("code", "batch", "gives", "used", "uses", "valid_until", "withdrawn")
ABOUT = "Who redeems a code gets what it gives for free, besides what is paid. Nothing changes at Stripe."


class RedemptionInline(ReadOnlyInline):
    model = Redemption
    fields = ("subscriber_link", "redeemed_at", "until")
    readonly_fields = fields

    @display.column("subscriber")
    def subscriber_link(self, made: Redemption) -> Any:
        return people.subscriber_or_customer_link(made.subscriber)


@admin.register(Code)
class CodeAdmin(ReadOnlyAdmin):
    list_display = ["name", "batch", "gives", "uses", "state", "made"]
    list_filter = ["batch", ("withdrawn_at", open_filter("status", "Open", "Withdrawn")), "made_at"]
    list_select_related = ["plan"]
    ordering = ["-id"]
    search_help_text = "A code, a batch, or who redeemed it: customer id, or the beginning of an e-mail address"
    fields = ["code", "batch", "gives", "uses", "state", "made", "made_by"]
    readonly_fields = fields
    inlines = [RedemptionInline]
    actions = ["export", "withdraw"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_make_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        who = "redemptions__subscriber"
        emails = [f"{path}__istartswith" for path in people.email_paths(who)]
        return ["code__exact", "batch__exact", f"{who}__billing_customers__id__exact", *emails]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        code = redeeming.plain(search_term)
        term = code if Code.objects.filter(code=code).exists() else search_term
        return super().get_search_results(request, queryset, term)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, MakeCodesForm())
        form = MakeCodesForm(request.POST)
        if not form.is_valid():
            return self._ask(request, form, status=400)
        with cause.recorded_as(f"{cause_words.STAFF}{request.user.pk}"), transaction.atomic():
            count = form.make()
            _log(request, ADDITION, f"Made {count:,} codes of the batch {form.cleaned_data['batch']}")
        messages.success(request, f"Made {count:,} codes. Choose them below to export them as CSV.")
        page = reverse(f"admin:{conf.app_label}_code_changelist")
        return HttpResponseRedirect(page if self.has_view_permission(request) else reverse("admin:index"))

    def _ask(self, request: HttpRequest, form: Any, status: int = 200) -> HttpResponse:
        return ask(self, request, "Make redeem codes", form, about=[ABOUT], status=status)

    @admin.action(description="Export as CSV", permissions=["make"])
    def export(self, request: HttpRequest, codes: QuerySet[Code]) -> StreamingHttpResponse:
        _log(request, CHANGE, f"Exported {codes.count():,} codes as CSV")
        response = StreamingHttpResponse(_lines(codes), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="codes.csv"'
        return response

    @admin.action(description="Withdraw: nobody can redeem them any more", permissions=["make"])
    def withdraw(self, request: HttpRequest, codes: QuerySet[Code]) -> None:
        with transaction.atomic():
            count = codes.filter(withdrawn_at=None).order_by().update(withdrawn_at=clock.now())
            _log(request, CHANGE, f"Withdrew {count:,} codes")
        messages.success(request, f"Withdrew {count:,} codes. What they gave before stays.")

    @display.column("code", ordering="code")
    def name(self, code: Code) -> Any:
        return display.in_groups(code.code)

    @display.column("gives")
    def gives(self, code: Code) -> Any:
        return display.lines(code.what, f"for {code.lasts_days} days" if code.lasts_days else "for good")

    @display.column("used", ordering="used")
    def uses(self, code: Code) -> str:
        return f"{code.used:,} of {'any number' if code.most_uses is None else f'{code.most_uses:,}'}"

    @display.column("status")
    def state(self, code: Code) -> Any:
        word, tone = state_of(code)
        return display.lines(display.badge(word, tone), display.moment(code.valid_until) if code.valid_until else "")

    @display.column("made", ordering="made_at")
    def made(self, code: Code) -> Any:
        return display.day(code.made_at)

    @display.column("made by")
    def made_by(self, code: Code) -> Any:
        return cause_words.words_for(code.cause)


def state_of(code: Code) -> tuple[str, str]:
    if code.withdrawn_at:
        return "withdrawn", "quiet"
    if code.valid_until and code.valid_until <= clock.now():
        return "over", "quiet"
    is_spent = code.most_uses is not None and code.used >= code.most_uses
    return ("used up", "quiet") if is_spent else ("open", "good")


class _Line:
    """A file that returns what is written, so that rows are streamed."""

    def write(self, line: str) -> str:
        return line


def _lines(codes: QuerySet[Code]) -> Iterator[str]:
    writer = csv.writer(cast("Any", _Line()))
    yield writer.writerow(COLUMNS)
    for code in in_pages(codes.select_related("plan"), 500):
        until = code.valid_until.isoformat() if code.valid_until else ""
        uses = "" if code.most_uses is None else code.most_uses
        withdrawn = code.withdrawn_at.isoformat() if code.withdrawn_at else ""
        row = (code.code, code.batch, code.what, code.used, uses, until, withdrawn)
        yield writer.writerow([harmless(cell) for cell in row])


def _log(request: HttpRequest, flag: int, words: str) -> None:
    LogEntry.objects.create(
        user_id=cast("int", request.user.pk),
        content_type=ContentType.objects.get_for_model(Code),
        object_repr="Redeem codes",
        action_flag=flag,
        change_message=words,
        action_time=clock.now(),
    )
