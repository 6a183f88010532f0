"""The phases of a subscription schedule are read from parameters, shown, and compared with what is billed."""

from collections.abc import Iterator
from typing import Any

from ..errors import invalid, missing_parameter
from ..events import emit
from ..http.blanks import blank
from ..http.metadata import merged
from ..store import Object, State
from . import items, periods, phase_terms, pricing
from .tax import rates

OPEN = ("not_started", "active")


def new(
    state: State,
    customer: str,
    shown: list[Object],
    end_behavior: str,
    metadata: Object,
    automatic: bool = False,
    terms: Object | None = None,
) -> Object:
    """Return a schedule. `terms` are those of a subscription that it takes over (`phase_terms.TAKEN_OVER`)."""
    terms = terms or {**dict.fromkeys(phase_terms.TAKEN_OVER), "collection_method": "charge_automatically"}
    return blank(
        "subscription_schedule",
        state.new_id("sub_sched", 24),
        billing_mode={"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": state.now()},
        created=state.now(),
        customer=customer,
        default_settings={
            "application_fee_percent": None,
            "automatic_tax": automatic_tax(automatic),
            "billing_cycle_anchor": "automatic",
            "billing_thresholds": None,
            "collection_method": terms["collection_method"],
            "default_payment_method": terms["default_payment_method"],
            "description": terms["description"],
            "invoice_settings": {
                **phase_terms.ISSUER,
                "days_until_due": terms["days_until_due"],
                "issuer": {"type": "self"},
            },
            "on_behalf_of": None,
            "transfer_data": None,
        },
        end_behavior=end_behavior,
        livemode=False,
        metadata=metadata,
        phases=shown,
        status="not_started",
    )


def of_subscription(sub: Object) -> Object:
    """Return the phase that a subscription is in: its items until the end of its period."""
    rows = [
        {
            **_priced(row),
            "billing_thresholds": row["billing_thresholds"],
            "metadata": row["metadata"],
            "tax_rates": row["tax_rates"],
            "discounts": [{"discount": known} for known in row["discounts"]],
        }
        for row in sub["items"]["data"]
    ]
    phase: dict[str, Any] = {"trial_end": sub["trial_end"]} if sub["status"] == "trialing" else {}
    phase |= {name: sub[name] for name in ("billing_thresholds", "default_payment_method", "description")}
    phase["discounts"] = [{"discount": known} for known in sub["discounts"]]
    phase["default_tax_rates"] = sub["default_tax_rates"]
    bounds = (items.period_start(sub), items.period_end(sub))
    return _shown(sub["currency"], [_item(row) for row in rows], bounds, {**phase, "metadata": {}})


def read(state: State, given: list[dict[str, Any]], start: int, keep: Object | None = None) -> list[Object]:
    """Read the phases one after another from `start`; `keep` is the phase under way, whose start stays."""
    if not given:
        raise missing_parameter("phases")
    phases: list[Object] = []
    for index, entry in enumerate(given):
        begins = _begin(entry, start, index, keep, state.now())
        phase = _read(state, entry, begins, index)
        if phase["end_date"] <= begins:
            raise invalid("The end date of a phase must be after its start date.", f"phases[{index}][end_date]")
        phases.append(phase)
        start = phase["end_date"]
    return phases


def _begin(entry: dict[str, Any], start: int, index: int, keep: Object | None, now: int) -> int:
    given = entry.get("start_date", start)
    given = now if given == "now" else given
    if keep is not None and index == 0 and given != keep["start_date"]:
        raise invalid("You can not modify the start date of the current phase.", "phases[0][start_date]")
    if given != start:
        raise invalid("The start date of a phase must be the end date of the one before it.",
                      f"phases[{index}][start_date]")  # fmt: skip
    return int(given)


def _read(state: State, entry: dict[str, Any], begins: int, index: int) -> Object:
    where = f"phases[{index}]"
    if not entry["items"]:
        raise missing_parameter(f"{where}[items]")
    prices = [items.recurring_price(state, row.get("price", "")) for row in entry["items"]]
    currency = entry.get("currency") or prices[0]["currency"]
    for price in prices:
        pricing.unit_amount(state, price, currency)
    ends = _end(state, entry, begins, prices[0]["recurring"])
    _check_trial(entry, begins, ends, where)
    for each in entry.get("add_invoice_items") or []:
        state.get("price", each.get("price", ""), f"{where}[add_invoice_items][0][price]")
    phase_terms.check(entry, where)
    _check_discounts(state, entry, where)
    entry = _with_rates(state, entry, where)
    rows = [
        _item({**row, **items.quantity_for(price, row), "billing_thresholds": items.threshold_for(price, row)})
        for price, row in zip(prices, entry["items"], strict=True)
    ]
    return _shown(currency, rows, (begins, ends), entry)


