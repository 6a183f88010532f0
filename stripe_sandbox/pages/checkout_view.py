"""The Checkout page shows what is bought, what the buyer has to fill in, and the ways to pay."""

from typing import Any

from ..books import pricing
from ..http.messages import Response
from ..people import collecting, means
from ..store import Object, State
from .rendering import amount, page

BUTTONS = {"auto": "Pay", "book": "Book", "donate": "Donate", "pay": "Pay", "subscribe": "Subscribe"}
TAX_IDS = ("eu_vat", "gb_vat", "us_ein", "ca_gst_hst", "ch_vat", "au_abn", "no_vat", "nz_gst", "in_gst", "jp_trn",
           "sg_gst", "za_vat")  # fmt: skip
COUNTRIES = ("AT", "AU", "BE", "CA", "CH", "DE", "DK", "ES", "FR", "GB", "IE", "IT", "JP", "NL", "NO", "PL", "SE", "US")


def due(session: Object) -> str:
    return amount(session["amount_total"], session["currency"]) if session["amount_total"] is not None else ""


def back(session: Object) -> str | None:
    """Return where the page leads a buyer who does not buy: a payment link's leads nowhere."""
    return None if session["payment_link"] else session["cancel_url"]


def show(state: State, session: Object, given: dict[str, Any], error: str = "", status: int = 200) -> Response:
    note, total = state.note(session["id"]), due(session)
    rows = [_row(state, session, item) for item in note["items"]]
    customer = state.find("customer", session["customer"])
    trial = note["subscription_data"].get("trial_period_days")
    saved, collects = means.saved(state, session), _collects(session)
    is_embedded = session["ui_mode"] == "embedded_page"
    off = (session["total_details"] or {}).get("amount_discount", 0)
    return page(
        "checkout.html",
        status,
        session=session,
        is_embedded=is_embedded,
        back=back(session),
        tax_waits=(session["automatic_tax"] or {})["status"] == "requires_location_inputs",
        rows=rows,
        offers=_optional(state, session),
        total=total,
        discount=amount(off, session["currency"]) if off else "",
        shipping=_shipping(state, session),
        trial_days=trial,
        after=" and ".join(row["price"] for row in rows if row["recurs"]),
        rhythm=_rhythm(note["items"]),
        accounts=means.accounts(session),
        takes_cards="card" in session["payment_method_types"],
        optional=not means.needs_card(session) or bool(saved),
        saved=saved,
        collects=collects,
        taxes=[_tax(tax, session) for tax in note.get("taxes", [])],
        known_email=customer["email"] if customer else session["customer_email"],
        email=given.get("email", note.get("prefilled_email")),
        phone=given.get("phone", (customer or {}).get("phone")),
        error=error,
        given={**_known(session, customer), **given},
        autofocus=not is_embedded and (status == 402 or (bool(customer) and not any(collects.values()))),
        **_wording(session, rows, total, bool(trial)),
    )


def _collects(session: Object) -> dict[str, Any]:
    """Return what the page asks for."""
    shipping = session["shipping_address_collection"]
    return {
        "names": collecting.names(session),
        "phone": session["phone_number_collection"]["enabled"],
        "billing_countries": COUNTRIES if collecting.takes_billing_address(session) else (),
        "tax_id_kinds": TAX_IDS if collecting.takes_tax_id(session) else (),
        "shipping_countries": shipping["allowed_countries"] if shipping else (),
        "terms": collecting.wants_terms(session),
        "promotions": collecting.wants_promotions(session),
        "saving": collecting.offers_saving(session),
    }


def _known(session: Object, customer: Object | None) -> dict[str, Any]:
    """Return what the form begins with where it asks for an address."""
    if customer is None or not collecting.takes_billing_address(session):
        return {}
    return {"name": customer["name"], "billing_address": customer["address"] or {}}


def _tax(tax: Object, session: Object) -> Object:
    rate = tax["rate"]
    inside = ", included" if rate["inclusive"] else ""
    what = "reverse charge" if tax["taxability_reason"] == "reverse_charge" else f"{rate['percentage']:g}%{inside}"
    return {"words": f"{rate['display_name']} ({what})", "amount": amount(tax["amount"], session["currency"])}


