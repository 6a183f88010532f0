"""The customer portal: change the card, cancel at the period's end, resume, see the invoices."""

from collections.abc import Callable

from .. import cards, collection, items, pricing, standing
from ..api import Request, Response
from ..errors import ApiError, invalid
from ..events import recorded
from ..resources.payment_methods import attached
from ..store import Object, State
from .rendering import amount, date, form, page, redirect

UPDATED = "customer.subscription.updated"


def answer(state: State, request: Request, rest: list[str]) -> Response:
    session = state.get("billing_portal.session", rest[0])
    customer = state.get("customer", session["customer"])
    if request.method != "POST":
        return _show(state, session, customer)
    given = form(request)
    action = ACTIONS.get(given.get("action", ""))
    try:
        if action is None:
            raise invalid("The portal does not know that action.")
        action(state, session, customer, given)
    except ApiError as error:
        return _show(state, session, customer, error.message, error.status)
    return redirect(f"/p/{session['id']}")


def _feature(state: State, session: Object, name: str) -> Object:
    configuration = state.get("billing_portal.configuration", session["configuration"])
    return dict(configuration["features"][name])


def _change_card(state: State, session: Object, customer: Object, given: dict[str, str]) -> None:
    """The new card becomes the default everywhere, and pays what is open."""
    if not _feature(state, session, "payment_method_update")["enabled"]:
        raise invalid("This portal does not let cards be changed.")
    card = cards.by_number(given.get("number", ""))
    method = attached(state, f"pm_card_{card.token}", customer)
    with recorded(state, customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    for sub in _live(state, customer):
        with recorded(state, sub, UPDATED):
            sub["default_payment_method"] = method["id"]
    collection.pay_open(state, customer["id"])


def _cancel(state: State, session: Object, customer: Object, given: dict[str, str]) -> None:
    """Flexible billing: only `cancel_at` is set."""
    feature = _feature(state, session, "subscription_cancel")
    if not feature["enabled"]:
        raise invalid("This portal does not let subscriptions be cancelled.")
    sub = _named(state, customer, given)
    if feature["mode"] == "immediately":
        standing.end(state, sub, "cancellation_requested")
        return
    with recorded(state, sub, UPDATED):
        standing.schedule_cancellation(state, sub, items.period_end(sub), at_period_end=False)


def _resume(state: State, session: Object, customer: Object, given: dict[str, str]) -> None:
    sub = _named(state, customer, given)
    with recorded(state, sub, UPDATED):
        standing.schedule_cancellation(state, sub, None, at_period_end=False)


ACTIONS: dict[str, Callable[[State, Object, Object, dict[str, str]], None]] = {
    "card": _change_card,
    "cancel": _cancel,
    "resume": _resume,
}


def _live(state: State, customer: Object) -> list[Object]:
    return [sub for sub in state.table("subscription").where("customer", customer["id"]) if not standing.is_over(sub)]


def _named(state: State, customer: Object, given: dict[str, str]) -> Object:
    for sub in _live(state, customer):
        if sub["id"] == given.get("subscription"):
            return sub
    raise invalid("There is no such subscription here.")


def _show(state: State, session: Object, customer: Object, error: str = "", status: int = 200) -> Response:
    subs = _live(state, customer)
    chosen = [sub["default_payment_method"] for sub in subs] + [customer["invoice_settings"]["default_payment_method"]]
    method = next((found for found in (state.find("payment_method", m) for m in chosen) if found), None)
    history = state.table("invoice").where("customer", customer["id"])[::-1]
    return page(
        "portal.html",
        status,
        session=session,
        customer=customer,
        subscriptions=[_described(state, sub) for sub in subs],
        card=method["card"] if method else None,
        may_change_card=_feature(state, session, "payment_method_update")["enabled"],
        may_cancel=_feature(state, session, "subscription_cancel")["enabled"],
        invoices=[_summary(row) for row in history] if _feature(state, session, "invoice_history")["enabled"] else [],
        error=error,
    )


def _described(state: State, sub: Object) -> Object:
    item = sub["items"]["data"][0]
    product = state.find("product", item["price"]["product"])
    each = amount(pricing.item_amount(state, item, sub["currency"]), sub["currency"])
    return {
        "id": sub["id"],
        "name": product["name"] if product else item["price"]["product"],
        "price": f"{each} / {pricing.rhythm(item['price']['recurring'])}",
        "status": sub["status"].replace("_", " "),
        "renews": date(items.period_end(sub)),
        "ends": date(sub["cancel_at"]),
    }


def _summary(invoice: Object) -> Object:
    total = amount(invoice["total"], invoice["currency"])
    return {"id": invoice["id"], "date": date(invoice["created"]), "total": total, "status": invoice["status"]}
