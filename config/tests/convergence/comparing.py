"""Ours beside Stripe's: every difference in a sentence, by the customer it is about ("" for nobody in particular)."""

from collections import Counter

from django.db.models import F
from django_q.models import OrmQ

from billing import access
from billing.models import (
    AnnouncedAccess,
    Customer,
    Dispute,
    Invoice,
    Lane,
    Payment,
    PaymentFailure,
    Refund,
    StripeEvent,
    StripeWrite,
    Subscription,
)
from notifications.models import Mail

from . import mailbox
from .oracle import OVER, UNDONE, subscription_of

TOLD_KINDS = (
    "welcome",
    "payment_received",
    "payment_recovered",
    "payment_failed",
    "action_required",
    "dispute_opened",
    "dispute_closed",
    "refund",
    "subscription_cancelled",
    "invoice_sent",
    "invoice_due_soon",
    "invoice_overdue",
)
HANDED_OVER = ("sent", "unconfirmed")


def differences(truth, mails, spared, folder):
    """(customer, sentence) of each. `spared`: subscription → since when its period was not given back as a whole."""
    return [
        *unfinished(truth),
        *whose(truth),
        *states(truth),
        *still_billed(truth),
        *cancelled_for_part(truth, spared),
        *facts(truth),
        *owed(truth),
        *told(truth, mails, folder / "mailbox"),
    ]


def unfinished(truth):
    """Return what should be nothing once all is quiet."""
    for event in StripeEvent.objects.exclude(status__in=["processed", "ignored"]):
        yield event.lane, f"{event.type} {event.pk} is {event.status} after {event.attempts}: {event.error_message}"
    for event in StripeEvent.objects.filter(attempts__gt=1):
        # Stripe answered others and not this: that is a try. Nothing else may cost one.
        errors = [failure["error"] for failure in event.failures or []]
        if errors and all(error.startswith("StripeUnanswered") for error in errors):
            continue
        yield event.lane, f"{event.type} {event.pk} took {event.attempts} tries: {'; '.join(errors)}"
    for lane in Lane.objects.exclude(token=None) | Lane.objects.exclude(arrived=F("drained")):
        yield lane.pk, f"lane {lane.pk}: {lane.arrived} arrived, {lane.drained} drained, token {lane.token}"
    for write in StripeWrite.objects.filter(done_at=None, withdrawn_at=None):
        if write.action == "close_invoice" and write.object_id in truth.under_way:
            continue  # it waits for the bank's answer, as Stripe does
        yield write.lane, f"owed to Stripe: {write} {write.error_message}"
    for mail in Mail.objects.filter(status__in=["queued", "sending", "failed"]):
        yield mail.customer_id, f"mail {mail.key} is {mail.status}: {mail.error}"
    if OrmQ.objects.exists():
        yield "", f"{OrmQ.objects.count()} tasks are left on the queue"


def whose(truth):
    """Every subscription is a row, and tells whose it is."""
    rows = dict(Subscription.objects.values_list("stripe_id", "whose"))
    for customer in Customer.objects.filter(deleted_at=None):
        for sub in truth.subs[customer.pk]:
            if rows.get(sub["id"]) != truth.world.whose(sub):
                yield customer.pk, f"{sub['id']} is {rows.get(sub['id'])}, should be {truth.world.whose(sub)}"


def states(truth):
    for customer in Customer.objects.all():
        if customer.pk in truth.deleted:
            if not customer.deleted_at:
                yield customer.pk, "deleted at Stripe, not here"
        elif customer.email != truth.emails[customer.pk]:
            yield customer.pk, f"e-mail {customer.email}, at Stripe {truth.emails[customer.pk]}"
        lines = set(truth.lines(customer.pk))
        ours = set(Subscription.objects.filter(customer=customer, counts=True).values_list("line", flat=True))
        if lines != ours:
            yield customer.pk, f"has a subscription in {sorted(ours)}, should in {sorted(lines)}"
        for line in lines:
            yield from _state(truth, customer, line)
            yield from _access(truth, customer, line)


def _state(truth, customer, line):
    wanted = truth.state(customer.pk, line)
    if customer.pk in truth.deleted:
        wanted = {name: wanted[name] for name in ("stripe_id", "status")}
    if truth.is_doubtful(customer.pk, line):
        wanted = {}
    row = Subscription.objects.filter(customer=customer, counts=True, line=line).values(*wanted).first() or {}
    for name, value in wanted.items():
        if row.get(name) != value:
            yield customer.pk, f"{name} in {line} is {row.get(name)}, at Stripe {value}"


def still_billed(truth):
    for sub, cause in truth.must_be_over().items():
        for customer, subs in list(truth.subs.items()):
            if any(s["id"] == sub and s["status"] not in OVER for s in subs):
                yield customer, f"{sub} is still billed in spite of {cause}"


def cancelled_for_part(truth, spared):
    """Of a refund that failed later nothing is said: all may have been given back until then."""
    failed = {truth.paid_for(row["payment_intent"]) for row in truth.refunds.values() if row["status"] in UNDONE}
    owed = StripeWrite.objects.filter(action="cancel_subscription", reference__startswith="in_", object_id__in=spared)
    for write in owed.exclude(object_id__in=failed - {None}):
        if write.object_id not in truth.must_be_over() and write.requested_at.timestamp() > spared[write.object_id]:
            yield write.lane, f"{write.object_id} was cancelled, although not all of its period was given back"


