"""The control plane under /_sandbox/ does what the buyer, the bank and time would do; it takes and returns JSON."""

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import seeding, thin_events
from .books import aftermath, billing_cycle, cards, clocks, debits
from .books.tax import ids, table
from .control_values import Body, check_setting, known, optional_text, read, text, whole
from .errors import ApiError, invalid, unknown_route
from .http.messages import Request, Response, refusal
from .http.origin import refuse_other_sites
from .people import buying, delayed, filling, paying, portal
from .resources import account, coupons, payment_intents, setup_intents
from .store import SETTINGS

if TYPE_CHECKING:
    from .running import Sandbox

Action = Callable[..., Body]
ACTIONS: list[tuple[str, re.Pattern[str], Action]] = []
UNLOCKED = {"settle"}
FURTHEST = 20 * 366 * 86400


def action(method: str, path: str) -> Callable[[Action], Action]:
    def register(function: Action) -> Action:
        ACTIONS.append((method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), function))
        return function

    return register


def answer(sandbox: "Sandbox", request: Request) -> Response:
    try:
        refuse_other_sites(request)
        body = _dispatch(sandbox, request)
    except ApiError as error:
        return refusal(error, "req_sandbox")
    return Response(200, json.dumps(body).encode())


def _dispatch(sandbox: "Sandbox", request: Request) -> Body:
    path = "/" + request.path.removeprefix("/_sandbox").strip("/")
    for method, pattern, function in ACTIONS:
        if method == request.method and (match := pattern.fullmatch(path)):
            given = read(request.body)
            if function.__name__ in UNLOCKED:
                return function(sandbox, given, **match.groupdict())
            with sandbox.lock:
                try:
                    with clocks.within(sandbox.state, clocks.of(sandbox.state, match.groupdict().values())):
                        return function(sandbox, given, **match.groupdict())
                finally:
                    sandbox.after()
    raise unknown_route(request.method, request.path)


@action("GET", "/")
def status(sandbox: "Sandbox", given: Body) -> Body:
    state = sandbox.state
    counts = {kind: len(table.rows) for kind, table in state.tables.items()}
    return {
        "status": "ok",
        "url": sandbox.url,
        "now": state.now(),
        "ahead": round(state.clock.ahead(), 3),
        "forward": state.forward,
        "objects": counts,
        "pending_deliveries": sandbox.dispatcher.pending(),
        "faults": sandbox.faults.shown(),
        "settings": state.settings,
        "accounts": [{"payment_method": f"pm_{a.token}", "number": a.number, "does": a.does} for a in debits.ACCOUNTS],
        "cards": [{"payment_method": f"pm_card_{c.token}", "number": c.number, "does": c.does} for c in cards.CARDS],
    }


@action("POST", "/reset")
def reset(sandbox: "Sandbox", given: Body) -> Body:
    known(given, "seed", "now", "account")
    named = given.get("account", account.ACCOUNT)
    if not isinstance(named, str) or not re.fullmatch(r"acct_\w+", named):
        raise invalid("account must be an id like acct_2.", "account")
    now = whole(given, "now") if given.get("now") is not None else None
    sandbox.reset(str(given.get("seed", "0")), now)
    if named != account.ACCOUNT:
        sandbox.state.note(account.NOTE)["id"] = named
    return {"now": sandbox.state.now(), "seed": sandbox.state.seed, "account": account.id_of(sandbox.state)}


@action("POST", "/settings")
def settings(sandbox: "Sandbox", given: Body) -> Body:
    """Change the settings of dunning and clock; `after_last_retry` is cancel, unpaid or past_due."""
    known(given, *SETTINGS)
    for name, value in given.items():
        check_setting(name, value)
    sandbox.state.settings.update(given)
    return dict(sandbox.state.settings)


