"""Billing credits are granted, pay for metered lines when an invoice is finalized, expire, and come back when it is
voided (https://docs.stripe.com/billing/subscriptions/usage-based/billing-credits)."""

from typing import Any

from ..errors import invalid
from ..events import emit, recorded
from ..http.blanks import blank
from ..store import Object, State
from . import pricing, reductions
from .due import job

GRANT = "billing.credit_grant"
MOVEMENT = "billing.credit_balance_transaction"
UPDATED = "billing.credit_grant.updated"
MOST_UNUSED = 100


def grant(state: State, customer: Object, **values: Any) -> Object:
    """The credits are there from `effective_at` on, and until `expires_at`."""
    if sum(1 for row in of_customer(state, customer["id"]) if is_unused(state, row)) >= MOST_UNUSED:
        raise invalid(f"A customer can have at most {MOST_UNUSED} unused credit grants.", "customer")
    made = blank(
        GRANT,
        state.new_id("credgr_test", 36),
        created=state.now(),
        customer=customer["id"],
        livemode=False,
        test_clock=customer["test_clock"],
        updated=state.now(),
        **values,
    )
    state.put(made)
    emit(state, "billing.credit_grant.created", made)
    if made["effective_at"] <= state.now():
        _fund(state, made)
    else:
        state.schedule(made["effective_at"], "credits_become_effective", made["id"], urgency=1)
    plan_expiry(state, made)
    return made


def plan_expiry(state: State, row: Object) -> None:
    if row["expires_at"] is not None:
        state.schedule(row["expires_at"], "credits_expire", row["id"], str(row["expires_at"]), urgency=1)


def of_customer(state: State, customer: str) -> list[Object]:
    return state.table(GRANT).where("customer", customer)


def balance(state: State, row: Object) -> int:
    """Return what is left of a grant by its ledger."""
    return sum(_signed(moved) for moved in state.table(MOVEMENT).where("credit_grant", row["id"]))


def _signed(moved: Object) -> int:
    side, sign = (moved["credit"], 1) if moved["type"] == "credit" else (moved["debit"], -1)
    return sign * int(side["amount"]["monetary"]["value"])


def is_unused(state: State, row: Object) -> bool:
    if row["voided_at"] or _is_expired(state, row):
        return False
    return row["effective_at"] > state.now() or balance(state, row) > 0


def _is_expired(state: State, row: Object) -> bool:
    return row["expires_at"] is not None and row["expires_at"] <= state.now()


@job
def credits_become_effective(state: State, identifier: str) -> None:
    row = state.get(GRANT, identifier)
    if not row["voided_at"] and not _is_expired(state, row):
        _fund(state, row)


@job
def credits_expire(state: State, identifier: str, at: str) -> None:
    row = state.get(GRANT, identifier)
    if row["expires_at"] == int(at) and not row["voided_at"]:
        take_rest(state, row, "credits_expired")


def expire(state: State, row: Object) -> None:
    if row["voided_at"] or _is_expired(state, row):
        raise invalid(f"The credit grant {row['id']} is voided or has expired already.", "id")
    with recorded(state, row, UPDATED):
        row.update(expires_at=state.now(), updated=state.now())
    take_rest(state, row, "credits_expired")


def void(state: State, row: Object) -> None:
    """Void a grant that no invoice has used."""
    moves = state.table(MOVEMENT).where("credit_grant", row["id"])
    if row["voided_at"] or _is_expired(state, row):
        raise invalid(f"The credit grant {row['id']} is voided or has expired already.", "id")
    if any((moved["debit"] or {}).get("type") == "credits_applied" for moved in moves):
        raise invalid(
            f"The credit grant {row['id']} was applied to an invoice and cannot be voided. Expire it instead.", "id"
        )
    with recorded(state, row, UPDATED):
        row.update(voided_at=state.now(), updated=state.now())
    take_rest(state, row, "credits_voided")


def take_rest(state: State, row: Object, kind: str) -> None:
    rest = balance(state, row)
    if rest:
        _move(state, row, "debit", rest, kind)


def _fund(state: State, row: Object) -> None:
    _move(state, row, "credit", row["amount"]["monetary"]["value"], "credits_granted")


