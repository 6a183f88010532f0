"""Subscription schedules begin, step from phase to phase by the clock, and are released or cancelled.

Assumed, where Stripe's documentation is silent: at `end_behavior=release` the schedule ends `released`, at `cancel`
`completed`; `subscription_schedule.expiring` comes seven days before the end, and not at all when that has passed.
"""

from ..errors import invalid
from ..events import emit, in_order, recorded
from ..store import Object, State
from . import (
    collection,
    discounting,
    ending,
    extras,
    items,
    line_items,
    phase_terms,
    phases,
    pricing,
    proration,
    standing,
    subscribing,
    thresholds,
)
from .periods import DAY
from .proration import Change
from .tax import places

UPDATED = "customer.subscription.updated"
CHANGED = "subscription_schedule.updated"
ORDER = (CHANGED, UPDATED, "invoiceitem.created", "invoice.created", "invoice.finalized")


def attach(state: State, sub: Object, metadata: Object, end_behavior: str) -> Object:
    """Make a schedule of one phase, which is the subscription as it is until its period ends (`from_subscription`)."""
    if phases.governing(state, sub) is not None:
        raise invalid(
            "You cannot migrate a subscription that is already attached to a schedule: " + sub["schedule"],
            "from_subscription",
        )
    if standing.is_over(sub) or sub["status"] == "incomplete":
        raise invalid(f"You cannot schedule a subscription that is {sub['status']}.", "from_subscription")
    phase = phases.of_subscription(sub)
    automatic = sub["automatic_tax"]["enabled"]
    terms = {name: sub[name] for name in phase_terms.TAKEN_OVER}
    schedule = state.put(phases.new(state, sub["customer"], [phase], end_behavior, metadata, automatic, terms))
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
    """Begin the subscription of a schedule's first phase. Its invoice stays a draft for an hour, as at a renewal."""
    phase = schedule["phases"][0]
    customer = state.get("customer", schedule["customer"])
    options = {**_options(state, schedule, phase), **phases.taxes(schedule, phase)}
    located = places.party(state, customer).location is not None
    sub = subscribing.build(state, customer, phase["items"], options if located else {**options, "automatic_tax": None})
    sub["automatic_tax"] = options.get("automatic_tax", sub["automatic_tax"])
    sub.update(status="trialing" if sub["trial_end"] else "active", schedule=schedule["id"])
    with in_order(state, (CHANGED, "customer.subscription.created")):
        with recorded(state, schedule, CHANGED):
            _take_over(state, schedule, sub, phase)
        phase_terms.write(state, sub, schedule, phase, None)
        extras.wait(state, sub, phase)
        subscribing.draft_first(state, sub, proration.take_pending_lines(state, sub))
        _write_end(state, sub, schedule)
        emit(state, "customer.subscription.created", sub)
    standing.plan(state, sub)
    plan(state, schedule)


def _options(state: State, schedule: Object, phase: Object) -> Object:
    """Return the terms that a phase sets for a new subscription. One that began in the past is billed from there, and
    in its rhythm."""
    options = {name: phase[name] for name in ("currency", "default_payment_method", "description", "metadata",
                                              "discounts")}  # fmt: skip
    terms = phase_terms.counting(schedule, phase)
    options |= {name: terms[name] for name in ("collection_method", "days_until_due")}
    is_ahead = (phase["trial_end"] or 0) > state.now()
    if phase["start_date"] < state.now():
        options |= {"start_date": phase["start_date"]} | (
            {} if is_ahead else {"billing_cycle_anchor": phase["start_date"]}
        )
    return {**options, "trial_end": phase["trial_end"] if is_ahead else None}


def plan(state: State, schedule: Object) -> None:
    """Schedule the jobs of a schedule: its start, the end of its phase, the notice before its end."""
    if schedule["status"] == "not_started":
        state.schedule(schedule["phases"][0]["start_date"], "schedule_starts", schedule["id"], urgency=2)
        return
    end = schedule["current_phase"]["end_date"]
    state.schedule(end, "phase_ends", schedule["id"], str(end), urgency=2)
    notice = phases.end_of(schedule) - 7 * DAY
    if notice >= state.now():
        state.schedule(notice, "schedule_expires", schedule["id"], str(phases.end_of(schedule)))


