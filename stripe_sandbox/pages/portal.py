"""A customer changes the card, cancels, resumes, switches the plan, keeps the details and sees the invoices in the
portal."""

from ..books import debits, pricing
from ..books.items import period_end
from ..errors import ApiError, invalid
from ..http.messages import Request, Response
from ..people import plan_switching, portal_flows
from ..resources import previews
from ..store import Object, State
from . import card_form, portal_actions, portal_details
from .portal_actions import feature, live
from .rendering import amount, date, form, page, redirect

SWITCHING = {
    "always_invoice": "The difference for the rest of this period is charged or credited now.",
    "create_prorations": "The difference for the rest of this period is on your next invoice.",
    "none": "You pay the new price from your next invoice on.",
}
SAID = {
    "card": "Your card was changed.",
    "cancel": "Your plan is cancelled.",
    "resume": "Your plan goes on.",
    "switch": "Your plan was changed.",
    "details": "Saved.",
}


def answer(state: State, request: Request, rest: list[str]) -> Response:
    session = state.get("billing_portal.session", rest[0])
    customer = state.get("customer", session["customer"])
    if request.method != "POST":
        said = SAID.get(request.query.removeprefix("done="), "")
        return _show(state, session, customer, {}, said=said)
    given = form(request)
    action = portal_actions.ACTIONS.get(given.get("action", ""))
    try:
        given = portal_flows.bound(portal_flows.opened(state, session), given)
        if action is None:
            raise invalid("The portal does not know that action.")
        asked = action(state, session, customer, given)
    except ApiError as error:
        return _show(state, session, customer, given, error.message, error.status)
    if asked is not None:
        hidden = {"action": "card", **card_form.entered(given)}
        return page("authenticate.html", action=f"/p/{session['id']}", hidden=hidden, what="", card=asked)
    return _go_on(session, portal_flows.finish(state, session), given["action"])


def _go_on(session: Object, after: Object | None, action: str) -> Response:
    kind = after["type"] if after else "portal_homepage"
    if after and kind == "redirect":
        return redirect(after["redirect"]["return_url"])
    if after and kind == "hosted_confirmation":
        words = after["hosted_confirmation"]["custom_message"] or SAID[action]
        return page("message.html", title="Done", message=words, link=session["return_url"],
                    link_words="Back to the site")  # fmt: skip
    return redirect(f"/p/{session['id']}?done={action}")


def _show(
    state: State, session: Object, customer: Object, given: dict[str, str], error: str = "", status: int = 200,
    said: str = "",
) -> Response:  # fmt: skip
    configuration = state.get("billing_portal.configuration", session["configuration"])
    features, profile = configuration["features"], configuration["business_profile"]
    cancels = features["subscription_cancel"]
    subs = live(state, customer)
    history = state.table("invoice").where("customer", customer["id"])[::-1]
    flow = portal_flows.opened(state, session)
    if flow and flow["type"] in portal_flows.OF_A_SUBSCRIPTION:
        subs = [sub for sub in subs if sub["id"] == flow[flow["type"]]["subscription"]]
    return page(
        "portal_flow.html" if flow else "portal.html",
        status,
        flow=flow,
        flow_to=_target(state, subs, flow, features["subscription_update"]),
        session=session,
        customer=customer,
        subscriptions=[_described(state, sub, features["subscription_update"]) for sub in subs],
        switching=SWITCHING[features["subscription_update"]["proration_behavior"]],
        card=_card(state, customer, subs),
        accounts=debits.of_currency(customer["currency"]),
        may_change_card=features["payment_method_update"]["enabled"],
        may_cancel=cancels["enabled"],
        cancels_now=cancels["mode"] == "immediately",
        reasons=_reasons(cancels["cancellation_reason"]),
        details_allowed=portal_details.fields(customer, features["customer_update"]),
        invoices=[_summary(row) for row in history] if feature(state, session, "invoice_history")["enabled"] else [],
        error=error,
        card_error=bool(error) and given.get("action") == "card",
        said=said,
        given=given,
        **profile,
    )


def _target(state: State, subs: list[Object], flow: Object | None, update: Object) -> Object | None:
    """Return the plan that a flow of confirmation changes to, and what is due for it now."""
    confirmed = flow["subscription_update_confirm"] if flow else None
    if not confirmed or not subs:
        return None
    sub, wanted = subs[0], confirmed["items"][0]
    price = state.get("price", wanted["price"])
    each = pricing.cost(state, price, sub["currency"], wanted["quantity"])
    shown = {"name": _product(state, price), "price": amount(each, sub["currency"])}
    shown |= {"rhythm": pricing.rhythm(price["recurring"]), "quantity": wanted["quantity"]}
    return {**shown, "due": _due_now(state, sub, update, wanted)}


def _due_now(state: State, sub: Object, update: Object, wanted: Object) -> str:
    change = plan_switching.change(sub, update, wanted)
    details = {name: change[name] for name in ("items", "proration_behavior", "trial_end", "billing_cycle_anchor")
               if name in change}  # fmt: skip
    if update["proration_behavior"] != "always_invoice":
        return ""
    preview = previews.create_preview(state, {"subscription": sub["id"], "subscription_details": details})
    return amount(preview["amount_due"], preview["currency"])


def _card(state: State, customer: Object, subs: list[Object]) -> Object | None:
    chosen = [sub["default_payment_method"] for sub in subs] + [customer["invoice_settings"]["default_payment_method"]]
    method = next((found for found in (state.find("payment_method", m) for m in chosen) if found), None)
    return dict(method[method["type"]]) if method else None


def _reasons(asked: Object) -> list[Object]:
    names = asked["options"] if asked["enabled"] else []
    return [{"value": name, "words": name.replace("_", " ").capitalize()} for name in names]


def _described(state: State, sub: Object, update: Object) -> Object:
    item = sub["items"]["data"][0]
    each = pricing.item_amount(state, item, sub["currency"])
    trial = sub["trial_end"] if sub["status"] == "trialing" else None
    current = item["price"]["id"]
    return {
        "id": sub["id"],
        "name": _product(state, item["price"]),
        "price": amount(each, sub["currency"]),
        "rhythm": pricing.rhythm(item["price"]["recurring"]),
        "status": sub["status"].replace("_", " "),
        "css": sub["status"],
        "renews": date(period_end(sub)),
        "ends": date(sub["cancel_at"]),
        "trial": date(trial),
        "choices": [_choice(state, sub, row, current) for row in plan_switching.choices(state, sub, update)],
    }


def _choice(state: State, sub: Object, price: Object, current: str) -> Object:
    each = amount(pricing.cost(state, price, sub["currency"], 1), sub["currency"])
    words = f"{each} / {pricing.rhythm(price['recurring'])}"
    name = _product(state, price)
    return {"id": price["id"], "name": name, "price": words, "is_current": price["id"] == current}


def _product(state: State, price: Object) -> str:
    product = state.find("product", price["product"])
    return str(product["name"] if product else price["product"])


def _summary(invoice: Object) -> Object:
    total = amount(invoice["total"], invoice["currency"])
    row = {name: invoice[name] for name in ("id", "number", "status")}
    return {**row, "date": date(invoice["created"]), "total": total}
