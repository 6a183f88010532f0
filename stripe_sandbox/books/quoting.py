"""A quote is drawn up over prices, and says what they come to: at once, and each time afterwards.

Sources: the SDK's types; https://docs.stripe.com/quotes/overview. Assumed: the sums of a quote are those of what is due
at once; where intervals differ, `recurring` is of the first one's.
"""

from typing import Any

from ..errors import invalid, missing_parameter, not_covered
from ..http.blanks import blank, embedded_list
from ..http.metadata import merged
from ..store import Object, State
from . import discounting, pricing, reductions
from .periods import days

KIND = "quote"
TERM = 30
TEXTS = ("description", "footer", "header")
SHOWN_MODE = {"flexible": {"proration_discounts": "included"}, "type": "flexible"}
NOTHING = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
INVOICE_SETTINGS = ("custom_fields", "days_until_due", "description", "footer")


def new(state: State, customer: str | None, clock: str | None) -> Object:
    return blank(
        KIND,
        state.new_id("qt"),
        amount_subtotal=0,
        amount_total=0,
        automatic_tax={"enabled": False, **dict.fromkeys(("liability", "provider", "status"))},
        collection_method="charge_automatically",
        computed={},
        created=state.now(),
        customer=customer,
        default_tax_rates=[],
        discounts=[],
        expires_at=state.now() + days(TERM),
        invoice_settings={**dict.fromkeys(INVOICE_SETTINGS), "issuer": {"type": "self"}},
        livemode=False,
        metadata={},
        status="draft",
        status_transitions=dict.fromkeys(("accepted_at", "canceled_at", "finalized_at")),
        subscription_data={
            **dict.fromkeys(("description", "effective_date", "trial_period_days")),
            "billing_mode": dict(SHOWN_MODE),
            "metadata": {},
        },
        test_clock=clock,
        total_details=dict(NOTHING),
    )


def write(state: State, quote: Object, given: dict[str, Any]) -> None:
    """Write what is given, and count the quote anew."""
    for name in TEXTS:
        if name in given:
            quote[name] = given[name] or None
    quote["collection_method"] = given.get("collection_method", quote["collection_method"])
    quote["metadata"] = merged(quote["metadata"], given)
    quote["invoice_settings"].update(
        {name: value or None for name, value in (given.get("invoice_settings") or {}).items()}
    )
    data = given.get("subscription_data") or {}
    named = {
        name: data[name] or None for name in ("description", "effective_date", "trial_period_days") if name in data
    }
    quote["subscription_data"].update(named)
    if "metadata" in data:
        quote["subscription_data"]["metadata"] = merged({}, data)
    if "expires_at" in given:
        expire_at(state, quote, given["expires_at"])
    if "discounts" in given:
        state.note(quote["id"])["given"] = given["discounts"] or []
    if "line_items" in given:
        state.note(quote["id"])["items"] = [_line(state, quote, row) for row in given["line_items"] or []]
    count(state, quote)


def expire_at(state: State, quote: Object, at: int) -> None:
    if at <= state.now():
        raise invalid("`expires_at` must be in the future.", "expires_at")
    quote["expires_at"] = at
    state.schedule(at, "quote_expires", quote["id"], str(at))


def _line(state: State, quote: Object, given: dict[str, Any]) -> Object:
    """Return a line item; one that is named by its id stays, changed by what is given."""
    known = next((row for row in lines(state, quote) if row["id"] == given.get("id")), None)
    if given.get("id") and known is None:
        raise invalid(f"No such line item: '{given['id']}'", "line_items", "resource_missing")
    price = state.get("price", given["price"], "line_items[0][price]") if "price" in given else None
    price = price or (known["price"] if known else None)
    if price is None:
        raise missing_parameter("line_items[0][price]")
    if pricing.is_metered(price):
        raise not_covered("line_items[0][price][recurring][usage_type]")
    quantity = given.get("quantity", known["quantity"] if known else 1)
    product = state.find("product", price["product"])
    row = blank(
        "item",
        known["id"] if known else state.new_id("li"),
        currency=price["currency"],
        description=product["name"] if product else price["product"],
        metadata={},
        price={**price},
        quantity=quantity,
    )
    if "discounts" in given:
        state.note(row["id"])["given"] = given["discounts"] or []
    return row


def lines(state: State, quote: Object) -> list[Object]:
    return list(state.note(quote["id"]).get("items", []))


def is_recurring(state: State, quote: Object) -> bool:
    return any(row["price"]["recurring"] for row in lines(state, quote))


