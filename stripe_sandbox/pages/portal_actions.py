"""These functions do what a customer asks for in the portal, as far as its configuration allows."""

from collections.abc import Callable
from typing import Any

from ..books import charging, collection, ending, items, standing
from ..books.cards import Means
from ..errors import declined, invalid
from ..events import recorded
from ..people import plan_switching, portal_flows
from ..people.buyers import mandate_for
from ..resources import payment_methods, subscriptions
from ..store import Object, State
from . import card_form, portal_details

UPDATED = "customer.subscription.updated"
# The card that needs 3D Secure first, where one does.
Action = Callable[[State, Object, Object, dict[str, str]], Means | None]


def feature(state: State, session: Object, name: str) -> Object:
    configuration = state.get("billing_portal.configuration", session["configuration"])
    return dict(configuration["features"][name])


def live(state: State, customer: Object) -> list[Object]:
    return [sub for sub in state.table("subscription").where("customer", customer["id"]) if not standing.is_over(sub)]


def change_card(state: State, session: Object, customer: Object, given: dict[str, str]) -> Means | None:
    """Make the new card the default everywhere, and pay what is open with it."""
    if not feature(state, session, "payment_method_update")["enabled"]:
        raise invalid("This portal does not let cards be changed.")
    card, outcome = card_form.read(state, given), given.get("outcome")
    if card.authentication and outcome is None:
        return card
    if outcome == "authentication_failed":
        raise declined(dict(charging.AUTHENTICATION_FAILED))
    method = payment_methods.attached(state, payment_methods.new(state, card)["id"], customer)
    charging.set_up(state, method["id"])
    mandate_for(state, method["id"])
    with recorded(state, customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    for sub in live(state, customer):
        with recorded(state, sub, UPDATED):
            sub["default_payment_method"] = method["id"]
    collection.pay_open(state, customer["id"])
    return None


def cancel(state: State, session: Object, customer: Object, given: dict[str, str]) -> None:
    """Cancel by setting only `cancel_at`, as flexible billing does."""
    allowed = feature(state, session, "subscription_cancel")
    if not allowed["enabled"]:
        raise invalid("This portal does not let subscriptions be cancelled.")
    sub = _named(state, customer, given)
    details = (
        {"feedback": given["feedback"]} if given.get("feedback") in allowed["cancellation_reason"]["options"] else {}
    )
    if allowed["mode"] == "immediately":
        prorates = allowed["proration_behavior"] != "none"
        bills = allowed["proration_behavior"] == "always_invoice"
        params = {"prorate": prorates, "invoice_now": bills, "cancellation_details": details}
        subscriptions.cancel(state, sub["id"], params)
        return
    with recorded(state, sub, UPDATED):
        standing.schedule_cancellation(state, sub, items.period_end(sub), at_period_end=False)
        sub["cancellation_details"].update(details)


def resume(state: State, session: Object, customer: Object, given: dict[str, str]) -> None:
    if not feature(state, session, "subscription_cancel")["enabled"]:
        raise invalid("This portal does not let cancellations be taken back.")
    sub = _named(state, customer, given)
    with recorded(state, sub, UPDATED):
        ending.move(state, sub, None)


def switch(state: State, session: Object, customer: Object, given: dict[str, str]) -> None:
    allowed = feature(state, session, "subscription_update")
    sub, flow = _named(state, customer, given), portal_flows.opened(state, session)
    wanted: dict[str, Any] = {"price": given.get("price", "")}
    if flow and (confirmed := flow["subscription_update_confirm"]):
        wanted = {**confirmed["items"][0], "discounts": _named_only(confirmed["discounts"])}
    plan_switching.switch(state, sub, allowed, wanted)


def _named_only(discounts: list[Object] | None) -> list[Object]:
    return [{name: value for name, value in each.items() if value} for each in discounts or []]


def save_details(state: State, session: Object, customer: Object, given: dict[str, str]) -> None:
    portal_details.save(state, customer, feature(state, session, "customer_update"), given)


def _named(state: State, customer: Object, given: dict[str, str]) -> Object:
    for sub in live(state, customer):
        if sub["id"] == given.get("subscription"):
            return sub
    raise invalid("There is no such subscription here.")


ACTIONS: dict[str, Action] = {
    "card": change_card,
    "cancel": cancel,
    "resume": resume,
    "switch": switch,
    "details": save_details,
}
