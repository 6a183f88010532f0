"""The items of a subscription are built from parameters, with their periods; a change may wait for its payment."""

from typing import Any

from ..errors import invalid, missing_parameter, not_covered
from ..http.blanks import blank, embedded_list
from ..http.metadata import merged
from ..store import Object, State
from . import line_items, periods, pricing, usage
from .tax import rates

MOST = 20


def plan_of(price: Object) -> Object:
    """Return the legacy twin of a price, which items still carry."""
    recurring = price["recurring"]
    return blank(
        "plan",
        price["id"],
        active=price["active"],
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        billing_scheme=price["billing_scheme"],
        created=price["created"],
        currency=price["currency"],
        interval=recurring["interval"],
        interval_count=recurring["interval_count"],
        livemode=False,
        metadata=dict(price["metadata"]),
        meter=recurring["meter"],
        nickname=price["nickname"],
        product=price["product"],
        tiers_mode=price["tiers_mode"],
        transform_usage=price["transform_quantity"],
        trial_period_days=recurring["trial_period_days"],
        usage_type=recurring["usage_type"],
    )


def build(state: State, sub_id: str, wanted: Object, start: int, end: int, known: Object | None = None) -> Object:
    """Build an item. It keeps the price that it has (`known`) also where nobody else can buy that any more."""
    if "price" not in wanted:
        raise missing_parameter("items[0][price]")
    is_kept = known is not None and known["id"] == wanted["price"]
    price = {**known} if known and is_kept else recurring_price(state, wanted["price"])
    identifier = wanted.get("id") or state.new_id("si")
    taxes = rates.chosen(state, wanted.get("tax_rates"), "items[0][tax_rates]")
    note = state.note(identifier)
    note.update(subscription=sub_id, created=note.get("created", state.now()))
    return blank(
        "subscription_item",
        identifier,
        **quantity_for(price, wanted),
        billing_thresholds=threshold_for(price, wanted),
        created=state.now(),
        current_period_start=start,
        current_period_end=end,
        discounts=[],
        metadata=merged({}, wanted),
        plan=plan_of(price),
        price=price,
        subscription=sub_id,
        tax_rates=taxes,
    )


def quantity_for(price: Object, wanted: Object) -> Object:
    """Return the quantity, which a metered item does not have: it is its usage."""
    if not pricing.is_metered(price):
        return {"quantity": wanted.get("quantity", 1)}
    refuse_quantity(wanted, "items[0][quantity]")
    return {}


def refuse_quantity(wanted: Object, param: str) -> None:
    if wanted.get("quantity") is not None:
        raise invalid("An item with a metered price has no `quantity`: report its usage by meter events.", param)


def threshold_for(price: Object, wanted: Object) -> Object | None:
    given = wanted.get("billing_thresholds") or None
    if given and not pricing.is_metered(price):
        raise invalid("A usage threshold is for items with a metered price.", "items[0][billing_thresholds]")
    return given


def check_list(wanted: list[Object]) -> None:
    """Hold a list of items to Stripe's limits: at most 20 items, each price once, no negative quantity."""
    prices = [entry.get("price") for entry in wanted]
    if len(wanted) > MOST:
        raise invalid(f"A subscription may have at most {MOST} items.", "items")
    if len(set(prices)) < len(prices):
        twice = next(price for price in prices if prices.count(price) > 1)
        raise invalid(f"Cannot add multiple subscription items with the same plan: {twice}", "items")
    if any(entry.get("quantity", 1) < 0 for entry in wanted):
        raise invalid("Invalid non-negative integer", "items[0][quantity]", "parameter_invalid_integer")


def check_rhythm(prices: list[Object], param: str) -> None:
    if len({pricing.rhythm(price["recurring"]) for price in prices if price["recurring"]}) > 1:
        raise not_covered(f"{param} of different intervals")


def recurring_price(state: State, identifier: str, param: str = "items[0][price]") -> Object:
    price = state.get("price", identifier, param)
    if price["recurring"] is None:
        raise invalid(
            f"The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`: "
            f"{identifier}",
            param,
        )
    check_active(state, price, param)
    return {**price}


def check_active(state: State, price: Object, param: str) -> None:
    """Refuse a price that is no longer sold, but for those that a request makes on the spot."""
    if not price["active"] and not state.note(price["id"]).get("inline"):
        raise invalid("The price specified is inactive. This field only accepts active prices.", param)


def listed(sub_id: str, rows: list[Object]) -> Object:
    return embedded_list(f"/v1/subscription_items?subscription={sub_id}", rows)


def period_start(sub: Object) -> int:
    return int(_first_to_end(sub)["current_period_start"])


def period_end(sub: Object) -> int:
    return int(_first_to_end(sub)["current_period_end"])


def _first_to_end(sub: Object) -> Object:
    """Return the item whose period ends first: items of different intervals have periods of their own."""
    row: Object = min(sub["items"]["data"], key=lambda item: int(item["current_period_end"]))
    return row


def ending(sub: Object, at: int) -> list[Object]:
    """Return the items whose period is over by then."""
    return [row for row in sub["items"]["data"] if row["current_period_end"] <= at]


