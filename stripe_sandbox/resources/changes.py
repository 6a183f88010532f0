"""Changing a subscription changes its items with proration, its end, its trial or its card."""

from ..books import (
    billing_cycle,
    charging,
    collection,
    discounting,
    ending,
    items,
    line_items,
    periods,
    phases,
    proration,
    standing,
    subscribing,
    thresholds,
)
from ..books.cards import of_method
from ..books.debits import Account
from ..books.proration import Change
from ..books.tax import rates, table
from ..errors import invalid
from ..events import in_order, recorded
from ..http.contract import Params
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import catalogue
from .payment_methods import check_types, owned
from .subscriptions import DISCOUNTS, ITEM_DISCOUNTS, PRICE_DATA, refuse_unpayable

UNPAID_FIXED = {"items", "trial_end", "billing_cycle_anchor", "discounts", "cancel_at", "cancel_at_period_end"}
UPDATED = "customer.subscription.updated"
ORDER = (UPDATED, "invoiceitem.created", "invoice.created", "invoice.finalized")
ITEMS = (
    f"items.id items.price items.plan {PRICE_DATA} items.quantity items.deleted items.metadata items.clear_usage "
    f"items.billing_thresholds.usage_gte items.tax_rates {ITEM_DISCOUNTS}"
)
ENDS = "cancel_at cancel_at_period_end cancellation_details.comment cancellation_details.feedback"
PAYING = "payment_behavior proration_behavior proration_date billing_cycle_anchor off_session"
PLAIN = (
    "collection_method days_until_due default_payment_method description metadata trial_end "
    "billing_thresholds.amount_gte billing_thresholds.reset_billing_cycle_anchor "
    "trial_settings.end_behavior.missing_payment_method pause_collection.behavior pause_collection.resumes_at "
    "payment_settings.payment_method_types payment_settings.save_default_payment_method automatic_tax.enabled "
    "default_tax_rates invoice_settings.custom_fields invoice_settings.description invoice_settings.footer"
)


@api.add(
    "POST",
    "/v1/subscriptions/{subscription}",
    "SubscriptionUpdateParams",
    f"{ITEMS} {ENDS} {PAYING} {PLAIN} {DISCOUNTS}",
)
def update(state: State, subscription: str, params: Params) -> Object:
    sub = state.get("subscription", subscription)
    if standing.is_over(sub) and params.keys() - {"metadata", "cancellation_details"}:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    check_types(params.get("payment_settings") or {})
    subscribing.check_fields(params.get("invoice_settings"))
    _check(state, sub, params)
    _refuse_pending_debit(state, sub, params)
    _check_tax(state, sub, params)
    params = {**params, **_priced(state, params)}
    if _ends_trial(sub, params) and _ends_without_card(state, sub, params):
        return sub
    moves = _ends_trial(sub, params) or _starts_trial(sub, params) or params.get("billing_cycle_anchor") == "now"
    if moves or "items" in params:
        _change_items(state, sub, params)
    else:
        with in_order(state, ORDER), recorded(state, sub, UPDATED):
            _write(state, sub, params)
    return sub


def _priced(state: State, params: Params) -> Params:
    """Return the items, those given by `price_data` by their new price."""
    named = [catalogue.by_plan(entry) for entry in params.get("items") or []]
    rows = [catalogue.inline(state, entry, "items[0][price]") if "price_data" in entry else entry for entry in named]
    return {"items": rows} if rows else {}


def _refuse_scheduled(state: State, sub: Object, params: Params) -> None:
    """Cancellation is refused in Stripe's words; that items are refused as well is assumed."""
    schedule = phases.governing(state, sub)
    ends = params.keys() & {"cancel_at", "cancel_at_period_end"}
    if schedule is None or not (ends or params.keys() & {"items", "billing_cycle_anchor", "trial_end"}):
        return
    what = "any cancelation behavior" if ends else "its items or dates"
    raise invalid(
        f"The subscription is managed by the subscription schedule `{schedule['id']}`, and updating {what} directly is "
        "not allowed. Please update the schedule instead."
    )


def _check(state: State, sub: Object, params: Params) -> None:
    _refuse_scheduled(state, sub, params)
    if sub["status"] == "incomplete" and params.keys() & UNPAID_FIXED:
        raise invalid(
            "This subscription's items and dates cannot be changed while its status is `incomplete`: its first invoice "
            "must be paid first.",
            min(params.keys() & UNPAID_FIXED),
        )
    if params.get("cancel_at") and params.get("cancel_at_period_end"):
        raise invalid("You may only specify one of these parameters: cancel_at, cancel_at_period_end.", "cancel_at")
    subscribing.check_end(state, params.get("cancel_at"))
    if isinstance(params.get("trial_end"), int) and params["trial_end"] <= state.now():
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
    if isinstance(params.get("trial_end"), int) and params["trial_end"] > state.now() + subscribing.LONGEST_TRIAL:
        raise invalid("A trial may be at most 730 days long.", "trial_end")
    if params.get("default_payment_method"):
        owned(state, params["default_payment_method"], sub["customer"], "default_payment_method")
    at = params.get("proration_date")
    if at is not None and not items.period_start(sub) <= at <= items.period_end(sub):
        raise invalid("The `proration_date` must be within the current period.", "proration_date")


