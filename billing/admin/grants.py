"""Staff see what subscribers were given, and give it, whether or not they have a Stripe customer."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from billing import clock
from billing.commands import spelled
from billing.conf import conf
from billing.lifecycle import OUTAGES, outage_of
from billing.models import Grant

from . import cause_words, display, giving, people
from .asking import ask
from .open_filter import open_filter
from .readonly import ReadOnlyAdmin
from .refused import Refused

ABOUT = (
    "This gives a plan, a feature or credits for free, besides what is paid. Nothing changes at Stripe, and the "
    "subscriber needs no customer there."
)


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdmin):
    list_display = ["what", "subscriber_link", "state", "source_and_reason", "given"]
    list_filter = ["plan", ("ended_at", open_filter("status", "Open", "Over")), "granted_at"]
    list_select_related = ["plan", "subscriber"]
    ordering = ["-granted_at"]
    search_help_text = "Source, customer id, or the beginning of an e-mail address"
    fields = ["what", "subscriber_link", "state", "reason", "source", "given", "given_by", "end_by"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("subscriber__billing_customers")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return giving.is_allowed(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer GET with the form, POST with the grant; 409 or an outage's status, with a sentence, where nothing was
        given."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, giving.GiveForm(self.admin_site, initial=request.GET.dict()))
        form = giving.GiveForm(self.admin_site, request.POST)
        if not form.is_valid():
            return self._ask(request, form, status=400)
        try:
            grant = giving.give(request, form.cleaned_data)
        except Refused as error:
            return self._ask(request, form, str(error), status=409)
        except tuple(OUTAGES) as error:
            return self._ask(request, form, spelled(str(outage_of(error).for_staff)), outage_of(error).status)
        messages.success(request, f"Gave {grant} to {grant.subscriber}.")
        kind = grant._meta.model_name
        may_see = request.user.has_perm(f"{conf.app_label}.view_{kind}")
        page = reverse(f"admin:{conf.app_label}_{kind}_change", args=[grant.pk]) if may_see else reverse("admin:index")
        return HttpResponseRedirect(page)

    def _ask(self, request: HttpRequest, form: Any, problem: str = "", status: int = 200) -> HttpResponse:
        return ask(self, request, "Give access", form, about=[ABOUT], problem=problem, status=status)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        emails = [f"{path}__istartswith" for path in people.email_paths()]
        return ["source__exact", "subscriber__billing_customers__id__exact", *emails]

    @display.column("what", ordering="plan")
    def what(self, grant: Grant) -> str:
        return grant.what

    @display.column("subscriber")
    def subscriber_link(self, grant: Grant) -> Any:
        return people.subscriber_or_customer_link(grant.subscriber)

    @display.column("source", ordering="source")
    def source_and_reason(self, grant: Grant) -> Any:
        return display.lines(grant.source, grant.reason)

    @display.column("status")
    def state(self, grant: Grant) -> Any:
        if grant.is_in_force(clock.now()):
            return display.lines(display.badge("in force", "good"), self._until(grant))
        return display.lines(display.badge("over", "quiet"), display.day(grant.ended_at))

    @display.column("given", ordering="granted_at")
    def given(self, grant: Grant) -> Any:
        return display.day(grant.granted_at)

    def _until(self, grant: Grant) -> Any:
        return display.side_by_side(["until", display.moment(grant.until)]) if grant.until else "for good"

    @display.column("given by")
    def given_by(self, grant: Grant) -> Any:
        return cause_words.words_for(grant.cause)

    @display.column("ended by")
    def end_by(self, grant: Grant) -> Any:
        return cause_words.words_for(grant.ended_by)
