"""The oracle works out what must be true of a subscriber from Stripe's objects and events alone; none of billing's code
is used. `Truth` is taken when all is quiet.
"""

from collections import Counter, defaultdict
from datetime import UTC, datetime

from .plans import SLUGS

DAY = 86_400
GRACE, GRACE_OF_DEBITS = 3 * DAY, 14 * DAY
DEBIT = "us_bank_account"
OVER = {"canceled", "incomplete_expired"}
LIVELIEST_FIRST = ["active", "trialing", "past_due", "unpaid", "paused", "incomplete"]
UNDONE = {"failed", "canceled"}
OPEN_DISPUTE = {"needs_response", "under_review"}
HOLDS_ACCESS = {*OPEN_DISPUTE, "lost"}
ATTEMPT = "billing_attempt"  # in the metadata of what our Checkout sells
REFUSED = {"invoice.payment_failed", "invoice.payment_action_required"}


def time(seconds):
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def day_of_cancellation(sub):
    """Return when it will end by somebody's wish, in Stripe's seconds."""
    if sub["ended_at"]:
        return None
    at_the_end = sub["items"]["data"][0]["current_period_end"] if sub["cancel_at_period_end"] else None
    return sub["cancel_at"] or at_the_end


def subscription_of(invoice):
    return (((invoice.get("parent") or {}).get("subscription_details")) or {}).get("subscription")


