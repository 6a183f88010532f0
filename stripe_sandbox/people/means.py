"""A buyer pays at a Checkout with a card, a bank account, or a card that the site's customer has saved before."""

from ..books import cards, debits
from ..books.cards import Card, Means
from ..books.debits import CURRENCIES, Account
from ..errors import invalid
from ..resources import payment_methods
from ..store import Object, State

USUAL = {"sepa_debit": "pm_sepaDebit_success_de", "us_bank_account": "pm_usBankAccount_success",
         "bacs_debit": "pm_bacsDebit_success"}  # fmt: skip


def chosen(state: State, session: Object, given: Means | str | None) -> tuple[Means, str | None]:
    """Return the means, and the payment method where it was saved before; a buyer who names nothing has the usual."""
    if isinstance(given, Card | Account):
        _refuse_excluded(session, given)
        return given, None
    offered = next((method for method in saved(state, session) if method["id"] == given), None)
    if offered is not None:
        return cards.of_method(state, offered["id"]), str(offered["id"])
    usual = USUAL.get(next(iter(session["payment_method_types"]), ""), "pm_card_visa")
    named = cards.named(given or usual, "payment_method")
    _refuse_excluded(session, named)
    return named, None


def _refuse_excluded(session: Object, given: Means) -> None:
    kind = given.kind if isinstance(given, Account) else "card"
    if kind in (session.get("excluded_payment_method_types") or []):
        raise invalid(f"This Checkout Session excludes {kind}.", "payment_method")


def saved(state: State, session: Object) -> list[Object]:
    """Return the customer's saved cards that the session's page offers, newest first."""
    if not session["customer"] or session["mode"] == "setup":
        return []
    shown = session["saved_payment_method_options"]["allow_redisplay_filters"]
    rows = reversed(state.table("payment_method").where("customer", session["customer"]))
    return [row for row in rows if row["type"] == "card" and row["allow_redisplay"] in shown]


def forget(state: State, session: Object, method: str) -> None:
    """Remove a saved card, as the buyer may on the page where the session allows it."""
    allows = session["saved_payment_method_options"]["payment_method_remove"] == "enabled"
    if not allows or method not in [row["id"] for row in saved(state, session)]:
        raise invalid(f"The payment method {method} cannot be removed here.", "payment_method")
    payment_methods.detach(state, method, {})


def takes(session: Object, kind: str) -> bool:
    """Return whether the session names this kind of debit, or leaves the ways to pay to Stripe and has its currency."""
    if kind in (session.get("excluded_payment_method_types") or []):
        return False
    if session["payment_method_configuration_details"] is None:
        return kind in session["payment_method_types"]
    return bool(session["currency"] == CURRENCIES[kind])


def accounts(session: Object) -> list[Account]:
    """Return the test accounts that the session's page offers."""
    named = session["payment_method_types"]
    currencies = {CURRENCIES[kind] for kind in CURRENCIES if kind in named and takes(session, kind)}
    return [account for currency in sorted(currencies) for account in debits.of_currency(currency)]


def debited(session: Object, account: Account, outcome: str | None) -> str | None:
    """Debit the account: the payment is processing if there is anything to pay, and its bank says the outcome later."""
    if not takes(session, account.kind):
        raise invalid(
            f"This Checkout Session takes no {account.kind}: it takes {', '.join(session['payment_method_types'])}.",
            "payment_method",
        )
    if outcome not in (None, "processing"):
        raise invalid("A bank debit is processing first: its outcome comes later.", "outcome")
    return None if is_free(session) else "processing"


def needs_card(session: Object) -> bool:
    """Return whether a card is needed: not if nothing is to pay and the session asks for a card only then."""
    optional = session["payment_method_collection"] == "if_required" and session["mode"] != "setup"
    return not (is_free(session) and optional)


def is_free(session: Object) -> bool:
    return not session["amount_total"]
