"""Each setting is checked by itself against its kind. Settings that need more follow the table."""

from decimal import Decimal
from functools import partial
from typing import NamedTuple

from django.apps import apps
from django.conf import settings

from billing.conf import API_VERSION, LOOPBACK, conf, documented
from billing.models import email_field
from billing.queues import QUEUES

from . import kinds
from .kinds import Kind
from .problems import Check, Problem, finds


class Row(NamedTuple):
    check_id: str
    name: str
    kind: Kind


TABLE = (
    Row("billing.E101", "STRIPE_SECRET_KEY", kinds.TEXT),
    Row("billing.E102", "STRIPE_API_VERSION", kinds.matching(kinds.API_VERSION, f'a version like "{API_VERSION}"')),
    Row("billing.E103", "STRIPE_API_BASE", kinds.address(or_empty=True)),
    Row("billing.E104", "STRIPE_LIVE_MODE", kinds.FLAG),
    Row("billing.E105", "STRIPE_WEBHOOK_SECRETS", kinds.TEXTS),
    Row("billing.E106", "SITE_URL", kinds.address()),
    Row("billing.E137", "BILLING_PAGES", kinds.PAGES),
    Row("billing.E230", "BILLING_SITE", kinds.SITE),
    Row("billing.E107", "BILLING_CLOCK", kinds.function()),
    Row("billing.E108", "BILLING_ACCESS_RULE", kinds.function("subscriber")),
    Row("billing.E109", "BILLING_FREE_PLAN", kinds.matching(kinds.SLUG, "the slug of a plan")),
    Row("billing.E211", "BILLING_SPEND_CAP", kinds.CAPS),
    Row("billing.E212", "BILLING_SPEND_CAP_POLICY", kinds.one_of("stop", "warn")),
    Row("billing.E110", "BILLING_GRACE_DAYS", kinds.whole(0)),
    Row("billing.E150", "BILLING_DEBIT_GRACE_DAYS", kinds.whole(0)),
    Row("billing.E151", "BILLING_INVOICE_REMINDER_DAYS", kinds.number(0)),
    Row("billing.E171", "BILLING_INVOICE_DAYS", kinds.number(1)),
    Row("billing.E111", "BILLING_DISPUTE_HOLDS", kinds.FLAG),
    Row("billing.E112", "BILLING_LOST_DISPUTE_CANCELS", kinds.FLAG),
    Row("billing.E113", "BILLING_FULL_REFUND_CANCELS", kinds.FLAG),
    Row("billing.E114", "BILLING_DELETE_CUSTOMER", kinds.FLAG),
    Row("billing.E115", "BILLING_CHECKOUT_RATE", kinds.matching(kinds.RATE, 'a rate like "5/m" (s, m, h or d)')),
    Row("billing.E116", "BILLING_INVOICE", kinds.INVOICE),
    Row("billing.E117", "BILLING_RENEWAL_REMINDER_DAYS", kinds.number(0)),
    Row("billing.E118", "BILLING_CARD_REMINDER_DAYS", kinds.number(0)),
    Row("billing.E220", "BILLING_CREDITS_LOW_PERCENT", kinds.whole(0, 100)),
    Row("billing.E221", "BILLING_CREDITS_REMINDER_DAYS", kinds.number(0)),
    Row("billing.E245", "BILLING_GUESTS_BUY_PACKS", kinds.FLAG),
    Row("billing.E119", "BILLING_WEBHOOK_TOLERANCE", kinds.whole(1)),
    Row("billing.E120", "BILLING_WEBHOOK_MAX_BYTES", kinds.whole(1)),
    Row("billing.E121", "BILLING_STRIPE_TIMEOUT", kinds.number(0, is_above=True)),
    Row("billing.E122", "BILLING_STRIPE_REQUEST_TIMEOUT", kinds.number(0, is_above=True)),
    Row("billing.E123", "BILLING_STRIPE_RATE", kinds.number(0)),
    Row("billing.E124", "BILLING_STRIPE_CIRCUIT_FAILURES", kinds.whole(1)),
    Row("billing.E125", "BILLING_STRIPE_CIRCUIT_SECONDS", kinds.number(0, is_above=True)),
    Row("billing.E126", "BILLING_LEASE_SECONDS", kinds.number(0, is_above=True)),
    Row("billing.E190", "BILLING_UNANSWERED_SECONDS", kinds.number(0)),
    Row("billing.E127", "BILLING_READY_DEAD_EVENTS", kinds.whole(0)),
    Row("billing.E128", "BILLING_ALERT_MINUTES", kinds.number(0, is_above=True)),
    Row("billing.E129", "BILLING_SILENT_HOURS", kinds.number(0, is_above=True)),
    Row(
        "billing.E130",
        "BILLING_DASHBOARD_CURRENCY",
        kinds.matching(kinds.CURRENCY, 'a currency like "usd", or empty', or_empty=True),
    ),
    Row("billing.E131", "BILLING_REQUEST_SUBSCRIBER", kinds.function("request")),
    Row("billing.E132", "BILLING_MAY_MANAGE", kinds.function("request", "subscriber")),
    Row("billing.E133", "BILLING_CUSTOMER_DETAILS", kinds.function("subscriber")),
    Row("billing.E134", "BILLING_SEATS", kinds.function("subscriber")),
    Row("billing.E135", "BILLING_EMAIL_IS_CONFIRMED", kinds.function("subscriber")),
    Row("billing.E136", "BILLING_MONITORING_TOKEN", kinds.TEXT),
    Row("billing.E180", "BILLING_CHECKOUT", kinds.function("subscriber", "attempt")),
    Row("billing.E181", "BILLING_CHECKOUT_EMBEDDED", kinds.FLAG),
    Row("billing.E182", "STRIPE_PUBLISHABLE_KEY", kinds.matching(kinds.PUBLISHABLE, "a key like pk_…", or_empty=True)),
    Row("billing.E183", "BILLING_ADD_CARD", kinds.one_of("portal", "checkout")),
    Row("billing.E184", "BILLING_TRIAL_WITHOUT_CARD", kinds.one_of("no", "cancel", "pause")),
    Row("billing.E185", "BILLING_TRIAL_DAYS", kinds.function("subscriber", "plan")),
    Row("billing.E186", "BILLING_TRIAL_ONCE_PER", kinds.some_of("card", "email")),
    Row("billing.E187", "BILLING_TRIAL_SAME_CARD", kinds.one_of("alert", "end")),
    Row("billing.E170", "BILLING_TAX", kinds.TAX),
    Row("billing.E152", "BILLING_PAUSE_DAYS", kinds.whole(0, 730)),
    Row("billing.E153", "BILLING_CANCEL_OFFER", kinds.function("subscription")),
    Row("billing.E160", "BILLING_QUEUE", kinds.one_of(*QUEUES)),
    Row("billing.E161", "BILLING_RQ_QUEUE", kinds.function()),
)
KINDS = {row.name: row.kind for row in TABLE}