@action("POST", "/checkout/{session}/complete")
def complete_checkout(sandbox: "Sandbox", given: Body, session: str) -> Body:
    """Act as the buyer who completes a Checkout. `outcome`: paid, declined, authenticated, authentication_failed;
    processing, then later paid or declined."""
    known(given, "payment_method", "outcome", *buying.AMOUNTS, *filling.FIELDS, *filling.SHORTER)
    token, outcome = optional_text(given, "payment_method"), optional_text(given, "outcome")
    return buying.complete(sandbox.state, session, token, outcome, filling.read(given))


@action("GET", "/tax")
def tax(sandbox: "Sandbox", given: Body) -> Body:
    return table.of(sandbox.state)


@action("POST", "/tax")
def set_tax(sandbox: "Sandbox", given: Body) -> Body:
    """Set entries of the table of taxes; `{}` leaves it as it is."""
    return table.put(sandbox.state, given)


@action("POST", "/tax_ids/{tax_id}")
def answer_tax_id(sandbox: "Sandbox", given: Body, tax_id: str) -> Body:
    """Act as the registry of tax ids: verified, unverified, unavailable or pending again."""
    known(given, "status", "name", "address")
    row = sandbox.state.get(ids.KIND, tax_id)
    name, address = optional_text(given, "name"), optional_text(given, "address")
    return ids.answer(sandbox.state, row, text(given, "status"), name, address)


@action("POST", "/portal")
def save_portal(sandbox: "Sandbox", given: Body) -> Body:
    """Save the customer portal's settings as in the Dashboard: there is a default configuration then."""
    known(given)
    return portal.save_default(sandbox.state)


@action("POST", "/advance")
def advance(sandbox: "Sandbox", given: Body) -> Body:
    known(given, "seconds", "to")
    state = sandbox.state
    if ("to" in given) == ("seconds" in given):
        raise invalid("Give either `seconds` or `to`.", "seconds")
    to = whole(given, "to") if "to" in given else state.now() + whole(given, "seconds")
    if to < state.now():
        raise invalid(f"The clock only goes forward: it is {state.now()} now.", "to")
    if to > state.now() + FURTHEST:
        raise invalid("The clock goes at most 20 years at once.", "to")
    done = billing_cycle.advance(state, to)
    return {"now": state.now(), "instants": done}


@action("POST", "/invoices/{invoice}/pay")
def pay_invoice(sandbox: "Sandbox", given: Body, invoice: str) -> Body:
    """Act as the customer on the hosted invoice page: paid, declined, authenticated or authentication_failed."""
    known(given, "outcome", "payment_method")
    outcome = optional_text(given, "outcome")
    if outcome is not None and outcome not in buying.OUTCOMES:
        raise invalid(f"Invalid outcome: must be one of {', '.join(buying.OUTCOMES)}", "outcome")
    return paying.pay(sandbox.state, invoice, outcome, optional_text(given, "payment_method"))


@action("POST", "/setup_intents/{intent}")
def answer_setup(sandbox: "Sandbox", given: Body, intent: str) -> Body:
    """Act as the customer whom a setup intent asks for 3D Secure: authenticated or authentication_failed."""
    known(given, "outcome")
    return {"setup_intent": setup_intents.answer(sandbox.state, intent, optional_text(given, "outcome"))}


@action("POST", "/payment_intents/{intent}")
def answer_payment(sandbox: "Sandbox", given: Body, intent: str) -> Body:
    """Act as the customer whom a payment intent asks for 3D Secure: authenticated or authentication_failed."""
    known(given, "outcome")
    return {"payment_intent": payment_intents.answer(sandbox.state, intent, optional_text(given, "outcome"))}


@action("POST", "/payments/{intent}")
def answer_bank(sandbox: "Sandbox", given: Body, intent: str) -> Body:
    """Act as the bank of a payment that is processing: succeeded, or failed with a code."""
    known(given, "outcome", "code")
    answered = delayed.answer(sandbox.state, intent, optional_text(given, "outcome"), optional_text(given, "code"))
    return {"payment_intent": answered}


