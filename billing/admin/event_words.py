"""The admin describes an event in these words: its status, what is unusual about it, and its neighbours on the lane."""

from typing import Any

from django.utils.safestring import SafeString

from billing.conf import conf
from billing.models import StripeEvent

from . import display

Status = StripeEvent.Status

KIND_OF_BADGE = {
    Status.RECEIVED: "waiting",
    Status.PROCESSED: "good",
    Status.FAILED: "bad",
    Status.DEAD: "dead",
    Status.IGNORED: "quiet",
}
SENTENCE = {
    Status.RECEIVED: "Waiting for its turn on the lane.",
    Status.PROCESSED: "Processed: its changes are saved.",
    Status.FAILED: "Failed. It will be tried again automatically.",
    Status.DEAD: "Failed for the last time. A person must look at it and process it again.",
    Status.IGNORED: "Stored, but not processed: we do not use events of this type.",
}
HANDLED = "handled"
HANDLED_SENTENCE = (
    "Staff marked it as handled: it is not tried again and raises no alert. You can still process it again."
)
LONGEST_ERROR = 90


def is_handled(event: StripeEvent) -> bool:
    return event.status == Status.DEAD and event.handled_at is not None


def state(event: StripeEvent) -> str:
    return HANDLED if is_handled(event) else str(Status(event.status).label.lower())


def state_badge(event: StripeEvent) -> SafeString:
    kind = "quiet" if is_handled(event) else KIND_OF_BADGE[Status(event.status)]
    return display.badge(state(event), kind, state_sentence(event))


def state_sentence(event: StripeEvent) -> str:
    return HANDLED_SENTENCE if is_handled(event) else SENTENCE[Status(event.status)]


def marks(event: StripeEvent) -> list[SafeString]:
    """Return what differs from what this project expects: Stripe's API version, or the mode."""
    found = []
    if event.livemode != conf.live_mode:
        title = "Belongs to the other mode (test or live), so it is never processed"
        found.append(display.badge("live mode" if event.livemode else "test mode", "bad", title))
    if event.api_version != conf.api_version:
        title = f"API version {event.api_version or 'none'}; this project asks for {conf.api_version}"
        found.append(display.badge("other version", "waiting", title))
    return found


def error_in_short(event: StripeEvent) -> str:
    """Return the last line of the error, which in a traceback says what happened."""
    said = event.error_message.strip().splitlines()
    line = said[-1] if said else ""
    return line if len(line) <= LONGEST_ERROR else f"{line[:LONGEST_ERROR]}…"


def more_than_once(event: StripeEvent) -> str:
    """Return `3 attempts, 2 deliveries`, leaving out what happened once."""
    counted = {"attempts": event.attempts, "deliveries": event.deliveries}
    return ", ".join(f"{number} {name}" for name, number in counted.items() if number > 1)


def neighbour(event: StripeEvent, is_later: bool) -> Any:
    """Return the next event of the lane by Stripe's time, or the one before; events of one second are ordered by id."""
    key, sign = ("gt", "") if is_later else ("lt", "-")
    same_lane = StripeEvent.objects.filter(lane=event.lane).defer("payload").order_by(f"{sign}created", f"{sign}pk")
    same_second = same_lane.filter(created=event.created, **{f"pk__{key}": event.pk})
    found = same_second.first() or same_lane.filter(**{f"created__{key}": event.created}).first()
    if found is None:
        return "None"
    link = display.row_link("stripeevent", found.pk, found.type)
    return display.lines(display.side_by_side([link, state_badge(found)]), display.plain_id(found.pk))