def rewrite(state: State, schedule: Object, shown: list[Object], end_behavior: str, prorations: str) -> None:
    """Replace the phases; if the phase under way differs from the subscription, change the subscription at once."""
    sub = state.find("subscription", schedule["subscription"])
    before = phases.at(schedule, state.now())
    with recorded(state, schedule, CHANGED):
        schedule.update(phases=shown, end_behavior=end_behavior)
        current = phases.at(schedule, state.now()) or shown[0]
        if schedule["status"] == "active":
            schedule["current_phase"] = _bounds(current)
    if sub is not None:
        _enter(state, sub, current, prorations, before)
        with recorded(state, sub, UPDATED):
            _write_end(state, sub, schedule)
    plan(state, schedule)


def step(state: State, schedule: Object) -> None:
    """Step from a phase that is over to the next one, or to the schedule's end."""
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
    """Release the schedule; the subscription continues as it is."""
    sub = state.find("subscription", schedule["subscription"])
    phases.close(state, schedule, "released")
    if sub is not None:
        with recorded(state, sub, UPDATED):
            sub["schedule"] = None
            if not keep_cancel and sub["cancel_at"] is not None:
                ending.move(state, sub, None)


def _write_end(state: State, sub: Object, schedule: Object) -> None:
    """Write the end into the subscription, in the last phase of a schedule that cancels (assumed)."""
    last = schedule["current_phase"]["end_date"] == phases.end_of(schedule)
    at = phases.end_of(schedule) if schedule["end_behavior"] == "cancel" and last else None
    if sub["cancel_at"] != at:
        ending.move(state, sub, at)


def _given(state: State, sub: Object, phase: Object, rows: list[Object]) -> discounting.Given:
    """Return the discounts that the phase gives the subscription and these items of it."""
    named = [
        {"price": row["price"], "discounts": _discounts(state, _item_of(rows, row), row)} for row in phase["items"]
    ]
    given = {"discounts": _discounts(state, sub, phase), "items": named}
    return discounting.foreseen(state, sub, given, rows)


def _item_of(rows: list[Object], entry: Object) -> Object:
    """Return the item that is of the entry's price; a new one has no discounts yet."""
    return next((row for row in rows if row["price"]["id"] == entry["price"]), {"discounts": []})


def _enter(state: State, sub: Object, phase: Object, prorations: str, before: Object | None = None) -> None:
    """Change the subscription to what the phase says. `before` is the same phase as it was, where that is rewritten."""
    if before is None or before["add_invoice_items"] != phase["add_invoice_items"]:
        extras.wait(state, sub, phase)
    invoice = None
    with in_order(state, ORDER), recorded(state, sub, UPDATED):
        change = _worked_out(state, sub, phase, prorations)
        if change is not None:
            proration.put(state, sub, change)
        _write(state, sub, phase, before)
        if change is not None and (change.is_due_now or (change.lines and prorations == "always_invoice")):
            invoice = proration.bill(state, sub, change)
        elif change is not None:
            proration.file_items(state, sub, change)
        if _begins_trial(state, sub, phase):
            standing.move_trial(state, sub, phase["trial_end"])
    if invoice is not None:
        collection.advance(state, invoice)


def _worked_out(state: State, sub: Object, phase: Object, prorations: str) -> Change | None:
    """Work out the change of the items; None if nothing changes. A trial that begins credits the period that it
    replaces."""
    rows = items.changed(state, sub, phases.wanted(sub, phase)) if phases.differs(sub, phase) else None
    if not _begins_trial(state, sub, phase):
        return None if rows is None else phased(state, sub, rows, prorations, phase)
    if sub["status"] == "trialing" or prorations == "none":
        change = Change([], sub["billing_cycle_anchor"], items.whole(sub), [], [])
    else:
        change = proration.credit(state, sub, sub["items"]["data"], state.now())
    change.rows = rows or sub["items"]["data"]
    if sub["status"] != "trialing":
        trial = {**sub, "trial_start": state.now(), "trial_end": phase["trial_end"]}
        change.lines += line_items.trial_lines(state, trial, change.rows)
    return change


