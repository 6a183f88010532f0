"""These invariants of usage and credits must hold of a sandbox after any history.

The formulas stand here a second time, in their plainest form: nothing of the sandbox's own pricing is used.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from typing import Any

from stripe_sandbox.store import Object, State

Bill = dict[str, Any]


def metered_lines(state: State) -> Iterator[str]:
    """A metered line is the price's formula over the usage of its span, less what was billed before."""
    for invoice in state.table("invoice").rows.values():
        for bill, lines in bills(state, invoice):
            who = f"{invoice['id']} ({invoice['billing_reason']}): {bill['item']}"
            gross = sum(line["amount"] for line in lines if line["amount"] > 0)
            expected = 0 if bill["is_free"] else formula(state, bill["price"], invoice["currency"], used(state, bill))
            if gross != expected:
                yield f"{who} is billed {gross} for usage that costs {expected}"
            if -sum(line["amount"] for line in lines if line["amount"] < 0) != max(bill["before"], 0):
                yield f"{who}: {bill['before']} was billed before, and something else is taken off"


def usage_is_billed_once(state: State) -> Iterator[str]:
    """No event counts on two invoices, but where the second takes off what the first has billed."""
    by_item: dict[str, list[tuple[Object, Bill]]] = {}
    for invoice in state.table("invoice").rows.values():
        for bill, _ in bills(state, invoice) if invoice["status"] != "void" else ():
            by_item.setdefault(bill["item"], []).append((invoice, bill))
    for item, found in by_item.items():
        for (first, one), (second, other) in combinations(sorted(found, key=lambda entry: entry[1]["upto"]), 2):
            shared = counted(state, one) & counted(state, other)
            if shared and not (first["billing_reason"] == "subscription_threshold" and is_chained(one, other)):
                yield f"{item}: {len(shared)} events are billed by {first['id']} and by {second['id']}"


def is_chained(one: Bill, other: Bill) -> bool:
    return bool((one["span"][0], one["span"][2]) == (other["span"][0], other["span"][2]))


def bills(state: State, invoice: Object) -> list[tuple[Bill, list[Object]]]:
    """Return how the metered lines of an invoice came about, with the lines."""
    found: list[tuple[Bill, list[Object]]] = []
    for line in invoice["lines"]["data"]:
        waiting = (line["parent"]["invoice_item_details"] or {}).get("invoice_item")
        bill = state.notes.get(waiting or line["id"], {}).get("usage")
        known = next((lines for each, lines in found if each == bill), None)
        if bill and known is None:
            found.append((bill, [line]))
        elif known is not None:
            known.append(line)
    return found


def events(state: State, bill: Bill) -> list[list[Any]]:
    """Return the events of a bill's span, as they were known when it was drawn up."""
    kept = state.notes.get(f"{bill['meter']}/{bill['customer']}", {"events": [], "gone": []})
    start, end, after = bill["span"]
    there = kept["events"] + [event for event in kept["gone"] if event[4] > bill["upto"]]
    return sorted(event for event in there if start <= event[0] < end and after < event[1] <= bill["upto"])


def counted(state: State, bill: Bill) -> set[int]:
    return {event[1] for event in events(state, bill)}


def used(state: State, bill: Bill) -> Decimal:
    found = [Decimal(event[2]) for event in events(state, bill)]
    kind = state.get("billing.meter", bill["meter"])["default_aggregation"]["formula"]
    total = {"sum": sum(found), "count": len(found), "last": found[-1] if found else 0}[kind]
    return max(Decimal(total), Decimal(0))


def formula(state: State, identifier: str, currency: str, units: Decimal) -> int:
    price = state.get("price", identifier)
    if price["billing_scheme"] == "per_unit":
        unit = state.note(identifier)["currency_options"][currency]["unit_amount_decimal"]
        package = price["transform_quantity"]
        if package:
            whole, rest = divmod(units, package["divide_by"])
            units = whole + (1 if rest and package["round"] == "up" else 0)
        return cents(units * Decimal(unit))
    tiers = state.note(identifier)["tiers"][currency]
    if price["tiers_mode"] == "volume":
        tier = next(tier for tier in tiers if tier["up_to"] is None or units <= tier["up_to"])
        return of_tier(tier, units)
    total, below = 0, Decimal(0)
    for tier in tiers:
        if below and units <= below:
            break
        top = units if tier["up_to"] is None else min(units, Decimal(tier["up_to"]))
        total, below = total + of_tier(tier, top - below), Decimal(tier["up_to"] or units)
    return total


def of_tier(tier: Object, units: Decimal) -> int:
    flat = Decimal(tier["flat_amount_decimal"] or 0)
    return cents(units * Decimal(tier["unit_amount_decimal"] or 0)) + cents(flat)


def cents(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def credits_add_up(state: State) -> Iterator[str]:
    """What was granted is applied, expired, voided, or still there; and nothing below zero."""
    for row in state.table("billing.credit_grant").rows.values():
        moves = state.table("billing.credit_balance_transaction").where("credit_grant", row["id"])
        sums: dict[str, int] = {}
        for moved in moves:
            side = moved[moved["type"]]
            sums[side["type"]] = sums.get(side["type"], 0) + side["amount"]["monetary"]["value"]
        came = sums.get("credits_granted", 0) + sums.get("credits_application_invoice_voided", 0)
        went = sum(sums.get(f"credits_{name}", 0) for name in ("applied", "expired", "voided"))
        if sums.get("credits_granted", 0) not in (0, row["amount"]["monetary"]["value"]):
            yield f"{row['id']}: {sums['credits_granted']} came of a grant of {row['amount']['monetary']['value']}"
        if came < went or (row["voided_at"] and came != went):
            yield f"{row['id']}: {came} came and {went} went"
        if (
            row["expires_at"] is not None
            and row["expires_at"] < state.now() - 1
            and came != went
            and not row["test_clock"]
        ):
            yield f"{row['id']} has expired with {came - went} left"


def credits_are_on_their_invoices(state: State) -> Iterator[str]:
    """An invoice shows the credits that were applied to it, line by line, and no line has more than it costs."""
    applied: dict[tuple[str, str], int] = {}
    for moved in state.table("billing.credit_balance_transaction").rows.values():
        about = (moved["debit"] or {}).get("credits_applied")
        if about:
            key = (about["invoice"], about["invoice_line_item"])
            applied[key] = applied.get(key, 0) + moved["debit"]["amount"]["monetary"]["value"]
    for invoice in state.table("invoice").rows.values():
        shown = sum(credited(line) for line in invoice["lines"]["data"])
        if shown != sum(part["amount"] for part in invoice["total_pretax_credit_amounts"] if is_credit(part)):
            yield f"{invoice['id']}: its lines show {shown} of credits, and it says otherwise"
        for line in invoice["lines"]["data"]:
            if credited(line) != applied.get((invoice["id"], line["id"]), 0):
                yield f"{invoice['id']}: {line['id']} shows credits that were not applied"
            off = sum(part["amount"] for part in line["discount_amounts"])
            if credited(line) and credited(line) > line["amount"] - off:
                yield f"{invoice['id']}: {line['id']} has more credits than it costs"


def is_credit(part: Object) -> bool:
    return bool(part["type"] == "credit_balance_transaction")


def credited(line: Object) -> int:
    return sum(part["amount"] for part in line["pretax_credit_amounts"] if is_credit(part))


USAGE_CHECKS = [metered_lines, usage_is_billed_once, credits_add_up, credits_are_on_their_invoices]