def _check_discounts(state: State, entry: dict[str, Any], where: str) -> None:
    """Refuse a discount of the phase, of an item or of what is added, that names nothing."""
    named = [(f"{where}[discounts]", entry)]
    for name in ("items", "add_invoice_items"):
        named += [(f"{where}[{name}][{n}][discounts]", row) for n, row in enumerate(entry.get(name) or [])]
    for place, holder in named:
        for number, discount in enumerate(holder.get("discounts") or []):
            for kind, identifier in discount.items():
                state.get(kind, identifier, f"{place}[{number}][{kind}]")


def _with_rates(state: State, entry: dict[str, Any], where: str) -> dict[str, Any]:
    """Return a phase's parameters with the tax rates that they name by id."""
    named = {"default_tax_rates": rates.chosen(state, entry.get("default_tax_rates"), f"{where}[default_tax_rates]")}
    for name in ("items", "add_invoice_items"):
        param = f"{where}[{name}][0][tax_rates]"
        named[name] = [
            {**row, "tax_rates": rates.chosen(state, row.get("tax_rates"), param)} for row in entry.get(name) or []
        ]
    by_hand = bool(named["default_tax_rates"]) or any(row["tax_rates"] for row in named["items"])
    rates.refuse_both((entry.get("automatic_tax") or {}).get("enabled", False), by_hand, f"{where}[automatic_tax]")
    return {**entry, **named}


def automatic_tax(enabled: bool) -> Object:
    return {"disabled_reason": None, "enabled": enabled, "liability": {"type": "self"} if enabled else None}


def taxes(schedule: Object | None, phase: Object) -> Object:
    """Return the taxes that a phase sets; where it says nothing of automatic tax, the schedule's default counts."""
    fields = {"default_tax_rates": list(phase["default_tax_rates"])}
    automatic = phase["automatic_tax"] or (schedule["default_settings"]["automatic_tax"] if schedule else None)
    return {**fields, "automatic_tax": dict(automatic)} if automatic else fields


def _check_trial(entry: dict[str, Any], begins: int, ends: int, where: str) -> None:
    if entry.get("trial") and "trial_end" in entry:
        raise invalid("You may only specify one of these parameters: trial, trial_end.", f"{where}[trial_end]")
    if entry.get("trial_end") and not begins < entry["trial_end"] <= ends:
        raise invalid("The trial of a phase must end within it.", f"{where}[trial_end]")


def _end(state: State, entry: dict[str, Any], begins: int, recurring: Object) -> int:
    """Return the end as given, by a duration, or after one interval of the first price."""
    if "end_date" in entry and "duration" in entry:
        raise invalid("You may only specify one of these parameters: end_date, duration.", "phases[0][duration]")
    if "end_date" in entry:
        return state.now() if entry["end_date"] == "now" else int(entry["end_date"])
    span = entry.get("duration") or {"interval": recurring["interval"], "interval_count": recurring["interval_count"]}
    return periods.add(begins, span["interval"], span.get("interval_count", 1))


def _item(row: dict[str, Any]) -> Object:
    return {
        "billing_thresholds": row.get("billing_thresholds") or None,
        "discounts": [_discount(each) for each in row.get("discounts") or []],
        "metadata": merged({}, row),
        "plan": row["price"],
        "price": row["price"],
        **({"quantity": row["quantity"]} if "quantity" in row else {}),
        "tax_rates": list(row.get("tax_rates") or []),
    }


def _priced(item: Object) -> Object:
    """Return price and quantity of a subscription's item; a metered one has no quantity."""
    return {"price": item["price"]["id"], **({"quantity": item["quantity"]} if "quantity" in item else {})}


