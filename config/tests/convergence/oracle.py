"""The oracle works out what must be true of a subscriber from Stripe's objects and events alone; none of billing's code
is used.

`Truth` is taken when all is quiet. `Mails` remembers what earlier ones said, since a mail may tell of what was.
"""

from collections import defaultdict
from datetime import UTC, datetime

DAY = 86_400
GRACE = 3 * DAY
OVER = {"canceled", "incomplete_expired"}
PLANS = ["free", "pro", "team"]
LIVELIEST_FIRST = ["active", "trialing", "past_due", "unpaid", "paused", "incomplete"]
STARTED = {"active", "trialing", "past_due", "unpaid", "paused"}
WELCOMED = {"active", "trialing"}
UNDONE = {"failed", "canceled"}
OPEN_DISPUTE = {"needs_response", "under_review"}
HOLDS_ACCESS = {*OPEN_DISPUTE, "lost"}
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

    def __init__(self, stripe, events):
        self.now = stripe.now()
        self.events = events
        self.subs = defaultdict(list)
        self.invoices = {row["id"]: row for row in stripe.all("invoices")}
        self.charges = {row["id"]: row for row in stripe.all("charges")}
        self.refunds = {row["id"]: row for row in stripe.all("refunds")}
        self.disputes = {row["id"]: row for row in stripe.all("disputes")}
        self.links = {row["payment"].get("payment_intent"): row["invoice"] for row in stripe.all("invoice_payments")}
        self.emails = {row["id"]: row["email"] for row in stripe.all("customers")}
        self.deleted = {event["data"]["object"]["id"] for event in self.events if event["type"] == "customer.deleted"}
        for sub in self._subscriptions(stripe):
            self.subs[sub["customer"]].append(sub)

    def _subscriptions(self, stripe):
        """As Stripe lists them; those of deleted customers as their last event shows them."""
        last = {}
        for event in self.events:
            obj = event["data"]["object"]
            if obj["object"] == "subscription" and event["type"] != "customer.subscription.trial_will_end":
                last[obj["id"]] = obj
        return (last | {sub["id"]: sub for sub in stripe.all("subscriptions", status="all")}).values()

    def current(self, customer):
        """The subscription that gives most from now on; with none alive the one that ended last."""
        live = [sub for sub in self.subs[customer] if sub["status"] not in OVER]
        if live:
            return max(live, key=self._worth)
        return max(self.subs[customer], key=lambda s: (s["ended_at"] or 0, s["start_date"], s["id"]), default=None)

    def _worth(self, sub):
        """Access today, after its scheduled end, the plan's rank, a status in order, the newest."""
        rank = PLANS.index(sub["items"]["data"][0]["price"]["lookup_key"].partition("_")[0])
        newest = (sub["start_date"], sub["id"])
        if self._is_paid_for(sub):
            return (1, day_of_cancellation(sub) is None, rank, sub["status"] != "past_due", *newest)
        return (0, True, -LIVELIEST_FIRST.index(sub["status"]), rank, *newest)

    def _is_paid_for(self, sub):
        if sub["status"] == "past_due":
            since = self._past_due_since(sub)
            return since is not None and self.now < since + GRACE
        return sub["status"] in {"active", "trialing"}

    def state(self, customer):
        """The columns of the subscriber's row."""
        sub = self.current(customer)
        if sub is None:
            return {"stripe_id": "", "status": "none"}
        item = sub["items"]["data"][0]
        return {
            "stripe_id": sub["id"],
            "status": sub["status"],
            "price_id": item["price"]["id"],
            "plan__slug": item["price"]["lookup_key"].partition("_")[0],
            "quantity": item["quantity"],
            "currency": sub["currency"],
            "current_period_start": time(item["current_period_start"]),
            "current_period_end": time(item["current_period_end"]),
            "trial_end": time(sub["trial_end"]),
            "cancel_at": time(day_of_cancellation(sub)),
            "ended_at": time(sub["ended_at"]),
        }

    def has_access(self, customer):
        """Decide access by the policies of the house; None in the one case that Stripe's objects do not decide."""
        sub = self.current(customer)
        if sub is None or customer in self.deleted or self._is_held(sub):
            return False
        if sub["status"] == "past_due":
            since = self._past_due_since(sub)
            return None if since is None else self.now < since + GRACE
        return sub["status"] in {"active", "trialing"}

    def _past_due_since(self, sub):
        mine = [invoice for invoice in self.invoices.values() if subscription_of(invoice) == sub["id"]]
        paid = max((invoice["created"] for invoice in mine if invoice["status"] == "paid"), default=0)
        unpaid = [invoice for invoice in mine if invoice["status"] == "open" and invoice["created"] > paid]
        return min((i["due_date"] or i["status_transitions"]["finalized_at"] for i in unpaid), default=None)

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
        return {self.paid_for(intent): cause for intent, cause in lost + refunded if self.paid_for(intent)}

    def ever_disputed(self):
        """Return the customers of disputes: a hold may have come before the welcome, which is not said meanwhile."""
        return {self.charges[row["charge"]]["customer"] for row in self.disputes.values()}

    def came_beside_another(self, customer, identifier):
        """Return whether an older subscription was still alive when this one began."""
        mine = next((sub for sub in self.subs[customer] if sub["id"] == identifier), None)
        others = [sub for sub in self.subs[customer] if sub["id"] != identifier]
        return mine is not None and any(
            other["created"] <= mine["created"] <= (other["ended_at"] or mine["created"]) for other in others
        )

    def _period_given_back(self, charge):
        """Return the invoice that began the period for which all was given back as this charge was refunded, or ""."""
        invoice = self.invoices.get(self.links.get(charge["payment_intent"]))
        mine = [row for row in self.refunds.values() if row["charge"] == charge["id"] and row["status"] not in UNDONE]
        if not invoice or not mine or not subscription_of(invoice):
            return ""
        at = max(row["created"] for row in mine)
        paid = [
            row for row in self.invoices.values()
            if row["status"] == "paid" and subscription_of(row) == subscription_of(invoice) and _covers(row, at)
        ]  # fmt: skip
        ids, cost = {row["id"] for row in paid}, sum(max(row["total"], 0) for row in paid)
        back = [row for row in self.refunds.values() if row["status"] not in UNDONE]
        back += [row for row in self.disputes.values() if row["status"] == "lost"]
        given = sum(row["amount"] for row in back if self.links.get(row["payment_intent"]) in ids)
        return min(paid, key=lambda row: (row["created"], row["id"]))["id"] if 0 < cost <= given else ""

    # Facts

    def payments(self):
        """Invoice → customer and amount, of each that an event called paid."""
        paid = {event["data"]["object"]["id"] for event in self.events if event["type"] == "invoice.paid"}
        return {i: (self.invoices[i]["customer"], self.invoices[i]["amount_paid"]) for i in paid}

    def failures(self):
        """(invoice, attempt) → customer and what was due."""
        tried = [event["data"]["object"] for event in self.events if event["type"] in REFUSED]
        return {(i["id"], i["attempt_count"]): (i["customer"], i["amount_remaining"]) for i in tried}


