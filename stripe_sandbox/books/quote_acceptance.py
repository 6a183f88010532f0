"""A quote that is accepted becomes a draft invoice, a subscription, or a schedule that begins one later.

Documented: which of the three. Assumed: the first invoice of the subscription stays a draft for an hour, as that of a
schedule does; a schedule has one phase of one interval, and lets the subscription go.
"""

from typing import Any

from ..events import emit, in_order
from ..store import Object, State
from . import discounting, extras, phases, phasing, proration, quoting, standing, subscribing
from .due import job

ORDER = ("subscription_schedule.created", "customer.subscription.created", "invoiceitem.created", "invoice.created",
         "quote.accepted")  # fmt: skip


def accept(state: State, quote: Object) -> None:
    with in_order(state, ORDER):
        if not quoting.is_recurring(state, quote):
            quote["invoice"] = _invoice(state, quote)["id"]
        elif (quote["subscription_data"]["effective_date"] or 0) > state.now():
            quote["subscription_schedule"] = _schedule(state, quote)["id"]
        else:
            quote["subscription"] = _subscription(state, quote)["id"]
        quote["status"] = "accepted"
        quote["status_transitions"]["accepted_at"] = state.now()
        emit(state, "quote.accepted", quote)


def _entry(state: State, row: Object) -> dict[str, Any]:
    entry = {"price": row["price"]["id"], "quantity": row["quantity"]}
    given = quoting.given_discounts(state, row["id"])
    return {**entry, "discounts": given} if given else entry


def _entries(state: State, quote: Object, recurring: bool) -> list[dict[str, Any]]:
    rows = quoting.lines(state, quote)
    return [_entry(state, row) for row in rows if bool(row["price"]["recurring"]) is recurring]


def _invoice(state: State, quote: Object) -> Object:
    customer = state.get("customer", quote["customer"])
    payer = extras.buyer(customer, quote["currency"], collection_method=quote["collection_method"])
    settings = quote["invoice_settings"]
    payer["days_until_due"] = settings["days_until_due"]
    rows = [extras.added(state, payer, entry) for entry in _entries(state, quote, recurring=False)]
    parent = {"quote_details": {"quote": quote["id"]}, "subscription_details": None, "type": "quote_details"}
    chosen = {name: settings[name] for name in ("custom_fields", "description", "footer") if settings[name]}
    invoice = extras.draft(state, payer, rows, auto_advance=False, quoted=parent, **chosen)
    discounting.give(state, quoting.given_discounts(state, quote["id"]), invoice, invoice["subtotal"])
    extras.recount(state, invoice)
    customer["currency"] = customer["currency"] or invoice["currency"]
    return invoice


def _options(state: State, quote: Object) -> dict[str, Any]:
    data, settings = quote["subscription_data"], quote["invoice_settings"]
    return {
        "currency": quote["currency"],
        "collection_method": quote["collection_method"],
        "days_until_due": settings["days_until_due"],
        "description": data["description"],
        "discounts": quoting.given_discounts(state, quote["id"]),
        "metadata": data["metadata"],
        "trial_period_days": data["trial_period_days"],
    }


def _subscription(state: State, quote: Object) -> Object:
    customer = state.get("customer", quote["customer"])
    sub = subscribing.build(state, customer, _entries(state, quote, recurring=True), _options(state, quote))
    sub["status"] = "trialing" if sub["trial_end"] else "active"
    extras.wait(state, sub, {"add_invoice_items": _entries(state, quote, recurring=False)})
    subscribing.draft_first(state, sub, proration.take_pending_lines(state, sub))
    emit(state, "customer.subscription.created", sub)
    standing.plan(state, sub)
    return sub


def _schedule(state: State, quote: Object) -> Object:
    options, data = _options(state, quote), quote["subscription_data"]
    begins = int(data["effective_date"])
    phase = {name: options[name] for name in ("currency", "description", "discounts", "metadata")}
    phase |= {"items": _entries(state, quote, recurring=True)}
    phase |= {"add_invoice_items": _entries(state, quote, recurring=False)}
    if data["trial_period_days"]:
        phase["trial_end"] = begins + data["trial_period_days"] * 86_400
    shown = phases.read(state, [phase], begins)
    schedule = state.put(phases.new(state, quote["customer"], shown, "release", {}))
    schedule["default_settings"]["collection_method"] = quote["collection_method"]
    schedule["default_settings"]["invoice_settings"]["days_until_due"] = options["days_until_due"]
    emit(state, "subscription_schedule.created", schedule)
    phasing.plan(state, schedule)
    return schedule


def cancel(state: State, quote: Object) -> None:
    quote["status"] = "canceled"
    quote["status_transitions"]["canceled_at"] = state.now()
    emit(state, "quote.canceled", quote)


@job
def quote_expires(state: State, identifier: str, at: str) -> None:
    quote = state.get(quoting.KIND, identifier)
    if quote["status"] in ("draft", "open") and quote["expires_at"] == int(at):
        cancel(state, quote)