def is_right(name: str) -> bool:
    """Return whether a setting of the table is left out or of its kind."""
    return not hasattr(settings, name) or KINDS[name].is_right(getattr(settings, name))


def _look(row: Row) -> Problem:
    """Check one setting. The value is not shown if it may be a secret."""
    if is_right(row.name):
        return None
    value = getattr(settings, row.name)
    is_what = "" if "SECRET" in row.name else f" is {value!r}, and"
    hint = f"Set {row.name} to {row.kind.words}, or leave it out."
    because = f": {cause}" if (cause := row.kind.wrong(value)) else ""
    return f"{row.name}{is_what} must be {row.kind.words}{because}.", hint


@finds("billing.E002")
def check_subscriber_model() -> Problem:
    """BILLING_SUBSCRIBER_MODEL is a model of an installed app."""
    try:
        apps.get_model(conf.subscriber_model)
    except (LookupError, ValueError, AttributeError):
        return (
            f"BILLING_SUBSCRIBER_MODEL names no installed model: {conf.subscriber_model!r}.",
            "Set it to 'app_label.Model' of an installed app, or leave it out for the user model.",
        )
    return None


@finds("billing.E020")
def check_request_subscriber() -> Problem:
    """BILLING_REQUEST_SUBSCRIBER is set if subscribers are not users."""
    if conf.request_subscriber:
        return None
    model = conf.subscriber_model
    return (
        f"BILLING_SUBSCRIBER_MODEL is {model}, but BILLING_REQUEST_SUBSCRIBER is not set.",
        f"Set it to the dotted path of a function that takes the request and returns the {model} that pays, or None.",
    )


