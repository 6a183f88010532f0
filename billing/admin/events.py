"""The history of events as staff reads it: what came, what became of it, and "Process again"."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from billing import clock
from billing.conf import conf
from billing.models import Customer, StripeEvent, Subscription

from . import display, event_words, people, replay
from .event_filters import TypeFilter
from .readonly import PAYLOAD_PERMISSION, ReadOnlyAdmin

FACTS = ["billing-facts"]
SECTIONS: list[tuple[str | None, Any]] = [
    ("State", {"fields": ["state_in_words"], "classes": ["billing-answer"]}),
    ("About", {"fields": ["subscriber", "lane_link", "stripe_object"], "classes": FACTS}),
    ("Times", {"fields": ["created_at_stripe", "received", "processed", "next_attempt"], "classes": FACTS}),
    ("Delivery", {"fields": ["source", "mode", "deliveries", "attempts", "version", "verified_by"], "classes": FACTS}),
    ("On the same lane", {"fields": ["previous_event", "next_event"], "classes": FACTS}),
]
NOTE_SECTION = ("Note", {"fields": ["error"], "classes": ["billing-answer"]})
PAYLOAD_SECTION = ("Payload", {"fields": ["payload_json"], "classes": ["billing-answer"]})


def with_subscribers(events: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
    """Each event with its lane's subscription and address, where the lane is a customer of ours."""
    customer = Customer.objects.filter(pk=OuterRef("lane"))
    subscription = Subscription.objects.filter(customer=OuterRef("lane"))
    return events.annotate(
        subscription_pk=Subquery(subscription.values("pk")[:1]),
        customer_pk=Subquery(customer.values("pk")[:1]),
        customer_email=Subquery(customer.values("email")[:1]),
    )


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    change_form_template = "admin/billing/stripeevent/change_form.html"
    list_display = ["what", "state", "age", "tries", "lane_column", "object_column", "handled_in"]
    list_filter = ["status", TypeFilter, "source", "livemode", "received_at"]
    ordering = ["-received_at"]
    sortable_by = ["what", "age", "object_column"]
    search_fields = ["id"]
    search_help_text = "Whole ids of events, objects or customers, several at once, or a subscriber's e-mail address"
    actions = ["process_again"]
    hidden_lookups = ("payload",)

    # What is listed, and what is found

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        return with_subscribers(super().get_queryset(request).defer("payload"))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Every word is an id to be found, so that a pasted list finds them all; each by its index."""
        words = search_term.replace(",", " ").split()
        if not words:
            return queryset, False
        lanes = [*words, *self._customers_with_email([word for word in words if "@" in word])]
        return queryset.filter(Q(pk__in=words) | Q(object_id__in=words) | Q(lane__in=lanes)), False

    def _customers_with_email(self, addresses: list[str]) -> list[str]:
        if not addresses:
            return []
        wanted = Q(email__in=addresses)
        for path_ in people.email_paths():
            wanted |= Q(**{f"{path_}__in": [address.lower() for address in addresses]})
        return list(Customer.objects.filter(wanted).values_list("pk", flat=True))

    # Columns

    @display.column("type", ordering="type")
    def what(self, event: StripeEvent) -> Any:
        return display.lines(display.breakable(event.type), display.plain_id(event.pk))

    @display.column("state")
    def state(self, event: StripeEvent) -> Any:
        marks = [event_words.state_badge(event), *event_words.marks(event)]
        return display.lines(display.side_by_side(marks), event_words.error_in_short(event))

    @display.column("age", ordering="received_at")
    def age(self, event: StripeEvent) -> Any:
        return display.age(event.received_at)

    @display.column("lane")
    def lane_column(self, event: Any) -> Any:
        lane = display.plain_id(event.lane)
        if event.customer_pk is None:
            return lane
        name = display.breakable(event.customer_email or "no address")
        page = ("subscription", event.subscription_pk) if event.subscription_pk else ("customer", event.customer_pk)
        return display.lines(display.row_link(*page, name), lane)

    @display.column("object", ordering="object_id")
    def object_column(self, event: StripeEvent) -> Any:
        return display.at_stripe(event.object_id, event.livemode)

    @display.column("attempts")
    def tries(self, event: StripeEvent) -> Any:
        many = f"{event.deliveries} deliveries" if event.deliveries > 1 else ""
        return display.lines(str(event.attempts), many)

    @display.column("took")
    def handled_in(self, event: StripeEvent) -> str | None:
        return display.took(event.processed_at - event.received_at) if event.processed_at else None

    # One event

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, Any]]:
        sections = [*SECTIONS]
        if obj is not None and obj.error_message:
            sections.insert(1, NOTE_SECTION)
        if request.user.has_perm(PAYLOAD_PERMISSION):
            sections.append(PAYLOAD_SECTION)
        return sections

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for _, section in self.get_fieldsets(request, obj) for field in section["fields"]]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        event = self.get_object(request, unquote(object_id))
        can_replay = event is not None and replay.is_offered(request, event)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "can_replay": can_replay})

    @display.column("state")
    def state_in_words(self, event: StripeEvent) -> Any:
        marks = [event_words.state_badge(event), *event_words.marks(event)]
        return display.lines(display.side_by_side(marks), event_words.state_sentence(event))

    @display.column("object")
    def stripe_object(self, event: StripeEvent) -> Any:
        return display.at_stripe(event.object_id, event.livemode)

    @display.column("subscriber")
    def subscriber(self, event: Any) -> Any:
        if not event.customer_pk:
            return "Not a customer of ours"
        customer = Customer.objects.select_related("subscriber").get(pk=event.customer_pk)
        return people.link(customer, event.subscription_pk)

    @display.column("lane")
    def lane_link(self, event: StripeEvent) -> Any:
        return display.lines(
            display.plain_id(event.lane), display.list_link("stripeevent", "All events of this lane", q=event.lane)
        )

    @display.column("created by Stripe")
    def created_at_stripe(self, event: StripeEvent) -> Any:
        return display.exact(clock.from_timestamp(event.created))

    @display.column("received")
    def received(self, event: StripeEvent) -> Any:
        return display.exact(event.received_at)

    @display.column("processed")
    def processed(self, event: StripeEvent) -> Any:
        if event.processed_at is None:
            return None
        after = display.took(event.processed_at - event.received_at)
        return display.lines(display.exact(event.processed_at), f"{after} after it was received")

    @display.column("next attempt")
    def next_attempt(self, event: StripeEvent) -> Any:
        return display.exact(event.next_attempt_at)

    @display.column("mode")
    def mode(self, event: StripeEvent) -> str:
        return "Live" if event.livemode else "Test"

    @display.column("API version")
    def version(self, event: StripeEvent) -> Any:
        note = "" if event.api_version == conf.api_version else f"This project asks for {conf.api_version}"
        return display.lines(event.api_version or "none", note)

    @display.column("verified by the secret")
    def verified_by(self, event: StripeEvent) -> str | None:
        return event.verified_by or None

    @display.column("what it says")
    def error(self, event: StripeEvent) -> Any:
        return display.preformatted(event.error_message)

    @display.column("payload")
    def payload_json(self, event: StripeEvent) -> Any:
        return display.folded_json(event.payload, "Show what Stripe sent")

    @display.column("before")
    def previous_event(self, event: StripeEvent) -> Any:
        return event_words.neighbour(event, is_later=False)

    @display.column("after")
    def next_event(self, event: StripeEvent) -> Any:
        return event_words.neighbour(event, is_later=True)

    # Process again

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return replay.is_allowed(request)

    @admin.action(description="Process again", permissions=["replay"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> None:
        replay.replay(request, queryset)

    def get_urls(self) -> list[URLPattern]:
        again = path(
            "<path:object_id>/process-again/",
            self.admin_site.admin_view(self.process_again_view),
            name="billing_stripeevent_process_again",
        )
        return [again, *super().get_urls()]

    @method_decorator(require_POST)
    def process_again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not (replay.is_allowed(request) and self.has_view_permission(request)):
            raise PermissionDenied
        replay.replay(request, StripeEvent.objects.filter(pk=unquote(object_id)))
        return HttpResponseRedirect(reverse("admin:billing_stripeevent_change", args=[object_id]))
