"""What the admin says about one event: its state, what stands out, and who came before and after it."""

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
    Status.RECEIVED: "Waits for its turn on the lane.",
    Status.PROCESSED: "Done, together with what it changed.",
    Status.FAILED: "Failed, and will be tried again by itself.",
    Status.DEAD: "Failed for the last time: it waits for someone to look at it and process it again.",
    Status.IGNORED: "Stored, and not for us to process.",
}
HANDLED = "handled"
HANDLED_SENTENCE = (
    "Staff said that it needs nothing more: it is tried no more, and no alarm. To process it again is still possible."
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
    """What makes the event another than we asked for: Stripe's version, the mode."""
    found = []
    if event.livemode != conf.live_mode:
        title = "Of the other mode than this project runs in: never processed"
        found.append(display.badge("live mode" if event.livemode else "test mode", "bad", title))
    if event.api_version != conf.api_version:
        title = f"API version {event.api_version or 'none'}; this project asks for {conf.api_version}"
        found.append(display.badge("other version", "waiting", title))
    return found


def error_in_short(event: StripeEvent) -> str:
    """The last line of a traceback is the one that says what happened; of other text, the only one."""
    said = event.error_message.strip().splitlines()
    line = said[-1] if said else ""
    return line if len(line) <= LONGEST_ERROR else f"{line[:LONGEST_ERROR]}…"


def more_than_once(event: StripeEvent) -> str:
    """`3 attempts, 2 deliveries`, each where it is more than one."""
    counted = {"attempts": event.attempts, "deliveries": event.deliveries}
    return ", ".join(f"{number} {name}" for name, number in counted.items() if number > 1)


def neighbour(event: StripeEvent, is_later: bool) -> Any:
    """The next event of the lane by Stripe's time, or the one before; those of one second by their id."""
    key, sign = ("gt", "") if is_later else ("lt", "-")
    same_lane = StripeEvent.objects.filter(lane=event.lane).defer("payload").order_by(f"{sign}created", f"{sign}pk")
    same_second = same_lane.filter(created=event.created, **{f"pk__{key}": event.pk})
    found = same_second.first() or same_lane.filter(**{f"created__{key}": event.created}).first()
    if found is None:
        return "None"
    link = display.row_link("stripeevent", found.pk, found.type)
    return display.lines(display.side_by_side([link, state_badge(found)]), display.plain_id(found.pk))