def _check_tax(state: State, sub: Object, params: Params) -> None:
    """Refuse what could not be taxed, before anything is changed."""
    after = {**sub, **_taxed(state, params)}
    by_hand = any(entry.get("tax_rates") for entry in params.get("items") or [])
    rates.refuse_both(after["automatic_tax"]["enabled"], by_hand, "items[0][tax_rates]")
    fails = table.of(state)["without_location"] == "fail" and not standing.is_over(sub)
    if "automatic_tax" in params or "default_tax_rates" in params or fails:
        subscribing.check_tax(state, after)


def _taxed(state: State, params: Params) -> Object:
    """Return what the parameters make of a subscription's taxes."""
    fields: Object = {}
    if "automatic_tax" in params:
        fields["automatic_tax"] = phases.automatic_tax(params["automatic_tax"]["enabled"])
    if "default_tax_rates" in params:
        fields["default_tax_rates"] = rates.chosen(state, params["default_tax_rates"], "default_tax_rates")
    return fields


def _refuse_pending_debit(state: State, sub: Object, params: Params) -> None:
    """Refuse a pending update that a bank would pay: it waits 23 hours at most, and a bank takes days
    (https://docs.stripe.com/billing/subscriptions/pending-updates names the payment methods)."""
    method = params.get("default_payment_method") or collection.method_of(state, sub)
    is_pending = params.get("payment_behavior") == "pending_if_incomplete"
    if is_pending and params.get("collection_method", sub["collection_method"]) == "send_invoice":
        raise invalid(
            "`payment_behavior=pending_if_incomplete` is only supported for subscriptions that are charged "
            "automatically.",
            "payment_behavior",
        )
    if is_pending and method and isinstance(of_method(state, method), Account):
        raise invalid(
            "`payment_behavior=pending_if_incomplete` is not supported for payments by bank debit.", "payment_behavior"
        )


def _ends_trial(sub: Object, params: Params) -> bool:
    return sub["status"] == "trialing" and params.get("trial_end") == "now"


def _ends_without_card(state: State, sub: Object, params: Params) -> bool:
    """End or pause the subscription whose trial is ended by hand without a card, as at its end by itself (assumed)."""
    until, sub["trial_end"] = sub["trial_end"], state.now()
    is_charged = sub["collection_method"] == "charge_automatically" and not params.get("default_payment_method")
    if is_charged and billing_cycle.ends_without_card(state, sub):
        return True
    sub["trial_end"] = until
    return False


def _starts_trial(sub: Object, params: Params) -> bool:
    """Return whether the update puts a trial on a running subscription, instead of moving one."""
    return sub["status"] in ("active", "past_due") and isinstance(params.get("trial_end"), int)


def _write(state: State, sub: Object, params: Params) -> None:
    for name in ("default_payment_method", "description"):
        if name in params:
            sub[name] = params[name] or None
    _write_terms(sub, params)
    if "pause_collection" in params:
        standing.pause_collection(state, sub, params["pause_collection"] or None)
    if "payment_settings" in params:
        sub["payment_settings"].update(params["payment_settings"] or {"save_default_payment_method": "off"})
    given = params.get("invoice_settings") or {}
    sub["invoice_settings"] = {**sub["invoice_settings"], **{name: value or None for name, value in given.items()}}
    if "trial_settings" in params:
        sub["trial_settings"] = params["trial_settings"]
    sub["metadata"] = merged(sub["metadata"], params)
    sub.update(_taxed(state, params))
    thresholds.write(state, sub, params)
    if "discounts" in params:
        discounting.give(state, params["discounts"], sub, items.total(state, sub))
    if isinstance(params.get("trial_end"), int):
        standing.move_trial(state, sub, params["trial_end"])
    _write_end(state, sub, params)


def _write_terms(sub: Object, params: Params) -> None:
    """Write the terms that hold from the next invoice on."""
    method = params.get("collection_method", sub["collection_method"])
    length = params.get("days_until_due", sub["days_until_due"] if method == "send_invoice" else None)
    subscribing.check_terms(str(method), length)
    sub.update(collection_method=method, days_until_due=length)