def whole(sub: Object) -> tuple[int, int]:
    """Return the current period as the anchor gives it, before a resumption or an end shortened it."""
    if sub["status"] == "trialing":
        return period_start(sub), period_end(sub)
    return whole_of(_first_to_end(sub), sub["billing_cycle_anchor"])


def instant(sub: Object, given: int | str) -> int:
    """Return the end that `cancel_at` asks for: an instant, the end of the period that ends first, or last."""
    if isinstance(given, int):
        return given
    if given == "min_period_end" or sub["status"] == "trialing":
        return whole(sub)[1]
    return max(whole_of(row, sub["billing_cycle_anchor"])[1] for row in sub["items"]["data"])


def whole_of(row: Object, anchor: int) -> tuple[int, int]:
    """Return the period of an item as the anchor gives it."""
    return periods.around(anchor, int(row["current_period_start"]), row["price"]["recurring"])


def set_period(sub: Object, start: int, end: int) -> None:
    for item in sub["items"]["data"]:
        item.update(current_period_start=start, current_period_end=end)


def total(state: State, sub: Object) -> int:
    return sum(pricing.item_amount(state, item, sub["currency"]) for item in sub["items"]["data"])


def changed(state: State, sub: Object, wanted: list[dict[str, Any]]) -> list[Object]:
    """Return the items after `items[]`: named by id, changed, deleted or added. The subscription itself stays as it
    is."""
    rows = {item["id"]: item for item in sub["items"]["data"]}
    for entry in wanted:
        known = rows.get(entry["id"]) if "id" in entry else None
        if "id" in entry and known is None:
            raise invalid(f"No such subscription item: '{entry['id']}'", "items", "resource_missing")
        if entry.get("clear_usage") and not (known and pricing.is_metered(known["price"])):
            raise invalid("`clear_usage` goes with items that have a metered price.", "items[0][clear_usage]")
        if entry.get("deleted"):
            rows.pop(entry.get("id", ""), None)
            continue
        kept = _kept(state, known, entry) if known else {}
        given = {**kept, **entry, "metadata": merged(kept.get("metadata"), entry)}
        item = build(state, sub["id"], given, 0, 0, known["price"] if known else None)
        start, end = _period(state, sub, item["price"]["recurring"], known)
        item.update(current_period_start=start, current_period_end=end)
        if known:
            item.update(created=known["created"], discounts=list(known["discounts"]))
            item["tax_rates"] = item["tax_rates"] if "tax_rates" in entry else known["tax_rates"]
        rows[item["id"]] = item
    check_list([{"price": row["price"]["id"], "quantity": pricing.quantity_of(row)} for row in rows.values()])
    if not rows:
        raise invalid(
            "A subscription must have at least one active plan. To cancel a subscription, please use the cancel API "
            "endpoint on /v1/subscriptions."
        )
    for item in rows.values():
        pricing.unit_amount(state, item["price"], sub["currency"])
    return list(rows.values())


def _kept(state: State, known: Object, entry: dict[str, Any]) -> Object:
    """Return what an item keeps; one that becomes metered has no quantity any more, one that is not no threshold."""
    price = state.find("price", entry.get("price")) or known["price"]
    kept = {"price": known["price"]["id"], "metadata": known["metadata"]}
    for name in ("billing_thresholds",) if pricing.is_metered(price) else ("quantity",):
        if known.get(name) is not None:
            kept[name] = known[name]
    return kept


def _period(state: State, sub: Object, recurring: Object, known: Object | None) -> tuple[int, int]:
    """Return the period of an item as it is, of another one of its interval, or as the anchor gives it."""
    held = [known] if known else []
    alike = [row for row in [*held, *sub["items"]["data"]] if is_alike(row["price"]["recurring"], recurring)]
    row = alike[0] if alike else _first_to_end(sub)
    if alike or sub["status"] == "trialing":
        return row["current_period_start"], row["current_period_end"]
    return periods.around(sub["billing_cycle_anchor"], state.now(), recurring)


def is_alike(one: Object, other: Object) -> bool:
    return pricing.rhythm(one) == pricing.rhythm(other)


def put(sub: Object, rows: list[Object]) -> None:
    sub["items"] = listed(sub["id"], rows)


def hold_pending(state: State, sub: Object, rows: list[Object], invoice: str, anchor: int, metered: list[str]) -> None:
    """Make the change wait for its invoice, for 23 hours, as `pending_if_incomplete` asks."""
    expires = state.now() + 23 * 3600
    sub["pending_update"] = {
        "billing_cycle_anchor": anchor if anchor != sub["billing_cycle_anchor"] else None,
        "discounts": [],
        "expires_at": expires,
        "metadata": None,
        "subscription_items": rows,
        "trial_end": None,
        "trial_from_plan": False,
    }
    state.note(sub["id"])["pending_update"] = {
        "invoice": invoice,
        "items": rows,
        "anchor": anchor,
        "metered": metered,
        "at": state.now(),
    }
    state.schedule(expires, "pending_update_lapsed", sub["id"], invoice)


def apply_pending(state: State, sub: Object) -> None:
    held = state.note(sub["id"]).pop("pending_update")
    line_items.bill_at_last(state, held.get("billed") or {})
    usage.restart(state, sub["items"]["data"], held["items"], held["metered"], held["at"])
    put(sub, held["items"])
    sub.update(pending_update=None, billing_cycle_anchor=held["anchor"])