def phased(state: State, sub: Object, rows: list[Object], prorations: str, phase: Object) -> Change:
    """Work out the change to a phase's items; another interval begins a new period (`billing_cycle_anchor=automatic`,
    assumed)."""
    resets = proration.has_new_interval(sub["items"]["data"], rows)
    given = _given(state, sub, phase, rows)
    return proration.work_out(state, sub, rows, state.now(), prorations != "none", resets, given)


def _begins_trial(state: State, sub: Object, phase: Object) -> bool:
    end = phase["trial_end"]
    return bool(end and end > state.now() and end != sub["trial_end"])


def _write(state: State, sub: Object, phase: Object, before: Object | None) -> None:
    """Write the phase's terms: metadata is merged, all other terms are replaced."""
    sub["metadata"] = {**sub["metadata"], **phase["metadata"]}
    schedule = phases.governing(state, sub)
    if schedule is not None:
        phase_terms.write(state, sub, schedule, phase, before)
    if before is None or phases.taxes(schedule, before) != phases.taxes(schedule, phase):
        sub.update(phases.taxes(schedule, phase))
    if before is None or before["discounts"] != phase["discounts"]:
        discounting.give(state, _discounts(state, sub, phase), sub, items.total(state, sub))
    for entry in phase["items"]:
        row = _item_of(sub["items"]["data"], entry)
        if "id" not in row:
            continue
        row["metadata"] = {**row["metadata"], **entry["metadata"]}
        if before is None or _item_of_phase(before, entry)["billing_thresholds"] != entry["billing_thresholds"]:
            row["billing_thresholds"] = entry["billing_thresholds"]
            thresholds.look_later(state, sub)
        if before is None or list(_item_of_phase(before, entry)["discounts"]) != entry["discounts"]:
            amount = pricing.item_amount(state, row, sub["currency"])
            discounting.give(state, _discounts(state, row, entry), row, amount, payer=sub)


def _item_of_phase(phase: Object, entry: Object) -> Object:
    """Return a phase's item of the same price; one of no terms, if it has none."""
    alike = (row for row in phase["items"] if row["price"] == entry["price"])
    return next(alike, {"discounts": [], "billing_thresholds": None})


def _discounts(state: State, holder: Object, entry: Object) -> list[Object]:
    """Return the discounts of a phase, or of its item (`entry`); those that the subscription or item has already are
    kept by id, and not redeemed again."""
    had = {(row["source"]["coupon"], row["promotion_code"]): row["id"]
           for row in (state.get("discount", known) for known in holder["discounts"])}  # fmt: skip
    wanted = []
    for each in entry["discounts"]:
        known = each["discount"] or had.get((each["coupon"], each["promotion_code"]))
        if known is None:
            wanted.append({name: value for name, value in each.items() if value})
        elif known in holder["discounts"]:
            wanted.append({"discount": known})
    return wanted


def foreseen(state: State, sub: Object, instant: int, shown: list[Object] | None = None) -> Object:
    """Return the subscription as its schedule, or one of these phases, will have it at an instant, with the discounts
    that a later phase redeems, drawn up: for the preview of a renewal."""
    governing = phases.governing(state, sub)
    schedule = {"phases": shown} if shown else governing
    phase = phases.at(schedule, instant) if schedule else None
    if phase is None:
        return sub
    now = phases.at(governing, state.now()) if governing else None
    rows = items.changed(state, sub, phases.wanted(sub, phase)) if phases.differs(sub, phase) else sub["items"]["data"]
    after = {**sub, **phases.taxes(governing, phase)}
    if now is None or now["start_date"] != phase["start_date"] or now["discounts"] != phase["discounts"]:
        given = _given(state, sub, phase, rows)
        rows = [{**row, "discounts": given.of_items.get(row["id"], row["discounts"])} for row in rows]
        after["discounts"] = given.whole
    if _begins_trial(state, sub, phase) and phase["trial_end"] > instant:
        after.update(status="trialing", trial_start=instant, trial_end=phase["trial_end"])
    elif proration.has_new_interval(sub["items"]["data"], rows):
        after["billing_cycle_anchor"] = instant
        rows = [{**row, "current_period_end": instant} for row in rows]
    return {**after, "items": {**sub["items"], "data": rows}}
