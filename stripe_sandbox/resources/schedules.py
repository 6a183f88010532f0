"""Subscription schedules are created, read, updated, released and cancelled here."""

from ..books import one_currency, phases, phasing, standing, subscribing
from ..books.tax import places
from ..errors import invalid, missing_parameter, not_covered
from ..events import emit, recorded
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from .payment_methods import owned
from .subscriptions import end_now

PHASE = " ".join(
    f"phases.{name}"
    for name in (
        "items.price items.quantity items.metadata items.discounts.coupon items.discounts.promotion_code "
        "items.discounts.discount end_date duration proration_behavior metadata currency default_payment_method "
        "description trial trial_end discounts.coupon discounts.promotion_code discounts.discount "
        "add_invoice_items.price add_invoice_items.quantity add_invoice_items.metadata "
        "add_invoice_items.discountable add_invoice_items.discounts.coupon add_invoice_items.discounts.promotion_code "
        "add_invoice_items.tax_rates automatic_tax.enabled default_tax_rates items.tax_rates "
        "billing_thresholds.amount_gte billing_thresholds.reset_billing_cycle_anchor collection_method "
        "invoice_settings.custom_fields invoice_settings.days_until_due invoice_settings.description "
        "invoice_settings.footer "
        "items.billing_thresholds.usage_gte"
    ).split()
)
DEFAULTS = "default_settings.automatic_tax.enabled"
KIND = "subscription_schedule"


@api.add(
    "POST",
    "/v1/subscription_schedules",
    "SubscriptionScheduleCreateParams",
    f"customer from_subscription start_date end_behavior metadata billing_mode {PHASE} {DEFAULTS}",
)
def create(state: State, params: Params) -> Object:
    behaviour = _end_behavior(params, "release")
    subscribing.check_mode(params.get("billing_mode"))
    if "from_subscription" in params:
        if params.keys() & {"phases", "customer", "start_date"}:
            raise invalid("`from_subscription` stands alone: set the phases by an update.", "from_subscription")
        sub = state.get("subscription", params["from_subscription"], "from_subscription")
        return phasing.attach(state, sub, merged({}, params), behaviour)
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = state.get("customer", params["customer"], "customer")
    start = _start(state, params)
    shown = phases.read(state, params.get("phases") or [], start)
    if shown[0]["end_date"] <= state.now():
        raise invalid("The first phase must end in the future.", "phases[0][end_date]")
    for phase in shown:
        one_currency.check(state, customer, phase["currency"], "phases[0][currency]")
    _check_cards(state, shown, customer["id"])
    automatic = bool(_automatic(params))
    _check_places(state, customer, automatic, shown)
    schedule = state.put(phases.new(state, customer["id"], shown, behaviour, merged({}, params), automatic))
    emit(state, "subscription_schedule.created", schedule)
    if start <= state.now():
        phasing.begin(state, schedule)
    else:
        phasing.plan(state, schedule)
    return schedule


def _automatic(params: Params) -> bool | None:
    """Return whether tax is automatic in phases that do not say so themselves; None if that is not given."""
    chosen = (params.get("default_settings") or {}).get("automatic_tax")
    return None if chosen is None else bool(chosen["enabled"])


def _check_places(state: State, customer: Object, automatic: bool, shown: list[Object]) -> None:
    if any((phase["automatic_tax"] or {"enabled": automatic})["enabled"] for phase in shown):
        places.check(state, customer)


def _start(state: State, params: Params) -> int:
    start = params.get("start_date", "now")
    if start == "now":
        return state.now()
    return int(start)


def _end_behavior(params: Params, before: str) -> str:
    chosen = params.get("end_behavior", before)
    if chosen not in ("release", "cancel"):
        raise not_covered(f"end_behavior={chosen}")
    return str(chosen)


def _check_cards(state: State, shown: list[Object], customer: str) -> None:
    for phase in shown:
        if phase["default_payment_method"]:
            owned(state, phase["default_payment_method"], customer, "phases[0][default_payment_method]")


def _open(state: State, identifier: str, verb: str) -> Object:
    schedule = state.get(KIND, identifier)
    if schedule["status"] not in phases.OPEN:
        raise invalid(
            f"You cannot {verb} a subscription schedule that is currently in the `{schedule['status']}` status. "
            f"It must be in `not_started`, `active` status to be {verb.rstrip('e')}ed."
        )
    return schedule


@api.add(
    "POST",
    "/v1/subscription_schedules/{schedule}",
    "SubscriptionScheduleUpdateParams",
    f"end_behavior metadata proration_behavior phases.start_date {PHASE} {DEFAULTS}",
)
def update(state: State, schedule: str, params: Params) -> Object:
    """Replace all phases: those left out are removed. The phase under way must be among them, and keeps its start."""
    row = _open(state, schedule, "update")
    shown = row["phases"]
    if "phases" in params:
        shown = rewritten(state, row, params["phases"])
        _check_cards(state, shown, row["customer"])
    automatic = _automatic(params)
    default = row["default_settings"]["automatic_tax"]["enabled"] if automatic is None else automatic
    _check_places(state, state.get("customer", row["customer"]), default, shown if "phases" in params else [])
    with recorded(state, row, phasing.CHANGED):
        if automatic is not None:
            row["default_settings"] = {**row["default_settings"], "automatic_tax": phases.automatic_tax(automatic)}
        row["metadata"] = merged(row["metadata"] or {}, params)
    prorations = params.get("proration_behavior", "create_prorations")
    phasing.rewrite(state, row, shown, _end_behavior(params, row["end_behavior"]), prorations)
    return row


def rewritten(state: State, row: Object, given: list[Params]) -> list[Object]:
    current = row["current_phase"]
    if current is None:
        first = given[0].get("start_date", row["phases"][0]["start_date"]) if given else 0
        return phases.read(state, given, state.now() if first == "now" else first)
    shown = phases.read(state, given, current["start_date"], keep=current)
    if phases.end_of({"phases": shown}) <= state.now():
        raise invalid("The last phase must end in the future.", "phases")
    return shown


@api.add("GET", "/v1/subscription_schedules/{schedule}", "SubscriptionScheduleRetrieveParams")
def retrieve(state: State, schedule: str, params: Params) -> Object:
    return state.get(KIND, schedule)


@api.add("GET", "/v1/subscription_schedules", "SubscriptionScheduleListParams", "created customer scheduled")
def list_all(state: State, params: Params) -> Object:
    def keep(row: Object) -> bool:
        return "scheduled" not in params or params["scheduled"] == (row["status"] == "not_started")

    return page(state, KIND, "/v1/subscription_schedules", params, keep, same="customer")


@api.add(
    "POST",
    "/v1/subscription_schedules/{schedule}/release",
    "SubscriptionScheduleReleaseParams",
    "preserve_cancel_date",
)
def release(state: State, schedule: str, params: Params) -> Object:
    row = _open(state, schedule, "release")
    phasing.release(state, row, bool(params.get("preserve_cancel_date")))
    return row


@api.add(
    "POST", "/v1/subscription_schedules/{schedule}/cancel", "SubscriptionScheduleCancelParams", "invoice_now prorate"
)
def cancel(state: State, schedule: str, params: Params) -> Object:
    """Cancel the schedule with its subscription, at once."""
    row = _open(state, schedule, "cancel")
    sub = state.find("subscription", row["subscription"])
    if sub is not None and not standing.is_over(sub):
        end_now(state, sub, prorate=params.get("prorate", True), invoice_now=params.get("invoice_now", True))
    else:
        phases.close(state, row, "canceled")
    return row
