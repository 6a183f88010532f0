"""An import is planned first: which customers it links, and why it does not link others. Planning writes nothing."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from billing import catalogue, subscriptions
from billing.models import AccountDeletion, Customer, listed_subscribers
from billing.stripe_client import FIELDS, readers
from billing.sync import Reader, Stretch, count

from .matching import Listed, Pair, Pairs

READ = tuple(dict.fromkeys(path.split(".")[0] for path in FIELDS["subscription"].split()))
SUBSCRIPTIONS: dict[str, Any] = {"status": "all", "expand": ["data.default_payment_method"]}

PROBLEMS = {
    "nobody": "no subscriber matches",
    "several_subscribers": "several subscribers match this customer",
    "not_at_stripe": "not in this Stripe account: deleted there, in the other mode, or in another account",
    "deleted": "deleted at Stripe",
    "linked_to_another": "already linked to another subscriber",
    "being_deleted": "the subscriber's account is deleted or being deleted",
    "unconfirmed": "the subscriber has not confirmed this address, so anybody may have signed up with it",
    "failed": "could not be imported; the log has the error, and nothing of this customer was written",
    "joined_later": "the subscriber joined after this customer was created, and has not proved to own the address",
}


@dataclass
class Plan:
    """A plan says what an import will do. `links`: customer → subscriber's primary key. `problems`: customer, code,
    what it is about.

    `unknown_prices`: price → number of subscriptions. `subscriptions`: customer → all of them, as Stripe has them.
    """

    listed: dict[str, Listed] = field(default_factory=dict)
    links: dict[str, Any] = field(default_factory=dict)
    linked_already: dict[str, Any] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    subscriptions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    unknown_prices: Counter[str] = field(default_factory=Counter)
    written: int = 0

    def ordered(self) -> dict[str, Any]:
        """Return customer → subscriber of all that are linked. Of several of a subscriber the one comes first that
        becomes the current one: that has a live subscription, else the newest.
        """

        def place(customer: str) -> tuple[bool, int]:
            held = self.subscriptions.get(customer, [])
            lives = any(subscriptions.is_live_status(found["status"]) for found in held)
            return (not lives, -self.listed[customer].created)

        everyone = self.linked_already | self.links
        return {customer: everyone[customer] for customer in sorted(everyone, key=place)}

    def summary(self, *, is_dry: bool) -> str:
        done = "would be linked" if is_dry else "linked"
        found = [
            f"{count(len(self.listed), 'customer')} at Stripe",
            f"{len(self.links):,} {done}",
            f"{len(self.linked_already):,} already linked",
            count(len(self.problems), "problem"),
            *([f"{count(len(self.unknown_prices), 'price')} without a plan"] if self.unknown_prices else []),
            *([f"{self.written:,} marked at Stripe"] if self.written else []),
        ]
        return f"{'Dry run, nothing written' if is_dry else 'Imported'}: {', '.join(found)}."

    def as_json(self, *, is_dry: bool) -> dict[str, Any]:
        return {
            "dry_run": is_dry,
            "customers": len(self.listed),
            "links": self.links,
            "linked_already": len(self.linked_already),
            "problems": [{"customer": who, "code": code, "about": about} for who, code, about in self.problems],
            "unknown_prices": self.unknown_prices,
            "marked": self.written,
        }

    def details(self) -> list[str]:
        problems = [f"  {customer}  {PROBLEMS[code]} ({about})" for customer, code, about in sorted(self.problems)]
        prices = [
            f"  {price}  belongs to no plan, so there is no access for {count(number, 'subscription')} → add --price "
            f"{price}=<{'|'.join(catalogue.plan_slugs())}>, or ignore it if it is not a plan"
            for price, number in sorted(self.unknown_prices.items())
        ]
        return problems + prices


def draw_up(match: Pairs, tick: Any) -> Plan:
    """List the customers, match them, find reasons against each match, and read the subscriptions of the rest."""
    plan = Plan()
    for page in Reader([Stretch("/v1/customers")]):
        plan.listed |= {found["id"]: _listed(found) for found in page}
        tick(f"{len(plan.listed):,} customers")
    _sort(plan, match(plan.listed))
    _read_subscriptions(plan, tick)
    return plan


def _listed(found: dict[str, Any]) -> Listed:
    locale = (found.get("preferred_locales") or [""])[0]
    return Listed(found.get("email") or "", locale, readers.metadata_of(found), found["created"])


def _sort(plan: Plan, pairs: list[Pair]) -> None:
    by_customer: dict[str, set[Any]] = defaultdict(set)
    for pair in pairs:
        by_customer[pair.customer].add(pair.subscriber)
    here = _Here(by_customer)
    for pair in {pair.customer: pair for pair in pairs}.values():
        code, about = here.against(pair, plan.listed)
        if code:
            plan.problems.append((pair.customer, code, about))
        elif pair.customer in here.links:
            plan.linked_already[pair.customer] = pair.subscriber
        else:
            plan.links[pair.customer] = pair.subscriber


class _Here:
    """This holds the facts that our own rows have about the matched customers and subscribers."""

    def __init__(self, by_customer: dict[str, set[Any]]) -> None:
        self.by_customer = by_customer
        rows = Customer.objects.values_list("pk", "subscriber_id", "deleted_at")
        self.deleted = {pk for pk, _, deleted_at in rows if deleted_at}
        self.links = {pk: subscriber for pk, subscriber, _ in rows if subscriber is not None}
        self.being_deleted = set(AccountDeletion.objects.values_list("subscriber_id", flat=True))
        self.exist = set(listed_subscribers().values_list("pk", flat=True))

    def against(self, pair: Pair, listed: dict[str, Listed]) -> tuple[str, str]:
        """Return the code of the reason against a link, and what it is about; "" if there is none."""
        customer, subscriber = pair.customer, pair.subscriber
        linked = self.links.get(customer, subscriber)
        reasons = {
            "deleted": (customer in self.deleted, customer),
            "not_at_stripe": (customer not in listed, pair.named),
            "several_subscribers": (len(self.by_customer[customer]) > 1, pair.named),
            "nobody": (subscriber not in self.exist, pair.named),
            "linked_to_another": (linked != subscriber, f"{linked}, not {pair.named}"),
            "being_deleted": (subscriber in self.being_deleted, pair.named),
        }
        if pair.doubt:
            reasons[pair.doubt] = (customer not in self.links, pair.named)
        return next(((code, about) for code, (is_so, about) in reasons.items() if is_so), ("", ""))


def _read_subscriptions(plan: Plan, tick: Any) -> None:
    """Keep the subscriptions of each customer that is or will be linked; keep nothing of the others."""
    wanted, read = plan.links.keys() | plan.linked_already.keys(), 0
    for page in Reader([Stretch("/v1/subscriptions", SUBSCRIPTIONS)]):
        for found in page:
            if found["customer"] in wanted:
                _keep(plan, {name: found[name] for name in READ if name in found})
        read += len(page)
        tick(f"{len(plan.listed):,} customers, {read:,} subscriptions")


def _keep(plan: Plan, found: dict[str, Any]) -> None:
    if subscriptions.is_live_status(found["status"]) and not catalogue.is_plan(found["items"]["data"]):
        plan.unknown_prices.update(item["price"]["id"] for item in found["items"]["data"])
    plan.subscriptions.setdefault(found["customer"], []).append(found)