@finds("billing.E006")
def check_dashboard_rates() -> Problem:
    """BILLING_DASHBOARD_RATES holds rates above 0, by currency, into BILLING_DASHBOARD_CURRENCY."""
    try:
        are_rates = all(
            len(currency) == 3 and 0 < rate < Decimal("Infinity") for currency, rate in conf.dashboard_rates.items()
        )
    except (ArithmeticError, AttributeError):
        are_rates = False
    if not are_rates:
        return (
            "BILLING_DASHBOARD_RATES must be a dictionary of currencies with rates above 0.",
            'Set it to the value of one unit of each currency in BILLING_DASHBOARD_CURRENCY: {"eur": "1.08"}.',
        )
    if is_right("BILLING_DASHBOARD_CURRENCY") and conf.dashboard_rates and not conf.dashboard_currency:
        return (
            "BILLING_DASHBOARD_RATES is set but BILLING_DASHBOARD_CURRENCY is not, so nothing is converted.",
            'Set BILLING_DASHBOARD_CURRENCY to the currency that the rates convert to, for example "usd".',
        )
    return None


@finds("billing.E189")
def check_embedded() -> Problem:
    """STRIPE_PUBLISHABLE_KEY is set if BILLING_CHECKOUT_EMBEDDED is on."""
    if conf.is_checkout_embedded is not True or conf.publishable_key or conf.is_sandbox:
        return None
    return (
        "BILLING_CHECKOUT_EMBEDDED is on, but STRIPE_PUBLISHABLE_KEY is empty: our page could not show Checkout.",
        "Set STRIPE_PUBLISHABLE_KEY to the key that the Dashboard shows beside the secret one, pk_test_… or pk_live_….",
    )


@finds("billing.E246")
def check_guests() -> Problem:
    """BILLING_EMAIL_IS_CONFIRMED is set if BILLING_GUESTS_BUY_PACKS is on, and subscribers have e-mail addresses."""
    if conf.guests_buy_packs is not True or (conf.email_is_confirmed and email_field()):
        return None
    return (
        "BILLING_GUESTS_BUY_PACKS is on, but nothing tells whose e-mail address is confirmed: guests can't buy.",
        "Set BILLING_EMAIL_IS_CONFIRMED to a function of a subscriber with an e-mail address, or turn it off.",
    )


@finds("billing.W004")
def check_names() -> Problem:
    """Every setting that begins with BILLING_ is a setting of billing."""
    unknown = sorted(n for n in dir(settings) if n.startswith("BILLING_") and n not in documented())
    if not unknown:
        return None
    return f"No setting of billing: {', '.join(unknown)}.", "Find the right name in docs/api.md, or remove the setting."


@finds("billing.W006")
def check_site() -> Problem:
    """SITE_URL is a public address if the real Stripe is used and DEBUG is off."""
    is_real = is_right("STRIPE_API_BASE") and not conf.is_sandbox and not settings.DEBUG
    if not is_real or not is_right("SITE_URL") or conf.site_url.split("/")[2].split(":")[0] not in LOOPBACK:
        return None
    return (
        f"SITE_URL is {conf.site_url}, so buyers cannot come back from Checkout.",
        "Set SITE_URL to the site's public address, for example https://billing.example.com",
    )


CHECKS: tuple[Check, ...] = (
    *(Check(row.check_id, f"{row.name} is {row.kind.words}.", partial(_look, row)) for row in TABLE),
    check_subscriber_model,
    check_request_subscriber,
    check_dashboard_rates,
    check_embedded,
    check_guests,
    check_names,
    check_site,
)