def _covers(invoice, at):
    """Whether the lines that bill an item, but for what is over when the invoice is made, span a moment."""
    lines = [row for row in invoice["lines"]["data"] if (row.get("parent") or {}).get("subscription_item_details")]
    spans = [line["period"] for line in lines]
    spans = [span for span in spans if span["end"] > invoice["created"]] or spans
    return bool(spans) and min(s["start"] for s in spans) <= at < max(s["end"] for s in spans)


class Mails:
    """These are the keys of mails that must have been sent, and of those that may have been."""

    def __init__(self):
        self.must = set()
        self.may = set()
        self.started = {}

    def learn(self, truth):
        """Learn what is true whenever all is quiet: from then on it must have been told."""
        self._payments(truth)
        self._refunds_and_disputes(truth)
        self._endings(truth)
        self.may |= self.must

    def _payments(self, truth):
        self.must |= {f"payment_received:{invoice}" for invoice, (_, paid) in truth.payments().items() if paid > 0}
        for invoice, attempt in truth.failures():
            found, key = truth.invoices[invoice], f"payment_failed:{invoice}:{attempt}"
            if found["billing_reason"] == "subscription_create":
                continue
            self.may.add(key)
            if found["status"] == "open" and found["attempt_count"] == attempt:
                self.must.add(key)

    def _refunds_and_disputes(self, truth):
        self.may |= {f"refund:{row}" for row in truth.refunds}
        self.must |= {f"refund:{row['id']}" for row in truth.refunds.values() if row["status"] not in UNDONE}
        for event in truth.events:
            obj = event["data"]["object"]
            if obj["object"] == "dispute" and not obj["status"].startswith("warning_"):
                self.may |= {f"dispute_opened:{obj['id']}", f"dispute_closed:{obj['id']}"}
        self.must |= {f"dispute_opened:{d['id']}" for d in truth.disputes.values() if d["status"] in OPEN_DISPUTE}
        self.must |= {f"dispute_closed:{d['id']}" for d in truth.disputes.values() if d["status"] == "won"}

    def _endings(self, truth):
        for event in truth.events:
            sub = event["data"]["object"]
            if sub["object"] == "subscription" and sub["status"] in STARTED:
                self.may |= {f"subscription_cancelled:{sub['id']}:ended", f"welcome:{sub['id']}"}
                self.may.add(self._scheduled(sub))
        for customer, subs in truth.subs.items():
            self.must |= {self._ended(sub) for sub in subs if sub["id"] == self.started.get(customer)} - {None}
            current = truth.current(customer)
            live = [sub for sub in subs if sub["status"] not in OVER]
            is_alone = len(live) == 1 and current["status"] in STARTED and customer not in truth.deleted
            self.started[customer] = current["id"] if is_alone else None
            if is_alone:
                self.must.add(self._scheduled(current))
                if current["status"] in WELCOMED and customer not in truth.ever_disputed():
                    self.must.add(f"welcome:{current['id']}")
        self.must.discard(None)
        self.may.discard(None)

    def _ended(self, sub):
        """A subscription that was the only one when all was quiet before must be told to have ended, if it has."""
        return f"subscription_cancelled:{sub['id']}:ended" if sub["status"] in OVER else None

    def _scheduled(self, sub):
        at = day_of_cancellation(sub)
        return f"subscription_cancelled:{sub['id']}:{time(at).date().isoformat()}" if at else None