def _write_end(state: State, sub: Object, params: Params) -> None:
    prorations = params.get("proration_behavior", "create_prorations")
    if params.get("cancel_at_period_end") is True:
        ending.move(state, sub, items.whole(sub)[1], True, prorations)
    elif params.get("cancel_at"):
        ending.move(state, sub, items.instant(sub, params["cancel_at"]), False, prorations)
        state.note(sub["id"])["prorates_end"] = prorations != "none"
    elif "cancel_at_period_end" in params or "cancel_at" in params:
        ending.move(state, sub, None, False, prorations)
    details = params.get("cancellation_details") or {}
    sub["cancellation_details"].update({name: value or None for name, value in details.items()})


def _change_items(state: State, sub: Object, params: Params) -> None:
    if sub["pending_update"]:
        raise invalid("This subscription has a pending update: pay or void its invoice first.", "items")
    change = worked_out(state, sub, params)
    behaviour = params.get("payment_behavior", "allow_incomplete")
    bills_now = bool(change.lines) and (change.is_due_now or params.get("proration_behavior") == "always_invoice")
    if sub["collection_method"] != "charge_automatically" or change.amount <= 0:
        behaviour = "allow_incomplete"
    if bills_now and behaviour == "error_if_incomplete":
        customer = state.get("customer", sub["customer"])
        refuse_unpayable(state, customer, sub["default_payment_method"], bool(params.get("off_session")))
    if bills_now and behaviour == "pending_if_incomplete" and not _payable(state, sub, params):
        _hold(state, sub, change, params)
        return
    with in_order(state, ORDER):
        with recorded(state, sub, UPDATED):
            _apply(state, sub, change, params)
            invoice = proration.bill(state, sub, change) if bills_now else None
        if not bills_now:
            proration.file_items(state, sub, change)
    if invoice is not None and behaviour != "default_incomplete":
        collection.advance(state, invoice, on_session=not params.get("off_session"))


def worked_out(state: State, sub: Object, params: Params) -> Change:
    rows = items.changed(state, sub, params.get("items") or [])
    if _ends_trial(sub, params):
        return _end_trial(state, sub, rows)
    prorates = params.get("proration_behavior", "create_prorations") != "none"
    if _starts_trial(sub, params):
        return _start_trial(state, sub, rows, params["trial_end"], prorates)
    at = params.get("proration_date") or state.now()
    reset = params.get("billing_cycle_anchor") == "now"
    return proration.work_out(state, sub, rows, at, prorates, reset, discounting.foreseen(state, sub, params, rows))


def _end_trial(state: State, sub: Object, rows: list[Object]) -> Change:
    """Begin the paid time now, without credit for the trial."""
    now = state.now()
    rows = [{**row, "current_period_start": now,
             "current_period_end": periods.end_of(now, now, row["price"]["recurring"])} for row in rows]  # fmt: skip
    lines = [line for row in rows for line in subscribing.regular_lines(state, sub, row)]
    return Change(rows, now, (items.period_start(sub), now), lines, [])


def _start_trial(state: State, sub: Object, rows: list[Object], end: int, prorates: bool) -> Change:
    """Begin a trial; what was paid for and is not used is credited
    (https://docs.stripe.com/billing/subscriptions/trials)."""
    now, old = state.now(), sub["items"]["data"]
    change = proration.credit(state, sub, old if prorates else [], now)
    change.rows = [{**row, "current_period_start": now, "current_period_end": end} for row in rows]
    change.anchor, change.period = end, (items.period_start(sub), now)
    trial = {**sub, "trial_start": now, "trial_end": end}
    for row in old if prorates else []:
        proration.bill_usage(state, sub, change, row)
    change.lines += line_items.trial_lines(state, trial, rows)
    return change


def _payable(state: State, sub: Object, params: Params) -> bool:
    return (
        charging.foreseen(state, collection.method_of(state, sub), not params.get("off_session")) == charging.SUCCEEDED
    )


def _apply(state: State, sub: Object, change: Change, params: Params) -> None:
    starts = _starts_trial(sub, params)
    if _ends_trial(sub, params):
        sub.update(status="active", trial_end=state.now())
    if starts:
        sub.update(status="trialing", trial_start=state.now(), trial_end=params["trial_end"])
    proration.put(state, sub, change)
    discounting.give_items(state, sub, params.get("items") or [])
    _write(
        state,
        sub,
        {name: value for name, value in params.items() if name != "trial_end" or _moves_trial(value, starts)},
    )


def _moves_trial(end: object, starts: bool) -> bool:
    return isinstance(end, int) and not starts


def _hold(state: State, sub: Object, change: Change, params: Params) -> None:
    """Make the change wait: its invoice is open, and the subscription keeps what it had."""
    with in_order(state, ORDER), recorded(state, sub, UPDATED):
        with line_items.nothing_billed_yet(state, change.rows) as billed:
            invoice = proration.bill(state, sub, change)
        items.hold_pending(state, sub, change.rows, invoice["id"], change.anchor, change.metered)
        state.note(sub["id"])["pending_update"]["billed"] = billed
    collection.collect(state, invoice, on_session=not params.get("off_session"))
