"""The subscriber's page shows whether they have access and why, what staff may do, and everything that happened."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from billing.commands import spelled
from billing.conf import conf
from billing.lifecycle import OUTAGES, outage_of
from billing.models import Customer

from . import (
    account_acts,
    action_groups,
    customer_answer,
    customer_money,
    display,
    giving,
    mail_rows,
    people,
    performing,
    suggesting,
    timeline,
)
from .action import Action
from .asking import ask
from .hold_actions import RELEASE
from .readonly import ReadOnlyAdmin
from .refused import Refused
from .staff_actions import ACTIONS, offered
from .timeline_sources import SOURCES

WHO: list[Any] = ["subscriber_name", "email", "stripe_link", "elsewhere", "created", "deleted"]
FACTS = ["billing-facts"]
MOST_LINKED = 10
NEVER_BOUGHT = "No customer has this address, but a user does: {}. If they paid, they used another address.{}"


class CustomerPage(ReadOnlyAdmin):
    change_form_template = "billing/admin/customer/change_form.html"
    fieldsets = [("Who", {"fields": WHO, "classes": FACTS})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for _, section in self.fieldsets for field in section["fields"]]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Answer 400, with a sentence and the answer for now, to an invalid time."""
        answer = customer_answer.answer_for(request, obj)
        context |= {
            "title": people.name_of(obj),
            "subtitle": None,
            "answer": answer,
            "used": customer_answer.used(obj),
            "not_applied": [] if answer.at else customer_answer.not_applied(request, obj),
            "actions": action_groups.grouped(offered(request, obj)),
            "notes": account_acts.notes_of(obj),
            "money": customer_money.money_of(request, obj),
            "can_release": RELEASE.is_allowed(request),
            "timeline": timeline.read_timeline(request, obj, SOURCES, answer.at),
        }
        response = super().render_change_form(request, context, add, change, form_url, obj)
        response.status_code = 400 if answer.problem else 200
        return response

    # Finding it

    def find_view(self, request: HttpRequest) -> HttpResponseBase:
        """Answer GET with `q`: redirect to the page of the one customer found, or to the list of all that match."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("q", "").replace("\0", "").strip()
        meant = self._two_of(request, asked) if asked else []
        if len(meant) == 1:
            return _page_of(meant[0])
        if asked and not meant and (known := people.with_address(asked)):
            messages.warning(
                request, format_html(NEVER_BOUGHT, people.subscriber_link(known), self._give(request, known))
            )
        found = reverse(f"admin:{conf.app_label}_customer_changelist")
        return HttpResponseRedirect(f"{found}?{urlencode({'q': asked})}")

    def suggest_view(self, request: HttpRequest) -> HttpResponseBase:
        """Answer GET with `q`, the beginning of an address: the first customers with it, for the find box."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse(
            {"found": suggesting.found(request.GET.get("q", ""))}, headers={"Cache-Control": "no-store"}
        )

    def _give(self, request: HttpRequest, subscriber: Any) -> Any:
        if not giving.is_allowed(request):
            return ""
        address = f"{reverse(f'admin:{conf.app_label}_grant_add')}?{urlencode({'subscriber': subscriber.pk})}"
        return format_html(' <a href="{}">Give access</a>', address)

    def _two_of(self, request: HttpRequest, asked: str) -> list[str]:
        """Return up to two matches; a whole address counts before the beginning of another, and of a subscriber's
        customers the current one."""
        found, _ = self.get_search_results(request, self.get_queryset(request), asked)
        whole = Q(*((f"{path}__iexact", asked) for path in ("email", *people.email_paths())), _connector=Q.OR)
        rows = found.order_by("pk").values_list("pk", flat=True).distinct()
        return list(rows.filter(whole, is_current=True)[:2]) or list(rows.filter(whole)[:2]) or list(rows[:2])

    # What staff may do

    def get_urls(self) -> list[URLPattern]:
        act, find = self.admin_site.admin_view(self.action_view), self.admin_site.admin_view(self.find_view)
        suggest = self.admin_site.admin_view(self.suggest_view)
        return [
            path("find/", find, name=f"{conf.app_label}_customer_find"),
            path("suggest/", suggest, name=f"{conf.app_label}_customer_suggest"),
            path("<path:object_id>/do/<slug:name>/", act, name=f"{conf.app_label}_customer_action"),
            *super().get_urls(),
        ]

    def action_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        """Answer GET with the form, POST with the action; 409 or an outage's status, with a sentence, where it failed
        and nothing was changed."""
        action, customer = ACTIONS.get(name), self.get_object(request, unquote(object_id))
        if action is None or customer is None:
            raise Http404
        if not (action.is_allowed(request) and self.has_view_permission(request, customer)):
            raise PermissionDenied
        if request.method == "POST":
            return self._act(request, action, customer)
        if action.is_possible(customer):
            return self._ask(request, action, customer, action.form(customer, initial=request.GET.dict()))
        messages.warning(request, performing.SOMEBODY_ELSE)
        return _page_of(customer.pk)

    def _act(self, request: HttpRequest, action: Action, customer: Customer) -> HttpResponseBase:
        form = action.form(customer, request.POST)
        if not form.is_valid():
            return self._ask(request, action, customer, form, status=400)
        try:
            if action.preview and request.POST.get("confirmed") != _meant(form):
                preview = performing.previewed(action, customer, form.cleaned_data)
                return self._ask(request, action, customer, form, preview=preview)
            done = performing.perform(action, request, customer.pk, form.cleaned_data)
        except Refused as refusal:
            problem = str(refusal) or performing.SOMEBODY_ELSE
            return self._ask(request, action, customer, form, problem, status=409)
        except tuple(OUTAGES) as error:
            outage = outage_of(error)
            return self._ask(request, action, customer, form, spelled(str(outage.for_staff)), outage.status)
        messages.success(request, f"{done}.")
        return _page_of(customer.pk)

    def _ask(
        self,
        request: HttpRequest,
        action: Action,
        customer: Customer,
        form: Any,
        problem: str = "",
        status: int = 200,
        preview: list[str] | None = None,
    ) -> HttpResponse:
        return ask(
            self,
            request,
            action.title,
            form,
            status=status,
            template="billing/admin/customer/action.html",
            row=customer,
            name=people.name_of(customer),
            answer=customer_answer.answer_for(request, customer),
            action=action,
            about=action.about(customer),
            problem=problem,
            preview=preview,
            is_previewed=action.preview is not None,
            confirmed=_meant(form) if preview is not None else "",
        )

    # Who

    @display.column("subscriber")
    def subscriber_name(self, customer: Customer) -> str:
        return people.name_of(customer)

    @display.column("at Stripe")
    def stripe_link(self, customer: Customer) -> Any:
        return display.at_stripe(customer.pk)

    @display.column("more")
    def elsewhere(self, customer: Customer) -> Any:
        links = [display.list_link("stripeevent", "Events", q=customer.pk), *mail_rows.list_of(customer.pk)]
        if customer.agreements.exists():
            links.append(display.list_link("agreement", "Agreements", q=customer.pk))
        rows = list(customer.subscriptions.order_by("-counts", "-started_at", "pk")[:MOST_LINKED])
        if len(rows) == 1:
            links.append(display.row_link("subscription", rows[0].pk, "Subscription"))
        elif rows:
            links += [display.row_link("subscription", row.pk, row.stripe_id) for row in rows]
        others = Customer.objects.all_of(customer.subscriber).exclude(pk=customer.pk) if customer.subscriber else []
        links += [display.row_link("customer", other.pk, f"Their customer {other.pk}") for other in others]
        return display.side_by_side(links, between=" · ")


def _meant(form: Any) -> str:
    """Return what a previewed form asks for, but for its reason: asked otherwise, it is previewed again."""
    return "|".join(str(value) for name, value in sorted(form.cleaned_data.items()) if name != "reason")


def _page_of(pk: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(f"admin:{conf.app_label}_customer_change", args=[quote(pk)]))