class Truth:
    """All of Stripe at one moment, by customer. `events` are all there ever were, oldest first."""

    def __init__(self, world, events):
        stripe = world.stripe
        self.world = world
        self.now = stripe.now()
        self.events = events
        self.subs = defaultdict(list)
        self.invoices = {row["id"]: row for row in stripe.all("invoices")}
        self.charges = {row["id"]: row for row in stripe.all("charges")}
        self.refunds = {row["id"]: row for row in stripe.all("refunds")}
        self.disputes = {row["id"]: row for row in stripe.all("disputes")}
        self.links = {row["payment"].get("payment_intent"): row["invoice"] for row in stripe.all("invoice_payments")}
        self.emails = {row["id"]: row["email"] for row in stripe.all("customers")}
        intents = {row["id"]: row for row in stripe.all("payment_intents")}
        self.under_way = {self.links.get(i) for i, row in intents.items() if row["status"] == "processing"}
        self.first_failures = self._first_failures()
        self.deleted = {event["data"]["object"]["id"] for event in self.events if event["type"] == "customer.deleted"}
        for sub in self._subscriptions(stripe):
            self.subs[sub["customer"]].append(sub)
        self.live = {s["id"] for subs in self.subs.values() for s in subs if s["status"] not in OVER}
        self.foreign = {s["id"] for subs in self.subs.values() for s in subs if world.whose(s) == "foreign"}

    def _subscriptions(self, stripe):
        """As Stripe lists them; those of deleted customers as their last event shows them."""
        last = {}
        for event in self.events:
            obj = event["data"]["object"]
            if obj["object"] == "subscription" and event["type"] != "customer.subscription.trial_will_end":
                last[obj["id"]] = obj
        return (last | {sub["id"]: sub for sub in stripe.all("subscriptions", status="all")}).values()

    def _first_failures(self):
        """Invoice → when it was first refused."""
        first = {}
        for event in self.events:
            if event["type"] in REFUSED:
                first.setdefault(event["data"]["object"]["id"], event["created"])
        return first

    def lines(self, customer):
        """Line → the subscriptions in it, by what they are of now."""
        found = defaultdict(list)
        for sub in self.subs[customer]:
            if line := self.world.line_of(sub):
                found[line].append(sub)
        return found

    def is_foreign(self, identifier):
        """Whether a subscription is of another product; a payment without one is not."""
        return identifier in self.foreign

    def is_doubtful(self, customer, line):
        """Whether a price that no plan knows is among them: what it gives depends on what we saw before."""
        return any(self.world.whose(sub) == "unknown" for sub in self.lines(customer)[line])

    def current(self, customer, line):
        """The subscription of a line that gives most from now on; with none alive the one that ended last."""
        mine = self.lines(customer)[line]
        live = [sub for sub in mine if sub["status"] not in OVER]
        if live:
            return max(live, key=self._worth)
        return max(mine, key=lambda s: (s["ended_at"] or 0, s["start_date"], s["id"]), default=None)

    def _worth(self, sub):
        """Access today, after its scheduled end, the plan's rank, a status in order, the newest."""
        rank = SLUGS.index(self.world.plan_of(sub))
        newest = (sub["start_date"], sub["id"])
        if self._is_paid_for(sub):
            return (1, day_of_cancellation(sub) is None, rank, sub["status"] != "past_due", *newest)
        return (0, True, -LIVELIEST_FIRST.index(sub["status"]), rank, *newest)

    def _is_paid_for(self, sub):
        if sub["status"] == "past_due":
            return bool(self._is_in_grace(sub))
        return sub["status"] in {"active", "trialing"}

    def state(self, customer, line):
        """The columns of the row that counts in a line."""
        sub = self.current(customer, line)
        item = sub["items"]["data"][0]
        return {
            "stripe_id": sub["id"],
            "status": sub["status"],
            "price_id": item["price"]["id"],
            "plan__slug": self.world.plan_of(sub),
            "quantity": item["quantity"],
            "currency": sub["currency"],
            "current_period_start": time(item["current_period_start"]),
            "current_period_end": time(item["current_period_end"]),
            "trial_end": time(sub["trial_end"]),
            "cancel_at": time(day_of_cancellation(sub)),
            "ended_at": time(sub["ended_at"]),
        }

    def has_access(self, customer, line):
        """Decide access by the policies of the house; None where Stripe's objects do not decide."""
        sub = self.current(customer, line)
        if sub is None or customer in self.deleted or self._is_held(sub):
            return False
        if self.is_doubtful(customer, line):
            return None
        if sub["status"] == "past_due":
            return self._is_in_grace(sub)
        return sub["status"] in {"active", "trialing"}

    def _is_in_grace(self, sub):
        """Whether grace lasts that the oldest open invoice began, which is newer than what was paid last; None without
        one.
        """
        mine = [invoice for invoice in self.invoices.values() if subscription_of(invoice) == sub["id"]]
        paid = max((invoice["created"] for invoice in mine if invoice["status"] == "paid"), default=0)
        unpaid = [invoice for invoice in mine if invoice["status"] == "open" and invoice["created"] > paid]
        if not unpaid:
            return None
        first = min(unpaid, key=self._grace_begins)
        return self.now < self._grace_begins(first) + (GRACE_OF_DEBITS if self.is_debit(first) else GRACE)

    def _grace_begins(self, invoice):
        failed = self.first_failures.get(invoice["id"])
        return invoice["due_date"] or failed or invoice["status_transitions"]["finalized_at"]

    def is_debit(self, invoice):
        """Whether the first try to pay an invoice was a debit of a bank account."""
        intents = {intent for intent, paid in self.links.items() if paid == invoice["id"]}
        tries = [row for row in self.charges.values() if row["payment_intent"] in intents]
        first = min(tries, key=lambda row: row["created"], default=None)
        return not invoice["due_date"] and first is not None and first["payment_method_details"]["type"] == DEBIT

    def _is_held(self, sub):
        disputed = (row for row in self.disputes.values() if row["status"] in HOLDS_ACCESS)
        return any(self.paid_for(row["payment_intent"]) == sub["id"] for row in disputed)

    def paid_for(self, intent):
        """The subscription that a payment intent paid an invoice of."""
        invoice = self.invoices.get(self.links.get(intent))
        return subscription_of(invoice) if invoice else None

    def must_be_over(self):
        """Subscriptions nobody may be billed for any more, each with why: a dispute lost, a period given back."""
        lost = [(row["payment_intent"], row["id"]) for row in self.disputes.values() if row["status"] == "lost"]
        refunded = [(c["payment_intent"], self._period_given_back(c)) for c in self.charges.values()]
        refunded = [(intent, period) for intent, period in refunded if period]
        causes = {self.paid_for(intent): cause for intent, cause in lost + refunded}
        return {sub: cause for sub, cause in causes.items() if sub and not self.is_foreign(sub)}

    def bought_nothing(self):
        """Invoices paid when their subscription had ended; None in place of each paid in the second of the end."""
        found = {}
        for subs in self.subs.values():
            ended = {sub["id"]: sub["ended_at"] for sub in subs if sub["ended_at"] and not self.is_foreign(sub["id"])}
            for row in self.invoices.values():
                end = ended.get(subscription_of(row))
                if row["status"] == "paid" and end and not row["due_date"] and row["created"] <= end:
                    paid = row["status_transitions"]["paid_at"]
                    found[row["id"]] = None if end in {paid, row["created"]} else paid > end
        return found

    def ever_disputed(self):
        """Return the customers of disputes: a hold may have come before the welcome, which is not said meanwhile."""
        return {self.charges[row["charge"]]["customer"] for row in self.disputes.values()}

    def came_beside_another(self, customer, identifier):
        """Whether our Checkout sold this one while another that it sold in the line within a day was alive."""
        mine = next((sub for sub in self.subs[customer] if sub["id"] == identifier), None)
        if mine is None or ATTEMPT not in mine["metadata"]:
            return False
        others = [sub for sub in self.lines(customer)[self.world.line_of(mine)] if ATTEMPT in sub["metadata"]]
        return any(
            other["created"] <= (mine["ended_at"] or mine["created"])
            and mine["created"] <= (other["ended_at"] or mine["created"])
            and abs(other["created"] - mine["created"]) <= DAY
            for other in others
            if other is not mine
        )

    def _period_given_back(self, charge):
        """Return the invoice that began the period for which all was given back as this charge was refunded, or "".
        What was paid for more of the same period later was not given back with it.
        """
        invoice = self.invoices.get(self.links.get(charge["payment_intent"]))
        mine = [row for row in self.refunds.values() if row["charge"] == charge["id"] and row["status"] not in UNDONE]
        if not invoice or not mine or not subscription_of(invoice):
            return ""
        at = max(row["created"] for row in mine)
        mine_too = [
            (row, span) for row in self.invoices.values()
            if row["status"] == "paid" and subscription_of(row) == subscription_of(invoice) and (span := _span(row))
        ]  # fmt: skip
        end = max((end for _, (start, end) in mine_too if start <= at < end), default=at)
        paid = [row for row, (start, ends) in mine_too if start < end and ends > at]
        ids, cost = {row["id"] for row in paid}, sum(max(row["total"], 0) for row in paid)
        back = [row for row in self.refunds.values() if row["status"] not in UNDONE]
        back += [row for row in self.disputes.values() if row["status"] == "lost"]
        given = sum(row["amount"] for row in back if self.links.get(row["payment_intent"]) in ids)
        return min(paid, key=lambda row: (row["created"], row["id"]))["id"] if 0 < cost <= given else ""

    def shapes(self):
        """How often there was what is seldom."""
        whose = Counter(self.world.whose(sub) for subs in self.subs.values() for sub in subs)
        beside = sum(len(subs) > 1 for customer in list(self.subs) for subs in self.lines(customer).values())
        return Counter(
            {
                "with two lines": sum(len(self.lines(customer)) > 1 for customer in list(self.subs)),
                "foreign": whose["foreign"],
                "of unknown price": whose["unknown"],
                "beside another": beside,
                "invoices sent": sum(bool(row["due_date"]) for row in self.invoices.values()),
                "debits refused": sum(
                    row["payment_method_details"]["type"] == DEBIT and row["status"] == "failed"
                    for row in self.charges.values()
                ),
                "prices replaced": len(self.world.replaced),
                "paid for nothing": sum(bool(is_so) for is_so in self.bought_nothing().values()),
            }
        )

    # Facts

    def payments(self):
        """Invoice → customer and amount, of each that an event called paid."""
        paid = {event["data"]["object"]["id"] for event in self.events if event["type"] == "invoice.paid"}
        return {i: (self.invoices[i]["customer"], self.invoices[i]["amount_paid"]) for i in paid}

    def failures(self):
        """(invoice, attempt) → customer and what was due."""
        tried = [event["data"]["object"] for event in self.events if event["type"] in REFUSED]
        return {(i["id"], i["attempt_count"]): (i["customer"], i["amount_remaining"]) for i in tried}


def _span(invoice):
    """The time that the lines bill which bill an item, but for what is over when the invoice is made; None for none."""
    lines = [row for row in invoice["lines"]["data"] if (row.get("parent") or {}).get("subscription_item_details")]
    spans = [line["period"] for line in lines]
    spans = [span for span in spans if span["end"] > invoice["created"]] or spans
    return (min(s["start"] for s in spans), max(s["end"] for s in spans)) if spans else None