def _move(state: State, row: Object, side: str, value: int, kind: str, line: Object | None = None) -> Object:
    """Record a movement in the grant's ledger; `line` names the invoice line that it is about."""
    detail = "credits_applied" if side == "debit" else "credits_application_invoice_voided"
    about = {"invoice": line["invoice"], "invoice_line_item": line["id"]} if line else None
    amount = {"monetary": {"currency": row["amount"]["monetary"]["currency"], "value": value}, "type": "monetary"}
    moved = blank(
        MOVEMENT,
        state.new_id("cbtxn_test", 36),
        created=state.now(),
        credit_grant=row["id"],
        effective_at=state.now(),
        livemode=False,
        test_clock=row["test_clock"],
        type=side,
    )
    moved[side] = {"amount": amount, detail: about, "type": kind}
    state.put(moved)
    state.note(moved["id"])["customer"] = row["customer"]
    emit(state, f"{MOVEMENT}.created", moved)
    return moved


def applicable(state: State, invoice: Object) -> list[tuple[Object, int]]:
    """Return the grants that may pay for an invoice with what is left of each, in the order in which they do."""
    found = []
    for row in of_customer(state, invoice["customer"]):
        is_current = row["effective_at"] <= invoice["period_end"] and not row["voided_at"]
        is_lasting = row["expires_at"] is None or row["expires_at"] > invoice["period_end"]
        if is_current and is_lasting and row["amount"]["monetary"]["currency"] == invoice["currency"]:
            found.append((row, balance(state, row)))
    return sorted(((row, left) for row, left in found if left > 0), key=lambda entry: _rank(entry[0]))


def _rank(row: Object) -> tuple[Any, ...]:
    """The order of several grants is documented: priority, end, category, beginning, creation."""
    end = row["expires_at"] if row["expires_at"] is not None else float("inf")
    return row["priority"], end, row["category"] != "promotional", row["effective_at"], row["created"]


def covers(row: Object, price: str) -> bool:
    scope = row["applicability_config"]["scope"]
    return scope.get("price_type") == "metered" or price in [each["id"] for each in scope.get("prices") or []]


def apply(state: State, invoice: Object, moves: bool = True) -> bool:
    """Let credits pay for the metered lines, in the order of the lines, after discounts. Return whether they do; then
    the invoice must be counted anew. For a preview (`moves` is False) nothing is taken from the grants."""
    if ((invoice["parent"] or {}).get("subscription_details") or {}).get("subscription") is None:
        return False
    lines = invoice["lines"]["data"]
    left = _left_by_price(state, lines)
    grants = applicable(state, invoice) if left else []
    rests = {row["id"]: rest for row, rest in grants}
    pays = False
    for line in lines:
        price = _price_of(line)
        for row, _ in grants:
            value = min(rests[row["id"]], _open(line), left.get(price, 0))
            if value > 0 and covers(row, price):
                rests[row["id"]] -= value
                left[price] -= value
                moved = _move(state, row, "debit", value, "credits_applied", line)["id"] if moves else None
                part = {"amount": value, "credit_balance_transaction": moved, "type": "credit_balance_transaction"}
                line["pretax_credit_amounts"].append(part)
                pays = True
    return pays


def _left_by_price(state: State, lines: list[Object]) -> dict[str, int]:
    """Return what the metered prices still ask for, less what was billed before."""
    left: dict[str, int] = {}
    for line in lines:
        price = state.find("price", _price_of(line))
        if price is not None and pricing.is_metered(price):
            left[price["id"]] = left.get(price["id"], 0) + _open(line)
    return left


def _price_of(line: Object) -> str:
    details = (line["pricing"] or {}).get("price_details") or {}
    return str(details.get("price") or "")


def _open(line: Object) -> int:
    """Return what is left of a line after its discounts and credits."""
    paid = reductions.credits_of(line)
    return int(line["amount"]) - sum(part["amount"] for part in (*line["discount_amounts"], *paid))


def reinstate(state: State, invoice: Object) -> None:
    """The credits of a voided invoice come back; those of a grant that has expired meanwhile expire at once."""
    for line in invoice["lines"]["data"]:
        for part in reductions.credits_of(line):
            row = state.get(GRANT, state.get(MOVEMENT, part["credit_balance_transaction"])["credit_grant"])
            _move(state, row, "credit", part["amount"], "credits_application_invoice_voided", line)
            if _is_expired(state, row):
                take_rest(state, row, "credits_expired")
