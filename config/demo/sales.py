"""These chapters of the demo's story sell as businesses sell: on terms, by code, in trials, each quarter, and once."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from billing import clock, usage
from billing.cadence import Cadence
from billing.catalogue import PlanDefinition
from billing.lifecycle import agreements, customers, price_moves
from billing.models import Code, Plan, PlanLimit, Price, Purchase, TaxId
from billing.setup import publishing_overage

from .stage import Person, Stage, StepError
from .steps import Outcome, Step

RECEIVED, REFUND, WELCOME = "payment_received", "refund", "welcome"
BOUGHT = [RECEIVED, WELCOME]


def terms(stage: Stage, acme: Person) -> list[Step]:
    """A company pays by invoice, thirty days after it was sent."""

    def agree() -> None:
        user = get_user_model().objects.get(email=acme.email)
        agreed = agreements.start(
            user, key="demo", plan="team", amount=5_000, quantity=10, days_until_due=30, po_number="4711"
        )
        acme.customer, acme.subscription = agreed.customer_id or "", agreed.subscription_id

    return [
        Step("Acme agrees on terms", agree, Outcome("team", "active", "active", ["invoice_sent", WELCOME])),
        Step(
            "pays its invoice",
            lambda: stage.control(f"invoices/{stage.open_invoice(acme)}/pay", payment_method="pm_card_visa"),
            Outcome("team", "active", "active", [RECEIVED]),
        ),
    ]


def reverse_charge(stage: Stage, gerda: Person) -> list[Step]:
    """A German company buys on terms from a Dutch seller: it has a VAT ID, so it owes the tax itself."""

    def agree() -> None:
        stage.control(
            "tax", country="NL", rates=[{"country": "NL", "percentage": 21}, {"country": "DE", "percentage": 19}]
        )
        user = get_user_model().objects.get(email=gerda.email)
        gerda.customer = customers.customer_for(user, "eur").pk
        address = {"address[city]": "Berlin", "address[country]": "DE", "address[postal_code]": "10115"}
        stage.stripe("POST", f"customers/{gerda.customer}", name="Gerda GmbH", **address)
        vat_id = stage.stripe("POST", f"customers/{gerda.customer}/tax_ids", type="eu_vat", value="DE123456789")["id"]
        stage.control(f"tax_ids/{vat_id}", status="verified")
        with taxed():
            agreed = agreements.start(
                user, key="demo:gerda", plan="team", amount=4_500, currency="eur", quantity=5, days_until_due=14
            )
        gerda.subscription = agreed.subscription_id

    def read_invoice() -> None:
        [invoice] = stage.api("GET", "/subscriptions/invoices", None, gerda)["invoices"]
        told = invoice["net"]["amount"], invoice["tax"]["amount"], invoice["reverse_charge"]
        stage.check(told == (22_500, 0, True), f"the invoice says {told}, not a reverse charge of 22500")
        [vat_id] = TaxId.objects.filter(customer=gerda.customer)
        stage.check(vat_id.status == TaxId.Status.VERIFIED, f"the VAT ID is {vat_id.status}, not verified")

    return [
        Step("Gerda GmbH, VAT ID, on terms", agree, Outcome("team", "active", "active", ["invoice_sent", WELCOME])),
        Step("reads: reverse charge", read_invoice, Outcome("team", "active", "active")),
    ]


@contextmanager
def taxed() -> Iterator[None]:
    """Sell with Stripe Tax meanwhile; the rest of the story is told without tax."""
    before = getattr(settings, "BILLING_TAX", {})
    settings.BILLING_TAX = {"automatic": True, "behavior": "exclusive"}
    try:
        yield
    finally:
        settings.BILLING_TAX = before


def trial(stage: Stage, mia: Person) -> list[Step]:
    """A trial without a card pauses at its end, and is taken up again."""

    def begin() -> None:
        Plan.objects.filter(slug="team").update(trial_without_card="pause")
        stage.buy(mia, "team", card="")
        Plan.objects.filter(slug="team").update(trial_without_card="")

    def take_up() -> None:
        stage.change_card(mia, "pm_card_visa")
        stage.wait_until_quiet()
        stage.api("POST", "/subscriptions/resume", {}, mia)

    return [
        Step("Mia tries without a card", begin, Outcome("team", "trialing", "trialing", [WELCOME])),
        Step(
            "the trial ends: paused", lambda: stage.advance(15), Outcome("free", "paused", "paused", ["trial_paused"])
        ),
        Step("adds a card, goes on", take_up, Outcome("team", "active", "active", ["access_restored", RECEIVED])),
    ]


def code(stage: Stage, lea: Person) -> list[Step]:
    """A link brings a code, which is preset at Checkout."""

    def buy() -> None:
        coupon = stage.stripe("POST", "coupons", percent_off="20", duration="repeating", duration_in_months="3")["id"]
        stage.stripe(
            "POST", "promotion_codes", **{"promotion[type]": "coupon", "promotion[coupon]": coupon, "code": "SPRING20"}
        )
        stage.buy(lea, "pro", promotion_code="spring20")
        paid = stage.last_charge(lea)["amount"]
        stage.check(paid == 1600, f"the first payment was {paid}, not 20 % less than 2000")

    return [Step("Lea buys with a code", buy, Outcome("pro", "active", "active", BOUGHT))]


def rise(stage: Stage, kim: Person) -> list[Step]:
    """Somebody pays each quarter, and is told of a higher price in time."""
    prices: dict[str, str] = {}

    def price_of(amount: str) -> str:
        product = Price.objects.get(lookup_key="pro_month").product
        made = stage.stripe(
            "POST",
            "prices",
            **{
                "product": product,
                "currency": "usd",
                "unit_amount": amount,
                "recurring[interval]": "month",
                "recurring[interval_count]": "3",
                "lookup_key": "pro_3_month",
                "transfer_lookup_key": "true",
            },
        )
        stage.wait_until_quiet()
        return str(made["id"])

    def buy() -> None:
        prices["old"] = price_of("5400")
        stage.buy(kim, "pro", interval_count=3)

    def announce() -> None:
        prices["new"] = price_of("6000")
        call_command("move_price", prices["old"], prices["new"], "--at-renewal", verbosity=0, stdout=StringIO())

    def renew() -> None:
        stage.advance_to_renewal(kim, hours=-12)
        stage.wait_until_quiet()
        price_moves.each_minute()  # the worker does, each minute of a real clock
        stage.wait_until_quiet()
        stage.advance_to_renewal(kim, hours=2)
        stage.wait_until_quiet()
        paid = stage.last_charge(kim)["amount"]
        stage.check(paid == 6000, f"the renewal charged {paid}, not the new price 6000")

    return [
        Step("Kim pays each quarter", buy, Outcome("pro", "active", "active", BOUGHT)),
        Step("is told of a higher price", announce, Outcome("pro", "active", "active", ["price_change"])),
        Step("renews at the new price", renew, Outcome("pro", "active", "active", [RECEIVED])),
    ]


def packs(stage: Stage, pia: Person) -> list[Step]:
    """Somebody buys credits once, gets half of the money back, and redeems a code for good."""

    def left() -> Any:
        return stage.state(pia)["usage"]["generations"]["credits"]

    def buy() -> None:
        session = stage.api("POST", "/purchases/checkout", {"pack": "credits_1000"}, pia)["session_id"]
        stage.control(f"checkout/{session}/complete")
        stage.wait_until_quiet()
        pia.customer = Purchase.objects.get(session_id=session).customer_id
        stage.check(left() == 1000, f"{left()} credits were delivered, not 1000")

    def use() -> None:
        stage.use(pia, 10 + 100)
        stage.check(left() == 900, f"{left()} credits are left, not 900")

    def refund_half() -> None:
        stage.stripe("POST", "refunds", charge=stage.last_charge(pia)["id"], amount="750")
        stage.wait_until_quiet()
        stage.check(left() == 400, f"{left()} credits are left after half was refunded, not 400")

    def redeem() -> None:
        team = Plan.objects.get(slug="team")
        Code.objects.create(code="LIFETIME", batch="demo", plan=team, made_at=clock.now())
        stage.api("POST", "/redemptions", {"code": "life-time"}, pia)

    return [
        Step("Pia buys 1,000 credits", buy, Outcome("free", "none", "no_subscription", ["pack_delivered", RECEIVED])),
        Step("uses 110 generations", use, Outcome("free", "none", "no_subscription")),
        Step(
            "is refunded one half", refund_half, Outcome("free", "none", "no_subscription", ["pack_reversed", REFUND])
        ),
        Step("redeems a code for good", redeem, Outcome("team", "none", "grant")),
    ]


def add_ons(stage: Stage, uma: Person) -> list[Step]:
    """Somebody buys a plan with an add-on, wants two more of it, and later one fewer."""
    path = "/subscriptions/add-ons/extra"

    def limit() -> Any:
        return stage.state(uma)["usage"]["generations"]["limit"]

    def buy() -> None:
        stage.buy(uma, "pro", add_ons=[{"slug": "extra", "quantity": 1}])
        stage.wait_until_quiet()
        stage.check(limit() == 1500, f"the limit is {limit()}, not 1000 + 500")

    def more() -> None:
        shown = stage.api("POST", "/subscriptions/add-ons/preview", {"slug": "extra", "quantity": 3}, uma)
        stage.api("PUT", path, {"quantity": 3, "proration_date": shown["proration_date"]}, uma)
        paid, foreseen = stage.last_charge(uma)["amount"], shown["amount_due"]["amount"]
        stage.check(paid == foreseen > 0, f"{paid} was charged, and {foreseen} was foreseen")
        stage.check(limit() == 2500, f"the limit is {limit()}, not 1000 + 3 × 500")

    def fewer() -> None:
        stage.api("PUT", path, {"quantity": 2}, uma)
        stage.check(limit() == 2500, f"the limit is {limit()} before the period is over")
        stage.advance_to_renewal(uma, hours=2)
        stage.wait_until_quiet()
        paid = stage.last_charge(uma)["amount"]
        stage.check(paid == 2000 + 2 * 800, f"the renewal charged {paid}, not the plan and two add-ons")
        stage.check(limit() == 2000, f"the limit is {limit()}, not 1000 + 2 × 500")

    return [
        Step("Uma buys Pro and an add-on", buy, Outcome("pro", "active", "active", BOUGHT)),
        Step("adds two more of it", more, Outcome("pro", "active", "active", [RECEIVED])),
        Step("has one fewer, and renews", fewer, Outcome("pro", "active", "active", [RECEIVED])),
    ]


def by_use(stage: Stage, ida: Person) -> list[Step]:
    """Somebody goes on beyond the limit of their plan, up to a cap, and is billed for it."""

    def buy() -> None:
        definition = PlanDefinition("api", "API", 3, limits={"generations": 100}, prices={"month": {"usd": 2_900}})
        plan = Plan.objects.create(slug=definition.slug, **definition.columns)
        PlanLimit.objects.create(plan=plan, feature="generations", quantity=100, overage={"usd": "2"})
        product = stage.stripe("POST", "products", name="API")["id"]
        price = {"product": product, "currency": "usd", "unit_amount": "2900", "recurring[interval]": "month"}
        stage.stripe("POST", "prices", **price, lookup_key="api_month")
        publishing_overage.publish_these(
            [publishing_overage.Wanted(definition, "generations", Cadence("month"), {"usd": "2"})]
        )
        stage.wait_until_quiet()
        stage.buy(ida, "api")

    def use() -> None:
        stage.use(ida, 150)
        told = stage.api("PUT", "/spending", {"amount": 100}, ida)
        stage.check(told["formatted"] == "$1.00", f"50 uses beyond the limit cost {told['formatted']}, not $1.00")
        stage.check(not _is_counted(stage, ida), "a use beyond the cap was counted")
        usage.each_minute()  # the worker does, each minute of a real clock

    def renew() -> None:
        stage.advance_past_renewal(ida)
        stage.wait_until_quiet()
        paid = stage.last_charge(ida)["amount"]
        stage.check(paid == 2900 + 50 * 2, f"the renewal charged {paid}, not 2900 and 100 for 50 uses")

    return [
        Step("Ida buys a plan by use", buy, Outcome("api", "active", "active", BOUGHT)),
        Step("goes on beyond its limit", use, Outcome("api", "active", "active", ["spend_cap_reached"])),
        Step("is billed for it", renew, Outcome("api", "active", "active", [RECEIVED])),
    ]


def _is_counted(stage: Stage, person: Person) -> bool:
    try:
        stage.use(person, 1)
    except StepError as refused:
        return "spend_cap_reached" not in str(refused)
    return True
