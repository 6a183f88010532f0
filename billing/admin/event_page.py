"""An event's page shows what it is, when it came, its effects, its neighbours on the lane, and what Stripe sent."""

from typing import Any

from django.http import HttpRequest

from billing import clock
from billing.conf import conf
from billing.models import Customer, StripeEvent

from . import display, event_words, people
from .readonly import PAYLOAD_PERMISSION, ReadOnlyAdmin

FACTS = ["billing-facts"]
ANSWER = ["billing-answer"]
SECTIONS: list[tuple[str | None, Any]] = [
    ("Status", {"fields": ["state_in_words"], "classes": ANSWER}),
    ("About", {"fields": ["subscriber", "lane_link", "stripe_object", "stripe_event"], "classes": FACTS}),
    ("Times", {"fields": ["created_at_stripe", "received", "processed", "next_attempt"], "classes": FACTS}),
    ("On the same lane", {"fields": ["previous_event", "next_event"], "classes": FACTS}),
    ("Delivery", {"fields": ["source", "mode", "deliveries", "attempts", "version", "verified_by"], "classes": FACTS}),
]
NOTE_SECTION = ("Note", {"fields": ["error"], "classes": ANSWER})
PAYLOAD_SECTION = ("Payload", {"fields": ["payload_json"], "classes": ANSWER})
PRUNED = "Emptied by prune_events. Only the fields above are kept."


class EventPage(ReadOnlyAdmin):
    """This admin shows the fields of an event's page."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, Any]]:
        sections = [*SECTIONS]
        if obj is not None and obj.error_message:
            sections.insert(1, NOTE_SECTION)
        if request.user.has_perm(PAYLOAD_PERMISSION):
            sections.append(PAYLOAD_SECTION)
        return sections

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for _, section in self.get_fieldsets(request, obj) for field in section["fields"]]

    @display.column("status")
    def state_in_words(self, event: StripeEvent) -> Any:
        marks = [event_words.state_badge(event), *event_words.marks(event)]
        return display.lines(display.side_by_side(marks), event_words.state_sentence(event))

    @display.column("object")
    def stripe_object(self, event: StripeEvent) -> Any:
        if not event.object_id:
            return None
        others = display.list_link("stripeevent", "All events about it", q=event.object_id)
        return display.lines(display.at_stripe(event.object_id, event.livemode), others)

    @display.column("at Stripe")
    def stripe_event(self, event: StripeEvent) -> Any:
        return display.at_stripe(event.pk, event.livemode)

    @display.column("subscriber")
    def subscriber(self, event: Any) -> Any:
        if not event.customer_pk:
            return "Not a customer of ours"
        customer = Customer.objects.select_related("subscriber").get(pk=event.customer_pk)
        return people.link(customer)

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
        """Return when the event arrived. A sandbox's clock may be ahead of ours; then no duration is shown."""
        created = clock.from_timestamp(event.created)
        is_later = created is not None and event.received_at >= created
        after = f"{display.took(event.received_at - created)} after Stripe created it" if created and is_later else ""
        return display.lines(display.exact(event.received_at), after)

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

    @display.column("verified with secret")
    def verified_by(self, event: StripeEvent) -> str | None:
        return event.verified_by or None

    @display.column("error message")
    def error(self, event: StripeEvent) -> Any:
        return display.preformatted(event.error_message)

    @display.column("payload")
    def payload_json(self, event: StripeEvent) -> Any:
        return display.folded_json(event.payload, "Show the JSON that Stripe sent") if event.payload else PRUNED

    @display.column("before")
    def previous_event(self, event: StripeEvent) -> Any:
        return event_words.neighbour(event, is_later=False)

    @display.column("after")
    def next_event(self, event: StripeEvent) -> Any:
        return event_words.neighbour(event, is_later=True)