def _wording(session: Object, rows: list[Object], total: str, trial: bool) -> dict[str, str]:
    if session["mode"] == "setup":
        promise = "The card is kept for later payments; nothing is charged now."
        words = {"heading": "Save a payment method", "verb": "Payment details", "button": "Save card"}
        return {**words, "promise": promise}
    if session["mode"] == "payment":
        button = f"{BUTTONS[session['submit_type'] or 'auto']} {total}"
        return {"heading": "Pay Sandbox", "verb": "Pay with card", "button": button, "promise": "You pay once."}
    name = next(row["name"] for row in rows if row["recurs"])
    heading = f"Try {name}" if trial else f"Subscribe to {name}"
    asked = session["submit_type"]
    button = BUTTONS[asked] if asked and asked != "auto" else "Start trial" if trial else "Subscribe"
    promise = "The plan renews by itself until you cancel it."
    return {"heading": heading, "verb": "Pay with card", "button": button, "promise": promise}


def _row(state: State, session: Object, item: Object) -> Object:
    currency, quantity, recurring = session["currency"], item["quantity"], item["price"]["recurring"]
    each = pricing.shown(pricing.unit_amount(state, item["price"], currency), currency)
    note = [f"Qty {quantity}, {each} each"] if (quantity or 1) > 1 else []
    note += ["Billed by usage"] if pricing.is_metered(item["price"]) else []
    note += [f"Billed every {pricing.rhythm(recurring)}"] if recurring else []
    return {
        "id": item["id"],
        "name": item["description"],
        "note": ". ".join(note),
        "price": _priced(pricing.item_amount(state, item, currency), currency, recurring),
        "recurs": bool(recurring),
        "quantity": quantity,
        "bounds": item["adjustable_quantity"],
        "is_optional": state.note(item["id"]).get("optional", False),
    }


def _priced(value: int, currency: str, recurring: Object | None) -> str:
    shown = amount(value, currency)
    return f"{shown} / {pricing.rhythm(recurring)}" if recurring else shown


def _optional(state: State, session: Object) -> list[Object]:
    """Return the optional items that are not taken yet."""
    taken = [row["price"]["id"] for row in state.note(session["id"])["items"]]
    offered = [entry for entry in session.get("optional_items") or [] if entry["price"] not in taken]
    return [_offer(state, session["currency"], entry) for entry in offered]


def _offer(state: State, currency: str, entry: Object) -> Object:
    price = state.get("price", entry["price"])
    value = pricing.cost(state, price, currency, entry["quantity"])
    name = state.get("product", price["product"])["name"]
    return {"price": entry["price"], "name": name, "quantity": entry["quantity"],
            "amount": _priced(value, currency, price["recurring"])}  # fmt: skip


def _shipping(state: State, session: Object) -> list[Object]:
    chosen = (session["shipping_cost"] or {}).get("shipping_rate")
    rates = [(option, state.get("shipping_rate", option["shipping_rate"])) for option in session["shipping_options"]]
    return [
        {
            "rate": rate["id"],
            "name": rate["display_name"],
            "time": _time(rate["delivery_estimate"]),
            "amount": amount(option["shipping_amount"], session["currency"]) if option["shipping_amount"] else "Free",
            "is_chosen": rate["id"] == chosen,
        }
        for option, rate in rates
    ]


def _time(estimate: Object | None) -> str:
    """Return how long a delivery takes, in words."""
    ends = [estimate[name] for name in ("minimum", "maximum") if estimate[name]] if estimate else []
    words = [f"{end['value']} {end['unit'].replace('_', ' ')}" for end in ends]
    return " to ".join(f"{each}s" if end["value"] > 1 else each for each, end in zip(words, ends, strict=True))


def _rhythm(rows: list[Object]) -> str:
    """Return the interval, if everything bought recurs."""
    each = [row["price"]["recurring"] for row in rows]
    return pricing.rhythm(each[0]) if each and all(each) else ""
