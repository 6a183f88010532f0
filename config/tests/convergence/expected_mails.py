"""Mails that must have been sent, and those that may have been, by Stripe's objects and events."""

from .oracle import OPEN_DISPUTE, OVER, UNDONE, day_of_cancellation, subscription_of, time

STARTED = {"active", "trialing", "past_due", "unpaid", "paused"}
WELCOMED = {"active", "trialing"}


class Mails:
    """These are the keys of mails that must have been sent, and of those that may have been. They remember what was
    true earlier, since a mail may tell of what was.
    """

    def __init__(self):
        self.must = set()
        self.may = set()
        self.started = {}

    def learn(self, truth):
        """Learn what is true whenever all is quiet: from then on it must have been told."""
        self._payments(truth)
        self._sent(truth)
        self._refunds_and_disputes(truth)
        self._endings(truth)
        self.may |= self.must

    def _payments(self, truth):
        nothing = truth.bought_nothing()
        for invoice, (_, paid) in truth.payments().items():
            if paid > 0 and not truth.is_foreign(subscription_of(truth.invoices[invoice])):
                if nothing.get(invoice, False) is False:
                    self.must.add(f"payment_received:{invoice}")
                elif nothing[invoice] is None:
                    self.may.add(f"payment_received:{invoice}")
        for invoice, attempt in truth.failures():
            found, key = truth.invoices[invoice], f"payment_failed:{invoice}:{attempt}"
            is_first = found["billing_reason"] == "subscription_create" and not truth.is_debit(found)
            if is_first or truth.is_foreign(subscription_of(found)):
                continue
            self.may.add(key)
            is_last = found["status"] == "open" and found["attempt_count"] == attempt
            if is_last and invoice not in truth.under_way and subscription_of(found) in truth.live:
                self.must.add(key)

    def _sent(self, truth):
        """Invoices that are sent rather than charged."""
        for row in truth.invoices.values():
            if row["due_date"] and row["status"] != "draft" and not truth.is_foreign(subscription_of(row)):
                self.may |= {f"invoice_{stage}:{row['id']}" for stage in ("sent", "due_soon", "overdue")}
                is_told = row["status"] == "open" and row["id"] not in truth.under_way
                if is_told and row["customer"] not in truth.deleted:
                    self.must.add(f"invoice_{'sent' if truth.now < row['due_date'] else 'overdue'}:{row['id']}")

    def _refunds_and_disputes(self, truth):
        theirs = {row["id"] for row in truth.refunds.values() if not self._is_foreign(truth, row)}
        self.may |= {f"refund:{row}" for row in theirs}
        self.must |= {f"refund:{row}" for row in theirs if truth.refunds[row]["status"] not in UNDONE}
        for event in truth.events:
            obj = event["data"]["object"]
            is_dispute = obj["object"] == "dispute" and not obj["status"].startswith("warning_")
            if is_dispute and not self._is_foreign(truth, obj):
                self.may |= {f"dispute_opened:{obj['id']}", f"dispute_closed:{obj['id']}"}
        disputes = [row for row in truth.disputes.values() if not self._is_foreign(truth, row)]
        self.must |= {f"dispute_opened:{row['id']}" for row in disputes if row["status"] in OPEN_DISPUTE}
        self.must |= {f"dispute_closed:{row['id']}" for row in disputes if row["status"] == "won"}

    def _is_foreign(self, truth, row):
        return truth.is_foreign(truth.paid_for(row["payment_intent"]))

    def _endings(self, truth):
        for event in truth.events:
            sub = event["data"]["object"]
            if sub["object"] == "subscription" and sub["status"] in STARTED and not truth.is_foreign(sub["id"]):
                self.may |= {f"subscription_cancelled:{sub['id']}:ended", f"welcome:{sub['id']}"}
                self.may.add(self._scheduled(sub))
        for customer in list(truth.subs):
            for line, subs in truth.lines(customer).items():
                self._endings_in(truth, customer, line, subs)
        self.must.discard(None)
        self.may.discard(None)

    def _endings_in(self, truth, customer, line, subs):
        started = self.started.get((customer, line))
        self.must |= {self._ended(sub) for sub in subs if sub["id"] == started} - {None}
        current = truth.current(customer, line)
        live = [sub for sub in subs if sub["status"] not in OVER]
        is_alone = len(live) == 1 and current["status"] in STARTED and customer not in truth.deleted
        is_alone &= not truth.is_doubtful(customer, line)
        self.started[customer, line] = current["id"] if is_alone else None
        if is_alone:
            self.must.add(self._scheduled(current))
            if current["status"] in WELCOMED and customer not in truth.ever_disputed():
                self.must.add(f"welcome:{current['id']}")

    def _ended(self, sub):
        """A subscription that was the only one when all was quiet before must be told to have ended, if it has."""
        return f"subscription_cancelled:{sub['id']}:ended" if sub["status"] in OVER else None

    def _scheduled(self, sub):
        at = day_of_cancellation(sub)
        return f"subscription_cancelled:{sub['id']}:{time(at).date().isoformat()}" if at else None
