"""The demo's story takes subscribers through every turn of a subscription; each step checks its outcome."""

from collections import Counter
from typing import Any

from django.core.management.base import OutputWrapper

from billing import books

from . import sales
from .stage import PASSWORD, Person, Stage, StepError
from .steps import Outcome, Step
from .table import Table

__all__ = ["PASSWORD", "tell"]


def tell(stage: Stage, out: OutputWrapper) -> None:
    """Run every step, with each event delivered twice and out of order. Raises StepError at the first wrong step."""
    stage.wait_until_quiet()
    stage.new_events()
    stage.control("faults", webhooks={"duplicate": 1.0, "shuffle": 1.0})
    table = Table(out)
    for chapter, name in NAMES.items():
        person = stage.sign_up(f"{name}@example.com")
        for step in chapter(stage, person):
            step.act()
            stage.wait_until_quiet()
            _check(step, stage, person, table)
    stage.control("faults")
    table.close()
    _check_books(stage, out)


def first(stage: Stage, ada: Person) -> list[Step]:
    def refund_part() -> None:
        stage.stripe("POST", "refunds", charge=stage.last_charge(ada)["id"], amount="500")

    def renew_with_a_bad_card() -> None:
        stage.change_card(ada, "pm_card_chargeCustomerFail")
        stage.advance_past_renewal(ada)

    def pay_with_another_card() -> None:
        stage.change_card(ada, "pm_card_visa")
        stage.control(f"invoices/{stage.open_invoice(ada)}/pay")

    return [
        Step("Ada signs up", lambda: None, Outcome("free", "none", "no_subscription")),
        Step("pays at Checkout", lambda: stage.buy(ada, "pro"), Outcome("pro", "active", "active", BOUGHT)),
        Step("uses 3 generations", lambda: stage.use(ada, 3), Outcome("pro", "active", "active")),
        Step(
            "renewal is paid", lambda: stage.advance_past_renewal(ada), Outcome("pro", "active", "active", [RECEIVED])
        ),
        Step(
            "renewal is declined: grace",
            renew_with_a_bad_card,
            Outcome("pro", "past_due", "grace", [FAILED]),
        ),
        Step(
            "grace is over, a retry too",
            lambda: stage.advance(3, hours=1),
            Outcome("free", "past_due", "grace_over", [FAILED]),
        ),
        Step("pays with another card", pay_with_another_card, Outcome("pro", "active", "active", [RECOVERED])),
        Step("is refunded in part", refund_part, Outcome("pro", "active", "active", [REFUND])),
    ]


def second(stage: Stage, ben: Person) -> list[Step]:
    dispute: dict[str, Any] = {}

    def open_dispute() -> None:
        dispute.update(stage.control("disputes", charge=stage.last_charge(ben)["id"]))

    return [
        Step("Ben pays at Checkout", lambda: stage.buy(ben, "pro"), Outcome("pro", "active", "active", BOUGHT)),
        Step("disputes his payment", open_dispute, Outcome("free", "active", "hold_dispute", [DISPUTE])),
        Step(
            "the dispute is won",
            lambda: stage.control(f"disputes/{dispute['id']}", status="won"),
            Outcome("pro", "active", "active", [CLOSED]),
        ),
    ]


def third(stage: Stage, eve: Person) -> list[Step]:
    def renew_with_3d_secure() -> None:
        stage.change_card(eve, "pm_card_authenticationRequired")
        stage.advance_past_renewal(eve)

    return [
        Step(
            "Eve pays at Checkout", lambda: stage.buy(eve, "team"), Outcome("team", "trialing", "trialing", [WELCOME])
        ),
        Step("the trial ends, paid", lambda: stage.advance(15), Outcome("team", "active", "active", [RECEIVED])),
        Step(
            "renewal wants 3D Secure",
            renew_with_3d_secure,
            Outcome("team", "past_due", "grace", [ACTION]),
        ),
        Step(
            "she authenticates",
            lambda: stage.control(f"invoices/{stage.open_invoice(eve)}/pay", outcome="authenticated"),
            Outcome("team", "active", "active", [RECOVERED]),
        ),
    ]


def fourth(stage: Stage, max_: Person) -> list[Step]:
    def refund_all() -> None:
        stage.stripe("POST", "refunds", charge=stage.last_charge(max_)["id"])

    return [
        Step("Max pays at Checkout", lambda: stage.buy(max_, "pro"), Outcome("pro", "active", "active", BOUGHT)),
        Step("is refunded in full", refund_all, Outcome("free", "canceled", "canceled", sorted([REFUND, CANCELLED]))),
    ]


def fifth(stage: Stage, zoe: Person) -> list[Step]:
    def delete_customer() -> None:
        stage.stripe("DELETE", f"customers/{zoe.customer}")

    return [
        Step("Zoe pays at Checkout", lambda: stage.buy(zoe, "pro"), Outcome("pro", "active", "active", BOUGHT)),
        Step("is deleted at Stripe", delete_customer, Outcome("free", "canceled", "customer_deleted", [CANCELLED])),
    ]


RECEIVED, FAILED, REFUND = "payment_received", "payment_failed", "refund"
DISPUTE, ACTION, CANCELLED = "dispute_opened", "action_required", "subscription_cancelled"
WELCOME, RECOVERED, CLOSED = "welcome", "payment_recovered", "dispute_closed"
BOUGHT = [RECEIVED, WELCOME]
# While a chapter lets months pass, everybody before it renews; so those of the longest time come first.
NAMES = {
    sales.rise: "kim",
    first: "ada",
    third: "eve",
    sales.add_ons: "uma",
    sales.by_use: "ida",
    sales.trial: "mia",
    second: "ben",
    fourth: "max",
    fifth: "zoe",
    sales.terms: "acme",
    sales.reverse_charge: "gerda",
    sales.code: "lea",
    sales.packs: "pia",
}


def _check(step: Step, stage: Stage, person: Person, table: Table) -> None:
    state, events, mails = stage.state(person), stage.new_events(), stage.new_mails(person)
    table.row(step.title, events, state, mails)
    unprocessed = [event for event in events if event.status not in {"processed", "ignored"}]
    wanted: dict[str, Any] = {"plan": step.outcome.plan, "status": step.outcome.status, "reason": step.outcome.reason}
    wanted |= {"has_access": step.outcome.has_access, "mails": Counter(step.outcome.mails), "unprocessed": []}
    got = {name: state[name] for name in ("plan", "status", "reason", "has_access")}
    got |= {"mails": Counter(mails), "unprocessed": [f"{event.type}: {event.error_message}" for event in unprocessed]}
    wrong = [f"{name} is {got[name]!r}, should be {wanted[name]!r}" for name in wanted if got[name] != wanted[name]]
    if wrong:
        raise StepError(f"{person.email}, “{step.title}”: {'; '.join(wrong)}")


def _check_books(stage: Stage, out: OutputWrapper) -> None:
    """Compare the money of the story with Stripe's balance. Raises StepError for what the books do not explain."""
    stage.control("advance", seconds=2)
    stage.wait_until_quiet()
    stage.sync()
    done = books.reckon()
    if done.differences:
        raise StepError(f"the books do not balance: {'; '.join(map(str, done.differences))}")
    sums = "; ".join(sheet.said(currency) for currency, sheet in done.whole().items())
    out.write(f"\nThe books balance with Stripe's: {sums}.")
