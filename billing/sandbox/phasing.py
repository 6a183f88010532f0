"""Subscription schedules at work: begun, stepped from phase to phase by the clock, released, cancelled.

Assumed, where Stripe's documentation is silent: at `end_behavior=release` the schedule ends `released`, at `cancel`
`completed`; `subscription_schedule.expiring` comes seven days before the end, and not at all when that has passed.
"""

from . import collection, ending, items, phases, proration, standing, subscribing
from .errors import invalid
from .events import emit, in_order, recorded
from .periods import DAY
from .store import Object, State

UPDATED = "customer.subscription.updated"
CHANGED = "subscription_schedule.updated"
ORDER = (CHANGED, UPDATED, "invoiceitem.created", "invoice.created", "invoice.finalized")


def attach(state: State, sub: Object, metadata: Object, end_behavior: str) -> Object:
    """`from_subscription`: one phase, the subscription as it is until its period ends."""
    if phases.governing(state, sub) is not None:
        raise invalid(
            "You cannot migrate a subscription that is already attached to a schedule: " + sub["schedule"],
            "from_subscription",
        )
    if standing.is_over(sub) or sub["status"] == "incomplete":
        raise invalid(f"You cannot schedule a subscription that is {sub['status']}.", "from_subscription")
    phase = phases.of_subscription(sub)
    schedule = state.put(phases.new(state, sub["customer"], [phase], end_behavior, metadata))
    _take_over(state, schedule, sub, phase)
    with in_order(state, ("subscription_schedule.created", UPDATED)):
        emit(state, "subscription_schedule.created", schedule)
        with recorded(state, sub, UPDATED):
            sub["schedule"] = schedule["id"]
            _write_end(state, sub, schedule)
    plan(state, schedule)
    return schedule


def _take_over(state: State, schedule: Object, sub: Object, phase: Object) -> None:
    schedule.update(status="active", subscription=sub["id"], current_phase=_bounds(phase))
    state.put(schedule)


def _bounds(phase: Object) -> Object:
    return {"start_date": phase["start_date"], "end_date": phase["end_date"]}


def begin(state: State, schedule: Object) -> None:
    """The subscription of a schedule's first phase. Its invoice stays a draft for an hour, as at a renewal."""
    phase = schedule["phases"][0]
    customer = state.get("customer", schedule["customer"])
    options = {name: phase[name] for name in ("currency", "default_payment_method", "description", "metadata")}
    options["discounts"] = phase["discounts"]
    sub = subscribing.build(state, customer, phase["items"], options)
    sub.update(status="active", schedule=schedule["id"])
    with in_order(state, (CHANGED, "customer.subscription.created")):
        with recorded(state, schedule, CHANGED):
            _take_over(state, schedule, sub, phase)
        subscribing.draft_first(state, sub)
        _write_end(state, sub, schedule)
        emit(state, "customer.subscription.created", sub)
    standing.plan(state, sub)
    plan(state, schedule)


def plan(state: State, schedule: Object) -> None:
    """What is due for a schedule: its start, the end of its phase, the notice before its end."""
    if schedule["status"] == "not_started":
        state.schedule(schedule["phases"][0]["start_date"], "schedule_starts", schedule["id"], urgency=2)
        return
    end = schedule["current_phase"]["end_date"]
    state.schedule(end, "phase_ends", schedule["id"], str(end), urgency=2)
    notice = phases.end_of(schedule) - 7 * DAY
    if notice >= state.now():
        state.schedule(notice, "schedule_expires", schedule["id"], str(phases.end_of(schedule)))


def rewrite(state: State, schedule: Object, shown: list[Object], end_behavior: str, prorations: str) -> None:
    """New phases; where the one under way says otherwise than the subscription, that is changed at once."""
    sub = state.find("subscription", schedule["subscription"])
    with recorded(state, schedule, CHANGED):
        schedule.update(phases=shown, end_behavior=end_behavior)
        current = phases.at(schedule, state.now()) or shown[0]
        if schedule["status"] == "active":
            schedule["current_phase"] = _bounds(current)
    if sub is not None:
        _enter(state, sub, current, prorations)
        with recorded(state, sub, UPDATED):
            _write_end(state, sub, schedule)
    plan(state, schedule)


def step(state: State, schedule: Object) -> None:
    """The phase is over: on to the next one, or to the schedule's end."""
    sub = state.get("subscription", schedule["subscription"])
    following = phases.at(schedule, state.now())
    if following is None:
        finish(state, schedule, sub)
        return
    with in_order(state, ORDER):
        with recorded(state, schedule, CHANGED):
            schedule["current_phase"] = _bounds(following)
        _enter(state, sub, following, following["proration_behavior"])
        with recorded(state, sub, UPDATED):
            _write_end(state, sub, schedule)
    plan(state, schedule)


def finish(state: State, schedule: Object, sub: Object) -> None:
    if schedule["end_behavior"] == "cancel":
        standing.end(state, sub, "cancellation_requested")
    else:
        release(state, schedule)


def release(state: State, schedule: Object, keep_cancel: bool = True) -> None:
    """The subscription goes on by itself, as it is."""
    sub = state.find("subscription", schedule["subscription"])
    phases.close(state, schedule, "released")
    if sub is not None:
        with recorded(state, sub, UPDATED):
            sub["schedule"] = None
            if not keep_cancel and sub["cancel_at"] is not None:
                ending.move(state, sub, None)


def _write_end(state: State, sub: Object, schedule: Object) -> None:
    """In the last phase of a schedule that cancels, the subscription says when it ends (assumed)."""
    last = schedule["current_phase"]["end_date"] == phases.end_of(schedule)
    at = phases.end_of(schedule) if schedule["end_behavior"] == "cancel" and last else None
    if sub["cancel_at"] != at:
        ending.move(state, sub, at)


def _enter(state: State, sub: Object, phase: Object, prorations: str) -> None:
    if not phases.differs(sub, phase):
        _describe(state, sub, phase)
        return
    rows = items.changed(state, sub, phases.wanted(sub, phase))
    change = proration.work_out(state, sub, rows, state.now(), prorations != "none")
    bills_now = bool(change.lines) and (change.resets or prorations == "always_invoice")
    invoice = None
    with in_order(state, ORDER):
        with recorded(state, sub, UPDATED):
            proration.put(state, sub, change)
            _write(state, sub, phase)
            invoice = proration.bill(state, sub, change) if bills_now else None
        if not bills_now:
            proration.file_items(state, sub, change)
    if invoice is not None:
        collection.advance(state, invoice)


def _describe(state: State, sub: Object, phase: Object) -> None:
    with recorded(state, sub, UPDATED):
        _write(state, sub, phase)


def _write(state: State, sub: Object, phase: Object) -> None:
    """A phase's metadata is merged into the subscription's; its card and description replace those."""
    sub["metadata"] = {**sub["metadata"], **phase["metadata"]}
    for name in ("default_payment_method", "description"):
        if phase[name]:
            sub[name] = phase[name]


def foreseen(state: State, sub: Object, instant: int) -> Object:
    """The subscription as its schedule will have it at an instant, for the preview of a renewal."""
    schedule = phases.governing(state, sub)
    phase = phases.at(schedule, instant) if schedule else None
    if phase is None or not phases.differs(sub, phase):
        return sub
    rows = items.changed(state, sub, phases.wanted(sub, phase))
    return {**sub, "items": {**sub["items"], "data": rows}}
