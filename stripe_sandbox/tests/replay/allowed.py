"""The only differences that a replay may show, each with its reason."""

import re
from fnmatch import fnmatchcase

from .comparing import ABSENT, Difference
from .stories import Step

CHANCE = "chance"
ACCOUNT = "the account"
VERSION = "the version"  # the sandbox has a field that the recorded version did not have yet
LEFTOVER = "a leftover"  # Stripe sends a field that its documentation and its SDK do not know
ALLOWED: list[tuple[str, str, str]] = [
    ("customer.invoice_prefix", CHANCE, "drawn by lot"),
    ("invoice.number", CHANCE, "begins with the customer's prefix"),
    ("*card.fingerprint", CHANCE, "a hash that only Stripe can compute"),
    ("*acss_debit.fingerprint", CHANCE, "a hash that only Stripe can compute"),
    ("*boleto.fingerprint", CHANCE, "a hash that only Stripe can compute"),
    ("charge.outcome.risk_score", CHANCE, "Radar's estimate"),
    ("charge.*card.authorization_code", CHANCE, "drawn by the bank"),
    ("charge.*card.network_transaction_id", CHANCE, "drawn by the network"),
    ("charge.balance_transaction", CHANCE, "booked a moment after the capture, here at once"),
    ("invoice.account_name", ACCOUNT, "its name"),
    ("checkout.session.branding_settings.display_name", ACCOUNT, "its name"),
    ("charge.calculated_statement_descriptor", ACCOUNT, "its name on bank statements"),
    ("balance_transaction.available_on", ACCOUNT, "how soon it is paid out"),
    ("*.payment_method_types[]", ACCOUNT, "the ways to pay that it has switched on; the sandbox has cards"),
    ("*.application", ACCOUNT, "the platform that connects it"),
    ("payment_intent.next_action.use_stripe_sdk*", LEFTOVER, "for Stripe.js alone, and documented as such"),
    ("*.payment_method_options.[!c]*", ACCOUNT, "the options of those ways to pay"),
    ("*.payment_method_options.cashapp", ACCOUNT, "the options of those ways to pay"),
    ("*.customer_account", VERSION, "new since the recording"),
    ("*.managed_payments", VERSION, "new since the recording"),
    ("subscription.billing_schedules", VERSION, "new since the recording"),
    ("subscription.invoice_settings.*", VERSION, "new since the recording"),
    ("charge.*card.transaction_link_id", VERSION, "new since the recording"),
    ("line_item.subscription", VERSION, "new since the recording"),
    ("line_item.subtotal", VERSION, "new since the recording"),
    ("line_item.quantity_decimal", VERSION, "new since the recording"),
    ("refund.customer", VERSION, "new since the recording"),
    ("refund.payment_method", VERSION, "new since the recording"),
    ("*.total_count", LEFTOVER, "of lists, undocumented for years"),
    ("subscription.plan", LEFTOVER, "of the time before items"),
    ("subscription.quantity", LEFTOVER, "of the time before items"),
    ("charge.destination", LEFTOVER, "of the time before transfer_data"),
    ("charge.dispute", LEFTOVER, "null even for a charge that is disputed"),
    ("charge.order", LEFTOVER, "of an API that is gone"),
]


def reason_for(found: Difference) -> str | None:
    for pattern, kind, reason in ALLOWED:
        if fnmatchcase(found.place, pattern) and _is_of_kind(found, kind):
            return f"{kind}: {reason}"
    return None


def _is_of_kind(found: Difference, kind: str) -> bool:
    if kind == VERSION:
        return bool(found.recorded == ABSENT)
    if kind == LEFTOVER:
        return found.answered == ABSENT or "use_stripe_sdk" in found.place
    return kind == ACCOUNT or ABSENT not in (found.recorded, found.answered)


def reason_to_skip(step: Step, known: dict[str, str]) -> str | None:
    """An object that was made outside of the recording cannot be asked for."""
    named = re.findall(r"[a-z]+_\d{3}\b", step.path + step.form)
    missing = [name for name in named if name not in known]
    return f"{missing[0]} was made outside of the recording" if missing else None
