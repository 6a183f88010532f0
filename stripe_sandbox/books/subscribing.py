"""A subscription begins here, with its items, its first invoice and its trial."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ..errors import invalid, missing_parameter, not_covered
from ..http.blanks import blank
from ..http.metadata import merged
from ..store import Object, State
from . import (
    amounts,
    discounting,
    invoicing,
    items,
    line_items,
    one_currency,
    periods,
    phases,
    pricing,
    standing,
    usage,
)
from .periods import DAY
from .tax import places, rates

INVOICE_SETTINGS = ("account_tax_ids", "custom_fields", "description", "footer")
LONGEST_TRIAL = 730 * DAY
MOST_FIELDS, LONGEST_FIELD = 4, {"name": 40, "value": 140}
FIRST_INVOICE = "subscription_create"
PAYMENT_SETTINGS = {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"}


def build(state: State, customer: Object, wanted: list[Object], options: dict[str, Any]) -> Object:
    """Return a subscription with its discounts, not announced yet."""
    sub = drawn_up(state, customer, wanted, options)
    one_currency.check(state, customer, sub["currency"])
    check_tax(state, sub)
    if items.total(state, sub) > amounts.LARGEST:
        raise amounts.too_large(sub["currency"], "items")
    discounting.give(state, options.get("discounts"), sub, items.total(state, sub), options.get("session"))
    discounting.give_items(state, sub, wanted, options.get("session"))
    customer["currency"] = sub["currency"]
    if options.get("proration_behavior") == "none":
        state.note(sub["id"])["leaves_past"] = True
    return state.put(sub)


def drawn_up(state: State, customer: Object, wanted: list[Object], options: dict[str, Any]) -> Object:
    """Return a subscription with the periods that its trial or prices give it, not filed yet."""
    items.check_list(wanted)
    check_mode(options.get("billing_mode"))
    identifier, now = state.new_id("sub"), state.now()
    trial_end = _trial_end(options, now)
    first = items.recurring_price(state, wanted[0].get("price", ""))
    anchor = options.get("billing_cycle_anchor") or trial_end or now
    rows = [items.build(state, identifier, entry, now, trial_end or now) for entry in wanted]
    for row in rows:
        _begin_period(row, anchor, now, trial_end, _asked_end(options))
    currency = options.get("currency") or customer["currency"] or first["currency"]
    known = {first["currency"], *(state.note(first["id"]).get("currency_options") or {})}
    if not options.get("currency") and currency not in known:
        currency = first["currency"]
    for row in rows:
        pricing.unit_amount(state, row["price"], currency)
    missing = (
        (options.get("trial_settings") or {}).get("end_behavior", {}).get("missing_payment_method", "create_invoice")
    )
    return blank(
        "subscription",
        identifier,
        automatic_tax=phases.automatic_tax((options.get("automatic_tax") or {}).get("enabled", False)),
        billing_cycle_anchor=anchor,
        billing_cycle_anchor_config=options.get("billing_cycle_anchor_config"),
        billing_mode={"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": now},
        billing_schedules=[],
        cancel_at_period_end=False,
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        collection_method=options.get("collection_method") or "charge_automatically",
        created=now,
        currency=currency,
        customer=customer["id"],
        days_until_due=options.get("days_until_due"),
        default_payment_method=options.get("default_payment_method"),
        default_tax_rates=rates.chosen(state, options.get("default_tax_rates"), "default_tax_rates"),
        description=options.get("description"),
        discounts=[],
        invoice_settings={
            **dict.fromkeys(INVOICE_SETTINGS),
            **{name: value or None for name, value in (options.get("invoice_settings") or {}).items()},
            "issuer": {"type": "self"},
        },
        items=items.listed(identifier, rows),
        livemode=False,
        managed_payments={"enabled": False},
        metadata=merged({}, options),
        payment_settings={**PAYMENT_SETTINGS, **(options.get("payment_settings") or {})},
        start_date=options.get("start_date") or now,
        status="trialing" if trial_end else "incomplete",
        trial_end=trial_end,
        trial_settings={"end_behavior": {"missing_payment_method": missing}},
        trial_start=now if trial_end else None,
    )


def _begin_period(row: Object, anchor: int, now: int, trial_end: int | None, asked_end: int | None) -> None:
    """Give an item its first period: the trial, or what the anchor leaves of one; of a start in the past, the current
    one."""
    start, end = periods.around(anchor, now, row["price"]["recurring"])
    start, end = (start if anchor < now else now), trial_end or end
    row.update(current_period_start=start, current_period_end=min(end, asked_end or end))


def check_tax(state: State, sub: Object) -> None:
    """Hold a subscription with automatic tax to what it needs: a place, and no rates by hand."""
    if not sub["automatic_tax"]["enabled"]:
        return
    by_hand = bool(sub["default_tax_rates"]) or any(row["tax_rates"] for row in sub["items"]["data"])
    rates.refuse_both(True, by_hand)
    places.check(state, state.get("customer", sub["customer"]))


def _asked_end(options: dict[str, Any]) -> int | None:
    """Return the requested end, which may shorten the first period; None if prorations are declined."""
    at = options.get("cancel_at")
    return at if isinstance(at, int) and options.get("proration_behavior") != "none" else None


def _trial_end(options: dict[str, Any], now: int) -> int | None:
    given, length = options.get("trial_end"), options.get("trial_period_days")
    if (length or 0) > 730 or (isinstance(given, int) and given > now + LONGEST_TRIAL):
        raise invalid("A trial may be at most 730 days long.", "trial_period_days" if length else "trial_end")
    if given == "now":
        return None
    if isinstance(given, int):
        if given <= now:
            raise invalid("The trial end must be in the future.", "trial_end")
        return given
    return now + length * DAY if length else None


def check_mode(given: dict[str, Any] | None) -> None:
    """Refuse modes other than flexible billing with discounts included in prorations, which are not covered."""
    mode = given or {}
    if mode.get("type", "flexible") != "flexible":
        raise not_covered(f"billing_mode[type]={mode['type']}")
    shown = (mode.get("flexible") or {}).get("proration_discounts", "included")
    if shown != "included":
        raise not_covered(f"billing_mode[flexible][proration_discounts]={shown}")


def first_invoice(state: State, sub: Object, more: list[Object] | None = None) -> Object | None:
    """Draw up and finalize the invoice of the first period, or of the trial, and of what there is `more`; None where
    all is billed by usage (https://docs.stripe.com/billing/subscriptions/billing-mode/compare)."""
    lines = first_lines(state, sub) + (more or [])
    if not lines:
        return None
    invoice = invoicing.draft(state, sub, FIRST_INVOICE, lines)
    invoice["default_payment_method"] = None
    invoicing.finalize(state, invoice)
    return invoice


def draft_first(state: State, sub: Object, more: list[Object]) -> Object | None:
    """Draft the first invoice of a subscription that nobody waits for: it stays one for an hour, as at a renewal."""
    due = state.now() + state.settings["finalize_after"]
    lines = first_lines(state, sub) + more
    if not lines:
        return None
    invoice = invoicing.draft(state, sub, FIRST_INVOICE, lines, automatically_finalizes_at=due)
    state.schedule(due, "finalize", invoice["id"], urgency=4)
    return invoice


def check_terms(method: str, days: int | None) -> None:
    """Refuse an invoice that is sent without a number of days to be paid in, and one that is charged with such a
    number."""
    if method == "send_invoice" and days is None:
        raise missing_parameter("days_until_due")
    if method != "send_invoice" and days is not None:
        raise invalid("`days_until_due` goes with `collection_method=send_invoice`.", "days_until_due")


def check_fields(settings: dict[str, Any] | None) -> None:
    """Refuse more custom fields than an invoice shows, and longer ones (limits by the SDK)."""
    fields = (settings or {}).get("custom_fields") or []
    where = "invoice_settings[custom_fields]"
    if len(fields) > MOST_FIELDS:
        raise invalid(f"An invoice may have at most {MOST_FIELDS} custom fields.", where)
    for field in fields:
        for name, longest in LONGEST_FIELD.items():
            if name not in field:
                raise missing_parameter(f"{where}[0][{name}]")
            if len(field[name]) > longest:
                raise invalid(f"The {name} of a custom field may have at most {longest} characters.", where)


def check_end(state: State, at: object) -> None:
    if isinstance(at, int) and at <= state.now():
        raise invalid("The `cancel_at` timestamp must be in the future.", "cancel_at")


def first_lines(state: State, sub: Object) -> list[Object]:
    rows = sub["items"]["data"]
    if sub["status"] == "trialing":
        return line_items.trial_lines(state, sub, rows)
    if is_free_until_anchor(state, sub):
        return []
    anchor = sub["billing_cycle_anchor"]
    regular = [line for row in rows for line in regular_lines(state, sub, row, items.whole_of(row, anchor))]
    return [*_elapsed(state, sub), *regular]


def is_free_until_anchor(state: State, sub: Object) -> bool:
    """Return whether the time before a later anchor costs nothing, since prorations are declined."""
    return (
        bool(state.notes.get(sub["id"] or "", {}).get("leaves_past"))
        and items.period_start(sub) < sub["billing_cycle_anchor"]
    )


def _elapsed(state: State, sub: Object) -> list[Object]:
    """Return lines for the time since a start in the past, up to the current period: one for each period of each item,
    and none if prorations are declined."""
    if state.notes.get(sub["id"] or "", {}).get("leaves_past"):
        return []
    start = sub["start_date"]
    return [
        line for row in sub["items"]["data"] for line in _since(state, sub, row, start, row["current_period_start"])
    ]


def _since(state: State, sub: Object, row: Object, start: int, end: int) -> Iterator[Object]:
    """Return the whole periods from the start on, and the share of the last one."""
    at = start
    while at < end:
        following = periods.end_of(start, at, row["price"]["recurring"])
        until = min(following, end)
        if pricing.is_metered(row["price"]):
            yield from usage.for_span(state, sub, row, usage.Span(at, until), (at, until))
        part = {**row, "current_period_start": at, "current_period_end": until}
        yield from regular_lines(state, sub, part, (at, following))
        at = following


def regular_lines(state: State, sub: Object, item: Object, whole: tuple[int, int] | None = None) -> list[Object]:
    """Return a line for each part of a period's price; its share where the period is a part of the `whole` one. What
    is metered is billed afterwards."""
    if pricing.is_metered(item["price"]):
        return []
    period = (item["current_period_start"], item["current_period_end"])
    start, end = whole or period
    quantity = Decimal(pricing.quantity_of(item))
    return [
        line_items.charged(
            state, sub, item, charge, pricing.share(charge.amount, period[1] - period[0], end - start), period
        )
        for charge in pricing.charges(state, item["price"], sub["currency"], quantity)
    ]


def begin(state: State, sub: Object) -> None:
    """Schedule what the first period brings; an incomplete subscription has 23 hours."""
    standing.plan(state, sub)
    if sub["status"] == "incomplete":
        state.schedule(state.now() + 23 * 3600, "incomplete_lapsed", sub["id"])
