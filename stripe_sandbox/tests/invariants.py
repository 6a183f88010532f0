"""These invariants must hold of a sandbox after any history: one sentence for each thing that does not."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise

from stripe_sandbox.books.invoicing import is_processing, subscription_id
from stripe_sandbox.events import difference, shown
from stripe_sandbox.http.shapes import problems
from stripe_sandbox.store import Object, State

from .session_invariants import sessions
from .tax_invariants import CHECKS as TAX_CHECKS
from .usage_invariants import USAGE_CHECKS, credited

Log = list[Object]
ENDS = {
    "subscription": ("canceled", "incomplete_expired"),
    "invoice": ("paid", "void"),
    "subscription_schedule": ("released", "completed", "canceled"),
    "checkout.session": ("complete", "expired"),
    "payment_intent": ("succeeded", "canceled"),
    "refund": ("failed", "canceled"),
    "dispute": ("won", "lost", "warning_closed"),
}
REFERENCES = {
    "customer": "customer",
    "subscription": "subscription",
    "invoice": "invoice",
    "charge": "charge",
    "latest_charge": "charge",
    "latest_invoice": "invoice",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "default_payment_method": "payment_method",
    "balance_transaction": "balance_transaction",
    "failure_balance_transaction": "balance_transaction",
    "pending_setup_intent": "setup_intent",
    "mandate": "mandate",
    "schedule": "subscription_schedule",
    "test_clock": "test_helpers.test_clock",
}


def broken(state: State, log: Log) -> list[str]:
    """`log`: every event ever published, oldest first, also those that Stripe would have forgotten by now."""
    shapes = {problem for event in log for problem in _shape(event)}
    shapes |= {problem for kind, row in _rows(state) if kind != "event" for problem in problems(row)}
    books = [problem for check in CHECKS for problem in check(state)]
    return sorted(shapes) + books + list(_log(log))


def _rows(state: State) -> Iterator[tuple[str, Object]]:
    return ((kind, row) for kind, table in state.tables.items() for row in table.rows.values())


def _shape(event: Object) -> Iterator[str]:
    for problem in problems(shown(event)):
        # The upcoming invoice is the one object that Stripe sends without an id.
        if (event["type"], problem) != ("invoice.upcoming", "invoice.id: missing key"):
            yield f"{event['type']}: {problem}"


def invoices(state: State) -> Iterator[str]:
    for row in state.table("invoice").rows.values():
        lines, who = row["lines"]["data"], f"{row['id']} ({row['status']})"
        off = sum(part["amount"] for line in lines for part in line["discount_amounts"])
        own = sum(part["amount"] for line in lines for part in line["discount_amounts"]
                  if part["discount"] in line["discounts"])  # fmt: skip
        whole = sum(line["amount"] for line in lines)
        if row["subtotal"] != whole - own:
            yield f"{who}: its lines add up to something else than the subtotal {row['subtotal']}"
        added = sum(tax["amount"] for tax in row["total_taxes"] if tax["tax_behavior"] == "exclusive")
        paid_ahead = sum(credited(line) for line in lines)
        if (
            off != sum(entry["amount"] for entry in row["total_discount_amounts"])
            or row["total"] != whole - off - paid_ahead + added + row["amount_shipping"]
        ):
            yield f"{who}: total {row['total']} is not {row['subtotal']} less {off} and {paid_ahead}, with tax {added}"
        if row["amount_due"] != row["amount_paid"] + row["amount_remaining"]:
            yield f"{who}: {row['amount_due']} due, {row['amount_paid']} paid, {row['amount_remaining']} remaining"
        if row["status"] == "paid" and row["amount_remaining"]:
            yield f"{who}: {row['amount_remaining']} remain of what is paid"
        payments = state.table("invoice_payment").where("invoice", row["id"])
        given = sum(payment["amount_paid"] or 0 for payment in payments if payment["status"] == "paid")
        if row["status"] in ("paid", "open") and given != row["amount_paid"] + row["amount_overpaid"]:
            yield f"{who}: {row['amount_paid']} paid, but its payments paid {given}"
        waiting = next((payment for payment in payments if payment["is_default"] and payment["status"] == "open"), None)
        if row["status"] == "open" and waiting and waiting["amount_requested"] != row["amount_remaining"]:
            yield f"{who}: {row['amount_remaining']} remain, its payment asks for {waiting['amount_requested']}"
        currencies = {line["currency"] for line in lines} | {row["currency"]}
        if len(currencies) > 1:
            yield f"{who}: in several currencies: {sorted(currencies)}"
        sub = subscription_id(row)
        if sub and not state.find("subscription", sub):
            yield f"{who}: its subscription is nowhere"


def charges(state: State) -> Iterator[str]:
    for row in state.table("charge").rows.values():
        refunds = [
            refund
            for refund in state.table("refund").where("charge", row["id"])
            if refund["status"] in ("succeeded", "pending")
        ]
        if row["amount_refunded"] != sum(refund["amount"] for refund in refunds) + _let_go(row):
            yield f"{row['id']}: refunded {row['amount_refunded']}, its refunds say something else"
        if row["refunded"] != (row["amount_refunded"] == row["amount"]) or row["amount_refunded"] > row["amount"]:
            yield f"{row['id']}: refunded is {row['refunded']} with {row['amount_refunded']} of {row['amount']}"


def _let_go(charge: Object) -> int:
    """Return the part of a held amount that was not captured."""
    is_settled = charge["paid"] and (charge["captured"] or charge["refunded"])
    return int(charge["amount"] - charge["amount_captured"]) if is_settled else 0


def credit_notes(state: State) -> Iterator[str]:
    """Each credit stands on its invoice, and is no more than there was to pay or was paid."""
    for row in state.table("invoice").rows.values():
        notes = [n for n in state.table("credit_note").where("invoice", row["id"]) if n["status"] == "issued"]
        for kind in ("pre_payment", "post_payment"):
            credited = sum(note[f"{kind}_amount"] for note in notes)
            if credited != row[f"{kind}_credit_notes_amount"]:
                yield f"{row['id']}: its credit notes say {credited} {kind}, it says otherwise"
        if row["post_payment_credit_notes_amount"] > row["amount_paid"] or row["amount_remaining"] < 0:
            yield f"{row['id']}: more is credited than was paid or is left"
    for note in state.table("credit_note").rows.values():
        added = sum(tax["amount"] for tax in note["total_taxes"] if tax["tax_behavior"] == "exclusive")
        if note["total"] != sum(line["amount"] - line["discount_amount"] for line in note["lines"]["data"]) + added:
            yield f"{note['id']}: its lines add up to something else than {note['total']}"


def debits(state: State) -> Iterator[str]:
    """A charge is pending while its intent is processing, and moves no money until its bank has answered."""
    for row in state.table("charge").rows.values():
        intent = state.get("payment_intent", row["payment_intent"])
        is_latest = intent["latest_charge"] == row["id"]
        if (row["status"] == "pending") != (is_latest and intent["status"] == "processing"):
            yield f"{row['id']} ({row['status']}): its intent is {intent['status']}"
        if (row["balance_transaction"] is not None) != (row["paid"] and row["captured"]):
            yield f"{row['id']} ({row['status']}): its balance transaction is {row['balance_transaction']}"
    for row in state.table("invoice").rows.values():
        if row["status"] == "void" and is_processing(state, row):
            yield f"{row['id']} is void, and its payment is processing"
    for row in state.table("dispute").rows.values():
        is_debit = state.get("charge", row["charge"])["payment_method_details"]["type"] != "card"
        if is_debit and row["status"] != "lost":
            yield f"{row['id']} ({row['status']}): the dispute of a debit is lost at once"


def schedules(state: State) -> Iterator[str]:
    for row in state.table("subscription_schedule").rows.values():
        held = state.find("subscription", row["subscription"])
        if row["status"] in ("active", "not_started") and held and held["schedule"] != row["id"]:
            yield f"{row['id']} ({row['status']}): its subscription knows nothing of it"
    for sub in state.table("subscription").rows.values():
        found = state.find("subscription_schedule", sub["schedule"])
        if (
            sub["schedule"]
            and sub["ended_at"] is None
            and (not found or found["status"] not in ("active", "not_started"))
        ):
            yield f"{sub['id']}: its schedule is over"


def subscriptions(state: State) -> Iterator[str]:
    for row in state.table("subscription").rows.values():
        who, is_over = f"{row['id']} ({row['status']})", row["status"] in ENDS["subscription"]
        # A bank may take its time over a first payment; a test clock stands still.
        renews = row["status"] not in (*ENDS["subscription"], "incomplete") and not row["test_clock"]
        if is_over != (row["ended_at"] is not None):
            yield f"{who}: ended_at is {row['ended_at']}"
        for item in row["items"]["data"]:
            if item["current_period_start"] > item["current_period_end"]:
                yield f"{who}: its period ends before it starts"
            if renews and item["current_period_end"] < state.now() - 366 * 86_400:
                yield f"{who}: its period is long over"
        if row["cancel_at_period_end"] and row["cancel_at"] is None:
            yield f"{who}: cancel_at_period_end without cancel_at"
        customer = state.find("customer", row["customer"])
        if not is_over and customer is None:
            yield f"{who}: its customer is gone"


def entitlements(state: State) -> Iterator[str]:
    """A customer without a subscription that runs is entitled to nothing."""
    for row in state.table("entitlements.active_entitlement").rows.values():
        owner = state.note(row["id"]).get("customer")
        subs = state.table("subscription").where("customer", owner) if owner else []
        if owner and not any(sub["status"] in ("active", "trialing", "past_due") for sub in subs):
            yield f"{row['id']}: {owner} has no subscription"


def references(state: State) -> Iterator[str]:
    gone = state.table("customer").position.keys()  # a deleted customer is still named
    for kind, row in _rows(state):
        for name, other in REFERENCES.items() if kind != "event" else ():
            named = row.get(name)
            if isinstance(named, str) and not state.find(other, named) and named not in gone:
                yield f"{kind} {row['id']}: {name} {named} is nowhere"


def deliveries(state: State) -> Iterator[str]:
    """An event waits for as many webhooks as wanted it and have not answered 2xx; each counts once."""
    answered: dict[str, set[str]] = {}
    for delivery in state.deliveries:
        if 200 <= (delivery["status"] or 0) < 300:
            answered.setdefault(delivery["event"], set()).add(delivery["url"])
    for row in state.table("event").rows.values():
        if row["pending_webhooks"] < 0 or len(set(row["reached"])) != len(row["reached"]):
            yield f"{row['id']}: {row['pending_webhooks']} webhooks pending, reached {row['reached']}"
        if (row["pending_webhooks"] > 0) != (row["id"] in state.undelivered):
            yield f"{row['id']}: {row['pending_webhooks']} webhooks pending, and filed otherwise"
        if bool(row["reached"]) != (row["id"] in answered):
            yield f"{row['id']}: reached {row['reached']}, answered by {answered.get(row['id'])}"


CHECKS: list[Callable[[State], Iterator[str]]] = [
    invoices,
    charges,
    credit_notes,
    *TAX_CHECKS,
    debits,
    schedules,
    subscriptions,
    entitlements,
    references,
    deliveries,
    sessions,
    *USAGE_CHECKS,
]


def _log(log: Log) -> Iterator[str]:
    """No way out of an end; time goes forward; what an update says there was before is what there was before."""
    latest: dict[str, Object] = {}
    for earlier, event in pairwise(log):
        if event["created"] < earlier["created"]:
            yield f"{event['type']}: created goes back"
    for event in log:
        obj = json.loads(event["snapshot"])
        known = latest.get(obj.get("id", ""))
        # Stripe publishes one request's events in an order of its own: the making of an object may come after its end.
        if known and not event["type"].endswith(".created"):
            yield from _no_way_back(event, json.loads(known["snapshot"]), obj)
        if event["type"].endswith(".updated"):
            yield from _previous(event, obj, known)
        if "id" in obj and (not known or not event["type"].endswith(".created")):
            latest[obj["id"]] = event


def _no_way_back(event: Object, before: Object, after: Object) -> Iterator[str]:
    status = before.get("status")
    if status in ENDS.get(before["object"], ()) and after.get("status") != status:
        yield f"{event['type']}: {after['id']} goes from {status} to {after.get('status')}"


def _previous(event: Object, after: Object, known: Object | None) -> Iterator[str]:
    said = event["previous"]
    if not said:
        yield f"{event['type']}: no previous_attributes"
        return
    for name in said.keys() & difference(said, {name: after.get(name) for name in said}).keys() ^ said.keys():
        yield f"{event['type']}: previous_attributes.{name} is what it is now too"
    if known is None or known["created"] == event["created"]:
        return
    was = difference(json.loads(known["snapshot"]), after)
    for name in said:
        if said[name] != was.get(name):
            yield f"{event['type']}: previous_attributes.{name} is {said[name]}, and was {was.get(name)}"
