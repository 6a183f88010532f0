"""Staff draft agreements, send and discard them. Each act asks for a permission and a reason, and is logged."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.admin.utils import quote, unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from billing import cause, clock
from billing.commands import spelled
from billing.conf import conf
from billing.lifecycle import OUTAGES, AccountClosing, agreements, outage_of
from billing.lifecycle.agreements import AgreementRefused
from billing.models import Agreement

from . import agreement_words, cause_words, display, people
from .agreement_forms import AgreementForm
from .asking import ask
from .cause_words import STAFF as BY_STAFF
from .readonly import ReadOnlyAdmin
from .staff_forms import ReasonForm

PERMISSION = f"{conf.app_label}.send_agreement"
CLOSING = "The account is being deleted, so nothing can be agreed with it."
ABOUT = "The subscription is paid by invoice. This makes a draft: nothing happens at Stripe until you send it."
ACTS = {"send": ("Send the agreement", "Sent"), "discard": ("Discard the agreement", "Discarded")}


def is_allowed(request: HttpRequest) -> bool:
    """Return whether the reader may act on agreements, and may see the subscribers among whom they choose."""
    return request.user.has_perm(PERMISSION) and request.user.has_perm(people.view_permission())


@admin.register(Agreement)
class AgreementAdmin(ReadOnlyAdmin):
    change_form_template = "billing/admin/agreement/change_form.html"
    list_display = ["what", "subscriber_link", "state", "terms", "drafted"]
    list_filter = ["status", "plan", "drafted_at"]
    list_select_related = ["plan", "price", "subscriber"]
    ordering = ["-drafted_at"]
    search_help_text = "Purchase order number, subscription, customer id, or the beginning of an e-mail address"
    fieldsets = [
        (None, {"fields": ["state"], "classes": ["billing-answer"]}),
        (
            "What is agreed",
            {
                "fields": ["what", "subscriber_link", "terms", "purchase_order", "memo_text", "extras", "starts"],
                "classes": ["billing-facts"],
            },
        ),
        (
            "What became of it",
            {"fields": ["drafted", "sent", "started", "subscription", "invoice"], "classes": ["billing-facts"]},
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for _, section in self.fieldsets for field in section["fields"]]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("subscriber__billing_customers")

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        emails = [f"{path}__istartswith" for path in people.email_paths()]
        return ["po_number__exact", "subscription_id__exact", "subscriber__billing_customers__id__exact", *emails]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_allowed(request)

    # Drafting

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer GET with the form, POST with the draft; 400 with sentences where the terms cannot be."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask_terms(request, AgreementForm(self.admin_site, initial=request.GET.dict()))
        form = AgreementForm(self.admin_site, request.POST)
        try:
            if form.is_valid() and (agreement := self._draft(request, form)):
                messages.success(request, "Drafted. Nothing has happened at Stripe yet: look it over, then send it.")
                return self._page_of(request, agreement)
        except tuple(OUTAGES) as error:  # a discount is asked for at Stripe
            form.add_error(None, spelled(str(outage_of(error).for_staff)))
            return self._ask_terms(request, form, status=outage_of(error).status)
        return self._ask_terms(request, form, status=400)

    def _draft(self, request: HttpRequest, form: AgreementForm) -> Agreement | None:
        given = form.cleaned_data
        try:
            with cause.recorded_as(f"{BY_STAFF}{request.user.pk}"):
                agreement = agreements.draft(given["subscriber"], **form.terms())
        except AgreementRefused as error:
            form.refuse(error)
            return None
        except AccountClosing:
            form.add_error("subscriber", CLOSING)
            return None
        _log(request, agreement, ADDITION, "Drafted", given["reason"])
        return agreement

    def _ask_terms(self, request: HttpRequest, form: Any, status: int = 200) -> HttpResponse:
        return ask(self, request, "Draft an agreement", form, about=[ABOUT], status=status)

    # Sending and discarding

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act_view)
        name = f"{conf.app_label}_agreement_act"
        return [path("<path:object_id>/do/<slug:name>/", act, name=name), *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        """Answer GET with what will happen and a form, POST with the act; 409 or an outage's status, with a sentence,
        where nothing was changed.
        """
        agreement = self.get_object(request, unquote(object_id))
        if agreement is None or name not in ACTS:
            raise Http404
        if not (is_allowed(request) and self.has_view_permission(request, agreement)):
            raise PermissionDenied
        form = ReasonForm(None, request.POST if request.method == "POST" else None)
        if request.method != "POST":
            return self._ask(request, agreement, name, form)
        if not form.is_valid():
            return self._ask(request, agreement, name, form, status=400)
        try:
            with cause.recorded_as(f"{BY_STAFF}{request.user.pk}"):
                agreement = getattr(agreements, name)(agreement)
        except AgreementRefused as error:
            return self._ask(request, agreement, name, form, str(error), status=409)
        except AccountClosing:
            return self._ask(request, agreement, name, form, CLOSING, status=409)
        except tuple(OUTAGES) as error:
            return self._ask(
                request, agreement, name, form, spelled(str(outage_of(error).for_staff)), outage_of(error).status
            )
        _log(request, agreement, CHANGE, ACTS[name][1], form.cleaned_data["reason"])
        messages.success(request, f"{ACTS[name][1]}. {agreement_words.sentence(agreement)}")
        return self._page_of(request, agreement)

    def _ask(
        self, request: HttpRequest, agreement: Agreement, name: str, form: Any, problem: str = "", status: int = 200
    ) -> HttpResponse:
        about = agreement_words.about(agreement, name)
        return ask(self, request, ACTS[name][0], form, row=agreement, about=about, problem=problem, status=status)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        agreement, context = self.get_object(request, unquote(object_id)), {}
        if agreement is not None and is_allowed(request):
            context = {"can_send": agreement.may_be_sent, "can_discard": agreement.may_be_discarded}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def _page_of(self, request: HttpRequest, agreement: Agreement) -> HttpResponseRedirect:
        may_see = self.has_view_permission(request, agreement)
        name = f"admin:{conf.app_label}_agreement_change"
        return HttpResponseRedirect(
            reverse(name, args=[quote(str(agreement.pk))]) if may_see else reverse("admin:index")
        )

    # Columns

    @display.column("what", ordering="plan")
    def what(self, agreement: Agreement) -> Any:
        return display.lines(agreement_words.what(agreement), agreement_words.money(agreement))

    @display.column("subscriber")
    def subscriber_link(self, agreement: Agreement) -> Any:
        return people.subscriber_or_customer_link(agreement.subscriber)

    @display.column("status", ordering="status")
    def state(self, agreement: Agreement) -> Any:
        return display.lines(agreement_words.badge(agreement), agreement_words.sentence(agreement))

    @display.column("terms", ordering="days_until_due")
    def terms(self, agreement: Agreement) -> Any:
        return f"due in {agreement.days_until_due} days"

    @display.column("purchase order", ordering="po_number")
    def purchase_order(self, agreement: Agreement) -> str:
        return agreement.po_number

    @display.column("memo")
    def memo_text(self, agreement: Agreement) -> str:
        return agreement.memo

    @display.column("trial and discount")
    def extras(self, agreement: Agreement) -> Any:
        return display.lines(*agreement_words.extras(agreement))

    @display.column("starts", ordering="starts_on")
    def starts(self, agreement: Agreement) -> Any:
        return agreement_words.start(agreement)

    @display.column("drafted", ordering="drafted_at")
    def drafted(self, agreement: Agreement) -> Any:
        return display.lines(display.moment(agreement.drafted_at), cause_words.words_for(agreement.drafted_by))

    @display.column("sent", ordering="sent_at")
    def sent(self, agreement: Agreement) -> Any:
        return display.lines(display.moment(agreement.sent_at), cause_words.words_for(agreement.sent_by))

    @display.column("started", ordering="started_at")
    def started(self, agreement: Agreement) -> Any:
        return display.moment(agreement.started_at)

    @display.column("subscription")
    def subscription(self, agreement: Agreement) -> Any:
        return display.at_stripe(agreement.subscription_id)

    @display.column("first invoice")
    def invoice(self, agreement: Agreement) -> Any:
        return display.at_stripe(agreement.invoice_id)


def _log(request: HttpRequest, agreement: Agreement, flag: int, done: str, reason: str) -> None:
    LogEntry.objects.create(
        user_id=cast("int", request.user.pk),
        content_type=ContentType.objects.get_for_model(Agreement),
        object_id=str(agreement.pk),
        object_repr=str(agreement),
        action_flag=flag,
        change_message=f"{done}: {reason}",
        action_time=clock.now(),
    )