def count(state: State, quote: Object) -> None:
    """Count what the lines come to, each less its own discounts and then those of the quote."""
    rows = lines(state, quote)
    if len({row["currency"] for row in rows}) > 1:
        raise invalid("All prices of a quote must be in one currency.", "line_items")
    quote["currency"] = rows[0]["currency"] if rows else None
    whole = _discounts(state, quote, quote["id"])
    quote["discounts"] = [row["id"] for row in whole]
    later = [row for row in rows if row["price"]["recurring"]]
    is_trial = bool(quote["subscription_data"]["trial_period_days"])
    upfront = [row for row in rows if not (is_trial and row in later)]
    for row in rows:
        row.update(amount_discount=0, amount_subtotal=0, amount_tax=0, amount_total=0)
    total = _sum(state, quote, upfront, whole)
    state.note(quote["id"])["upfront"] = [row["id"] for row in upfront]
    quote.update(amount_subtotal=total["amount_subtotal"], amount_total=total["amount_total"])
    quote["total_details"] = total["total_details"]
    lasting = [row for row in whole if reductions.coupon_of(state, row)["duration"] == "forever"]
    quote["computed"] = {"recurring": _recurring(state, quote, later, lasting), "upfront": total}


def given_discounts(state: State, holder: str) -> list[dict[str, Any]]:
    """Return the discounts that were asked for, of the quote or of one of its lines."""
    found: list[dict[str, Any]] = state.note(holder).get("given", [])
    return found


def _discounts(state: State, quote: Object, holder: str) -> list[Object]:
    """Return the discounts as they would be: they are redeemed when the quote is accepted."""
    entries, note = given_discounts(state, holder), state.note(holder)
    if note.get("drawn_for", []) != entries:
        amount = sum(_amount(state, row) for row in lines(state, quote))
        picked = [discounting.chosen(state, entry, quote["customer"], quote["currency"], amount) for entry in entries]
        rows = [state.put(discounting.drawn_up(state, *each, quote, None, quote)) for each in picked]
        note.update(drawn_for=entries, drawn=[row["id"] for row in rows])
    return [state.get("discount", known) for known in note.get("drawn", [])]


def _amount(state: State, row: Object) -> int:
    return pricing.cost(state, row["price"], row["currency"], int(row["quantity"]))


def _sum(state: State, quote: Object, rows: list[Object], whole: list[Object], only_forever: bool = False) -> Object:
    """Return the sums of these lines, and write each line's own amounts."""
    left: list[reductions.Part] = []
    off: list[Object] = []
    for row in rows:
        own = _discounts(state, quote, row["id"])
        own = [each for each in own if not only_forever or reductions.coupon_of(state, each)["duration"] == "forever"]
        part = reductions.Part(_amount(state, row), row["price"]["product"], row["currency"])
        left.append(_less(state, own, [part], off)[0])
    left = _less(state, whole, left, off)
    subtotal = sum(_amount(state, row) for row in rows)
    for row, part in zip(rows, left, strict=True):
        full = _amount(state, row)
        if not only_forever:
            row.update(amount_subtotal=full, amount_discount=full - part.amount, amount_total=part.amount)
    total = sum(part.amount for part in left)
    if not only_forever:
        state.note(quote["id"])["discount_amounts"] = off
    return {
        "amount_subtotal": subtotal,
        "amount_total": total,
        "total_details": {**NOTHING, "amount_discount": subtotal - total},
    }


def _less(
    state: State, discounts: list[Object], parts: list[reductions.Part], off: list[Object]
) -> list[reductions.Part]:
    for row in discounts:
        before = sum(part.amount for part in parts)
        parts = reductions.net(state, [row], parts)
        off.append({"amount": before - sum(part.amount for part in parts), "discount": row})
    return parts


def _recurring(state: State, quote: Object, rows: list[Object], lasting: list[Object]) -> Object | None:
    if not rows:
        return None
    first = rows[0]["price"]["recurring"]
    alike = [row for row in rows if pricing.rhythm(row["price"]["recurring"]) == pricing.rhythm(first)]
    sums = _sum(state, quote, alike, lasting, only_forever=True)
    return {**sums, "interval": first["interval"], "interval_count": first["interval_count"]}


def number(state: State, quote: Object) -> str:
    """Return the number of a quote, or of a revision of one: QT, the customer's prefix, their quotes, the revision."""
    customer = state.get("customer", quote["customer"])
    origin = quote["from_quote"] if quote["from_quote"] and quote["from_quote"]["is_revision"] else None
    if origin:
        before = str(state.get(KIND, origin["quote"])["number"]).rpartition("-")
        return f"{before[0]}-{int(before[2]) + 1}"
    note = state.note(customer["id"])
    note["quotes"] = note.get("quotes", 0) + 1
    return f"QT-{customer['invoice_prefix']}-{note['quotes']:04d}-1"


def listed(state: State, quote: Object) -> Object:
    return embedded_list(f"/v1/quotes/{quote['id']}/line_items", lines(state, quote))


def listed_upfront(state: State, quote: Object) -> Object:
    return embedded_list(f"/v1/quotes/{quote['id']}/computed_upfront_line_items", due_at_once(state, quote))


def due_at_once(state: State, quote: Object) -> list[Object]:
    named = state.note(quote["id"]).get("upfront", [])
    return [row for row in lines(state, quote) if row["id"] in named]