def _shown(currency: str, rows: list[Object], bounds: tuple[int, int], entry: dict[str, Any]) -> Object:
    return {
        **dict.fromkeys(("application_fee_percent", "billing_cycle_anchor", "on_behalf_of", "transfer_data")),
        **phase_terms.shown(entry),
        "automatic_tax": automatic_tax(entry["automatic_tax"]["enabled"]) if entry.get("automatic_tax") else None,
        "add_invoice_items": [_extra(each) for each in entry.get("add_invoice_items") or []],
        "currency": currency,
        "default_tax_rates": list(entry.get("default_tax_rates") or []),
        "discounts": [_discount(each) for each in entry.get("discounts") or []],
        "end_date": bounds[1],
        "items": rows,
        "metadata": merged({}, entry),
        "proration_behavior": entry.get("proration_behavior", "create_prorations"),
        "start_date": bounds[0],
        "trial_end": bounds[1] if entry.get("trial") else entry.get("trial_end"),
    }


def _extra(entry: dict[str, Any]) -> Object:
    """Return a one-time price that the first invoice of the phase carries as well."""
    return {
        "discountable": entry.get("discountable"),
        "discounts": [_discount(each) for each in entry.get("discounts") or []],
        "metadata": merged({}, entry),
        "period": {
            "end": {"timestamp": None, "type": "min_item_period_end"},
            "start": {"timestamp": None, "type": "max_item_period_start"},
        },
        "price": entry["price"],
        "quantity": entry.get("quantity", 1),
        "tax_rates": list(entry.get("tax_rates") or []),
    }


def _discount(entry: dict[str, Any]) -> Object:
    return {name: entry.get(name) for name in ("coupon", "discount", "promotion_code")}


def differs(sub: Object, phase: Object) -> bool:
    billed = sorted((row["price"]["id"], pricing.quantity_of(row), _ids(row)) for row in sub["items"]["data"])
    return billed != sorted((row["price"], pricing.quantity_of(row), _ids(row)) for row in phase["items"])


def _ids(row: Object) -> list[str]:
    return [rate["id"] for rate in row["tax_rates"]]


def wanted(sub: Object, phase: Object) -> list[Object]:
    """Return the `items[]` that turn the subscription's into the phase's. An item with the same price is kept; what is
    left over is changed in the order it stands in, so that ids last (assumed)."""
    rest = list(sub["items"]["data"])
    kept: list[Object] = []
    new: list[Object] = []
    for row in phase["items"]:
        named = ("price", "quantity", "tax_rates", "billing_thresholds", "metadata")
        entry = {name: row[name] for name in named if name in row}
        same = next((item for item in rest if item["price"]["id"] == row["price"]), None)
        if same is None:
            new.append(entry)
        else:
            rest.remove(same)
            kept.append({**entry, "id": same["id"]})
    changed = [{**entry, "id": item["id"]} for entry, item in zip(new, rest, strict=False)]
    gone = [{"id": item["id"], "deleted": True} for item in rest[len(new) :]]
    return [*kept, *changed, *new[len(rest) :], *gone]


def end_of(schedule: Object) -> int:
    return int(schedule["phases"][-1]["end_date"])


def at(schedule: Object, instant: int) -> Object | None:
    """Return the phase that holds at an instant."""
    found: Iterator[Object] = (p for p in schedule["phases"] if p["start_date"] <= instant < p["end_date"])
    return next(found, None)


def governing(state: State, sub: Object) -> Object | None:
    """Return the open schedule that a subscription is under."""
    schedule = state.find("subscription_schedule", sub["schedule"])
    return schedule if schedule and schedule["status"] in OPEN else None


def close(state: State, schedule: Object, status: str) -> None:
    """Close the schedule for good, as `released`, `completed` or `canceled`, and announce it."""
    schedule.update({"status": status, "current_phase": None, f"{status}_at": state.now()})
    if status == "released":
        schedule.update(released_subscription=schedule["subscription"], subscription=None)
    emit(state, f"subscription_schedule.{status}", schedule)


def close_with(state: State, sub: Object) -> None:
    """Close the schedule of an ended subscription: `completed` where it planned that end, else `canceled`."""
    schedule = governing(state, sub)
    if schedule is not None:
        planned = schedule["end_behavior"] == "cancel" and state.now() >= end_of(schedule)
        close(state, schedule, "completed" if planned else "canceled")
