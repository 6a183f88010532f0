"""Staff see which events came, what became of each, and what they can do about it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from billing.conf import conf
from billing.models import Customer, StripeEvent

from . import display, event_effects, event_export, event_words, handling, replay
from .event_filters import ModeFilter, StateFilter, TypeFilter, search
from .event_page import EventPage

LIST = f"admin:{conf.app_label}_stripeevent_changelist"
Act = Callable[[HttpRequest, QuerySet[StripeEvent]], None]


def with_subscribers(events: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
    """Add the customer and address of each event's lane, where the lane is one of our customers."""
    customer = Customer.objects.filter(pk=OuterRef("lane"))
    return events.annotate(
        customer_pk=Subquery(customer.values("pk")[:1]),
        customer_email=Subquery(customer.values("email")[:1]),
    )


@admin.register(StripeEvent)
class StripeEventAdmin(EventPage):
    change_form_template = "billing/admin/stripeevent/change_form.html"
    change_list_template = "billing/admin/stripeevent/change_list.html"
    list_display = ["what", "state", "age", "lane_column", "object_column"]
    list_filter = [StateFilter, TypeFilter, "source", ModeFilter, "received_at"]
    ordering = ["-received_at"]
    sortable_by = ["age"]
    search_fields = ["id"]
    search_help_text = "Whole ids of events, objects or customers, several at once, or a subscriber's e-mail address"
    actions = ["process_again", "mark_as_handled"]

    # Listing and finding

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        return with_subscribers(super().get_queryset(request).defer("payload"))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return search(queryset, search_term), False

    # Columns

    @display.column("type")
    def what(self, event: StripeEvent) -> Any:
        return display.lines(display.breakable(event.type), display.plain_id(event.pk))

    @display.column("status")
    def state(self, event: StripeEvent) -> Any:
        marks = [event_words.state_badge(event), *event_words.marks(event)]
        return display.lines(
            display.side_by_side(marks), event_words.error_in_short(event), event_words.more_than_once(event)
        )

    @display.column("age", ordering="received_at")
    def age(self, event: StripeEvent) -> Any:
        took = f"took {display.took(event.processed_at - event.received_at)}" if event.processed_at else ""
        return display.lines(display.age(event.received_at), took)

    @display.column("lane")
    def lane_column(self, event: Any) -> Any:
        lane = display.plain_id(event.lane)
        if event.customer_pk is None:
            return lane
        name = display.breakable(event.customer_email or "no e-mail address")
        return display.lines(display.row_link("customer", event.customer_pk, name), lane)

    @display.column("object")
    def object_column(self, event: StripeEvent) -> Any:
        return display.at_stripe(event.object_id, event.livemode)

    # What staff may do

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return replay.is_allowed(request)

    def has_handle_permission(self, request: HttpRequest) -> bool:
        return handling.is_allowed(request)

    @admin.action(description="Process again", permissions=["replay"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> None:
        replay.replay(request, queryset)

    @admin.action(description="Mark as handled", permissions=["handle"])
    def mark_as_handled(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> None:
        handling.mark(request, queryset)

    # Pages

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[Callable[..., HttpResponseBase], str]] = {
            "export/": (self.export_view, "export"),
            "<path:object_id>/process-again/": (self.process_again_view, "process_again"),
            "<path:object_id>/mark-as-handled/": (self.mark_as_handled_view, "mark_as_handled"),
        }
        own = [
            path(route, self.admin_site.admin_view(view), name=f"{conf.app_label}_stripeevent_{name}")
            for route, (view, name) in pages.items()
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {**(extra_context or {}), "can_export": event_export.is_allowed(request)}
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        event = self.get_object(request, unquote(object_id))
        context = extra_context or {}
        if event is not None and self.has_view_permission(request, event):
            context |= {
                "can_replay": replay.is_offered(request, event),
                "can_mark": handling.is_offered(request, event),
                "effects": event_effects.effects_of(request, event),
            }
        return super().change_view(request, object_id, form_url, context)

    @method_decorator(require_POST)
    def process_again_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._act(request, object_id, replay.replay, is_allowed=replay.is_allowed(request))

    @method_decorator(require_POST)
    def mark_as_handled_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._act(request, object_id, handling.mark, is_allowed=handling.is_allowed(request))

    def _act(self, request: HttpRequest, object_id: str, act: Act, *, is_allowed: bool) -> HttpResponseBase:
        if not (is_allowed and self.has_view_permission(request)):
            raise PermissionDenied
        act(request, StripeEvent.objects.filter(pk=unquote(object_id)))
        return HttpResponseRedirect(reverse(f"admin:{conf.app_label}_stripeevent_change", args=[object_id]))

    @method_decorator(require_safe)
    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Answer GET with all rows of the list at the same address, as CSV."""
        if not (event_export.is_allowed(request) and self.has_view_permission(request)):
            raise PermissionDenied
        try:
            listed = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse(LIST))
        return event_export.response(request, listed)