@action("POST", "/customers/{customer}/discount")
def give_discount(sandbox: "Sandbox", given: Body, customer: str) -> Body:
    """Act as staff who give a customer a coupon, or a promotion code, in the Dashboard."""
    return {"customer": coupons.give_customer(sandbox.state, customer, known(given, "coupon", "promotion_code"))}


@action("POST", "/disputes")
def open_dispute(sandbox: "Sandbox", given: Body) -> Body:
    known(given, "charge", "reason", "inquiry")
    reason = optional_text(given, "reason")
    return aftermath.open_dispute(sandbox.state, text(given, "charge"), reason, bool(given.get("inquiry")))


@action("POST", "/disputes/{dispute}")
def move_dispute(sandbox: "Sandbox", given: Body, dispute: str) -> Body:
    """Move a dispute on; of a lost one, `returned` minor units may come back."""
    known(given, "status", "returned")
    return aftermath.move_dispute(sandbox.state, dispute, text(given, "status"), whole(given, "returned", 0))


@action("POST", "/refunds/{refund}/fail")
def fail_refund(sandbox: "Sandbox", given: Body, refund: str) -> Body:
    known(given, "reason")
    return aftermath.fail_refund(sandbox.state, refund, optional_text(given, "reason") or "unknown")


@action("POST", "/fraud_warnings")
def warn_of_fraud(sandbox: "Sandbox", given: Body) -> Body:
    known(given, "charge")
    return aftermath.warn_of_fraud(sandbox.state, text(given, "charge"))


@action("POST", "/faults")
def faults(sandbox: "Sandbox", given: Body) -> Body:
    sandbox.faults.set(given)
    return sandbox.faults.shown()


@action("GET", "/faults")
def current_faults(sandbox: "Sandbox", given: Body) -> Body:
    return sandbox.faults.shown()


@action("POST", "/deliver")
def deliver(sandbox: "Sandbox", given: Body) -> Body:
    known(given, "event")
    named = text(given, "event")
    event = sandbox.state.find(thin_events.KIND, named) or sandbox.state.get("event", named, "event")
    return {"event": event["id"], "targets": sandbox.dispatcher.deliver(event)}


@action("POST", "/settle")
def settle(sandbox: "Sandbox", given: Body) -> Body:
    """Wait until no delivery is waiting or under way, at most `timeout` seconds (10)."""
    known(given, "timeout")
    timeout = given.get("timeout", 10)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 <= timeout <= 600:
        raise invalid("timeout must be a number of seconds up to 600.", "timeout")
    with sandbox.lock:
        sandbox.after()
    return {"pending": sandbox.dispatcher.settle(float(timeout))}


@action("POST", "/seed")
def seed(sandbox: "Sandbox", given: Body) -> Body:
    known(given, "customers", "subscriptions", "events")
    began = time.monotonic()
    customers = whole(given, "customers", 0)
    made = seeding.seed(sandbox.state, customers, whole(given, "subscriptions", customers), whole(given, "events", 0))
    return {**made, "seconds": round(time.monotonic() - began, 3)}


@action("GET", "/calls")
def calls(sandbox: "Sandbox", given: Body) -> Body:
    counted = sandbox.state.calls
    data = [{"method": method, "path": path, "count": count} for (method, path), count in counted.items()]
    return {"total": sum(counted.values()), "data": data}


@action("DELETE", "/calls")
def forget_calls(sandbox: "Sandbox", given: Body) -> Body:
    sandbox.state.calls.clear()
    return {"total": 0, "data": []}


@action("GET", "/deliveries")
def deliveries(sandbox: "Sandbox", given: Body) -> Body:
    return {"data": list(sandbox.state.deliveries), "pending": sandbox.dispatcher.pending()}


@action("DELETE", "/deliveries")
def forget_deliveries(sandbox: "Sandbox", given: Body) -> Body:
    sandbox.state.deliveries.clear()
    return {"data": [], "pending": sandbox.dispatcher.pending()}