def _access(truth, customer, line):
    """A subscriber has access by any of their customers; one of them may be deleted."""
    theirs = Customer.objects.filter(subscriber=customer.subscriber)
    given = {truth.has_access(pk, line) for pk in theirs.values_list("pk", flat=True)}
    wanted = True if True in given else None if None in given else False
    decided = access.of(customer.subscriber, line)
    announced = AnnouncedAccess.objects.filter(subscriber=customer.subscriber, line=line, is_granted=True).exists()
    if wanted is None:
        wanted = decided.has_access
    if decided.has_access != wanted:
        yield customer.pk, f"access in {line} is {decided.has_access} ({decided.reason}), should be {wanted}"
    if announced != wanted:
        yield customer.pk, f"access announced in {line} is {announced}, should be {wanted}"


def facts(truth):
    payments = {row.invoice_id: (row.customer_id, row.amount) for row in Payment.objects.all()}
    failures = {(row.invoice_id, row.attempt): (row.customer_id, row.amount) for row in PaymentFailure.objects.all()}
    yield from _unlike("payment", payments, truth.payments())
    yield from _unlike("failed payment", failures, truth.failures())
    yield from _unlike("refund", _money(Refund), _theirs(truth, truth.refunds))
    yield from _unlike("dispute", _money(Dispute), _theirs(truth, truth.disputes))
    nothing, ours = (
        truth.bought_nothing(),
        set(Payment.objects.filter(bought_nothing=True).values_list("invoice_id", flat=True)),
    )
    for invoice in ours | {invoice for invoice, is_so in nothing.items() if is_so}:
        if nothing.get(invoice, False) is not None and (invoice in ours) != nothing.get(invoice, False):
            customer = truth.invoices[invoice]["customer"]
            yield (
                customer,
                f"the payment of {invoice} bought nothing: {invoice in ours}, at Stripe {nothing.get(invoice)}",
            )
    ends = Counter(e["data"]["object"]["id"] for e in truth.events if e["type"] == "customer.subscription.deleted")
    for sub, times in ends.items():
        if times > 1:
            yield "", f"{sub} was cancelled {times} times"
    for write in StripeWrite.objects.exclude(done_at=None):
        yield from _cause(truth, write)


def owed(truth):
    """What is open at Stripe is a row, and the other way round. Of those who are deleted nothing is asked any more."""
    ours = Invoice.objects.filter(status="open", customer__deleted_at=None)
    kept = set(Customer.objects.filter(deleted_at=None).values_list("pk", flat=True))
    theirs = [row for row in truth.invoices.values() if row["status"] == "open" and row["customer"] in kept]
    yield from _unlike(
        "open invoice",
        {row.pk: (row.customer_id, row.amount_remaining) for row in ours},
        {row["id"]: (row["customer"], row["amount_remaining"]) for row in theirs},
    )


def _money(model):
    return {row.pk: (row.customer_id, row.amount, row.status) for row in model.objects.all()}


def _theirs(truth, rows):
    return {k: (truth.charges[r["charge"]]["customer"], r["amount"], r["status"]) for k, r in rows.items()}


def _unlike(what, ours, theirs):
    for key in ours.keys() | theirs.keys():
        if ours.get(key) != theirs.get(key):
            customer = (ours.get(key) or theirs.get(key))[0]
            yield customer, f"{what} {key} is {ours.get(key)}, at Stripe {theirs.get(key)}"


def _cause(truth, write):
    """Each thing that we asked Stripe to undo had its cause."""
    if not any(is_so(truth, write) for is_so in CAUSES):
        yield write.lane, f"asked of Stripe without a cause: {write}"


def _lost(truth, write):
    return truth.disputes.get(write.reference, {}).get("status") == "lost"


def _given_back(truth, write):
    """All of a period went back, even if a refund failed later."""
    period = truth.invoices.get(write.reference)
    if period is None:
        return False
    mine = [row for row in truth.refunds.values() if truth.paid_for(row["payment_intent"]) == subscription_of(period)]
    return sum(row["amount"] for row in mine) >= period["total"]


def _buys_nothing(truth, write):
    """The subscription of the invoice had ended."""
    ended = {sub["id"] for subs in truth.subs.values() for sub in subs if sub["status"] in OVER}
    return write.action == "close_invoice" and write.reference in ended


def _is_duplicate(truth, write):
    return write.reference == "duplicate" and truth.came_beside_another(write.lane, write.object_id)


def _paid_a_duplicate(truth, write):
    return write.action == "refund" and truth.came_beside_another(write.lane, write.reference)


CAUSES = (_lost, _given_back, _is_duplicate, _paid_a_duplicate, _buys_nothing)


def told(truth, mails, path):
    rows = {mail.key: mail for mail in Mail.objects.filter(kind__in=TOLD_KINDS)}
    for key in mails.must:
        if key not in rows or rows[key].status not in HANDED_OVER:
            status = f"is {rows[key].status} ({rows[key].error})" if key in rows else "was never reserved"
            yield _about(truth, key), f"mail {key} must be sent, but {status}"
    for key, mail in rows.items():
        if key not in mails.may and mail.status in HANDED_OVER:
            yield mail.customer_id, f"mail {key} was sent and has no reason"
    arrived = Counter(mailbox.received(path))
    for mail in Mail.objects.all():
        times = arrived.pop(mail.message_id, 0)
        allowed = {"sent": (1,), "unconfirmed": (0, 1)}.get(mail.status, (0,))
        if times not in allowed:
            yield mail.customer_id, f"mail {mail.key} is {mail.status} and arrived {times} times"
    for message in arrived:
        yield "", f"{message} arrived and has no row"


def _about(truth, key):
    """The customer that a mail's key leads to."""
    identifier = key.split(":")[1]
    known = {**truth.invoices, **{s["id"]: s for subs in truth.subs.values() for s in subs}}
    known |= {k: truth.charges[r["charge"]] for k, r in {**truth.refunds, **truth.disputes}.items()}
    return known[identifier]["customer"] if identifier in known else ""
