"""A customer's timeline has these sources: each says how the rows of a table are found, and how one becomes a line.

Of two lines of the same time, the one whose source comes first here is the later: effects of an event stand above it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest

from billing import clock
from billing.models import AccountDeletion, Customer, Dispute, Grant, Hold, Payment, PaymentFailure, Refund, StripeEvent

from . import change_words, display, event_words, mail_rows, payment_words, timeline_sales
from .cause_words import STAFF as BY_STAFF
from .timeline import Source
from .timeline_lines import Line

DELETION_REQUESTED = "Account deletion requested"
ACCOUNT_DELETED = "Account deleted"
# Events of these name no invoice, and belong to the payment or failure of that moment.
MONEY, OF_MONEY = "money", ("invoice_payment.", "payment_intent.", "charge.")


def _rows(rows: Callable[[Customer], QuerySet[Any]], at: str, tell: Callable[[Any], Line]) -> Any:
    """Make a source of one table, ordered by a time column; rows where it is empty have not happened."""

    def newest(request: HttpRequest, customer: Customer, until: datetime | None, most: int) -> Iterable[Line]:
        found = rows(customer).filter(**({f"{at}__lte": until} if until else {f"{at}__isnull": False}))
        return map(tell, found.order_by(f"-{at}", "-pk")[:most])

    return newest


# Access


def _changes(request: HttpRequest, customer: Customer, until: datetime | None, most: int) -> Iterable[Line]:
    """Yield each change, described by its difference from the row before of the same subscription."""
    found = customer.subscription_changes.select_related("plan", "price").order_by("-recorded_at", "-pk")
    rows = list((found.filter(recorded_at__lte=until) if until else found)[: most + 1])
    for place, after in enumerate(rows):
        before = next((row for row in rows[place + 1 :] if row.stripe_id == after.stripe_id), None)
        if before is None and len(rows) > most:
            continue
        what, *details = change_words.differences(before, after)
        about = (after.stripe_id,)
        yield Line(after.recorded_at, "State", change_words.tone(after), what, tuple(details), after.cause, about)


def _held(hold: Hold) -> Line:
    what = display.row_link("hold", hold.pk, f"{hold.get_kind_display()} hold placed")
    return Line(hold.placed_at, "Hold", "bad", what, (hold.reason or display.at_stripe(hold.reference),), hold.cause)


def _released(hold: Hold) -> Line:
    at: Any = hold.released_at
    what = display.row_link("hold", hold.pk, f"{hold.get_kind_display()} hold released")
    reference = "" if hold.kind == Hold.Kind.STAFF else display.at_stripe(hold.reference)
    return Line(at, "Hold", "good", what, (reference,), hold.released_by)


def _given(grant: Grant) -> Line:
    until = ("until ", display.moment(grant.until)) if grant.until else ("for good",)
    what = display.row_link("grant", grant.pk, f"Given: {grant.what}")
    return Line(grant.granted_at, "Grant", "good", what, (display.side_by_side(until, between=""),), grant.cause)


def _given_no_more(grant: Grant) -> Line:
    at: Any = grant.ended_at
    what = display.row_link("grant", grant.pk, f"No longer given: {grant.what}")
    return Line(at, "Grant", "waiting", what, (), grant.ended_by)


def _grants(customer: Customer) -> QuerySet[Grant]:
    theirs = Grant.objects.filter(subscriber=customer.subscriber_id).select_related("plan")
    return theirs if customer.subscriber_id else theirs.none()


def _deletions(request: HttpRequest, customer: Customer, until: datetime | None, most: int) -> Iterable[Line]:
    for row in AccountDeletion.objects.filter(customer=customer):
        for at, what in ((row.done_at, ACCOUNT_DELETED), (row.requested_at, DELETION_REQUESTED)):
            if at and (until is None or at <= until):
                yield Line(at, "Deletion", "dead", display.row_link("accountdeletion", row.pk, what))


# Money


def _paid(payment: Payment) -> Line:
    what = display.row_link("payment", payment.pk, f"Paid {display.amount(payment.amount, payment.currency)}")
    details = (payment_words.reason(payment), payment_words.receipt(payment))
    return Line(payment.paid_at, "Payment", "good", what, details, about=(payment.invoice_id, MONEY))


def _failed(failure: PaymentFailure) -> Line:
    amount = display.amount(failure.amount, failure.currency)
    what = display.row_link("paymentfailure", failure.pk, f"Payment of {amount} failed")
    details = (payment_words.what_failed(failure),)
    return Line(failure.failed_at, "Payment", "bad", what, details, about=(failure.invoice_id, MONEY))


def _refunded(refund: Refund) -> Line:
    what = display.row_link("refund", refund.pk, f"Refunded {display.amount(refund.amount, refund.currency)}")
    about = (refund.pk, refund.charge)
    return Line(refund.created_at, "Refund", "waiting", what, (payment_words.refund_status(refund),), about=about)


def _disputed(dispute: Dispute) -> Line:
    amount = display.amount(dispute.amount, dispute.currency)
    what = display.row_link(
        "dispute", dispute.pk, f"{'Inquiry about' if dispute.is_inquiry else 'Dispute over'} {amount}"
    )
    details = (payment_words.dispute_status(dispute), dispute.reason.replace("_", " "), payment_words.due(dispute))
    return Line(dispute.opened_at, "Dispute", "dead", what, details, about=(dispute.pk, dispute.charge))


def _bought(attempt: Any) -> Line:
    what = display.row_link("checkoutattempt", attempt.pk, f"Checkout started: {attempt.price}")
    details = (payment_words.checkout_status(attempt),)
    return Line(attempt.created_at, "Checkout", "quiet", what, details, about=(attempt.session_id,))


# The rest


def _mails(request: HttpRequest, customer: Customer, until: datetime | None, most: int) -> Iterable[Line]:
    for row in mail_rows.newest_mails(mail_rows.Asked(request, customer.pk, until=until, most=most)):
        yield Line(row.at, "Mail", "quiet", row.what, (row.state, row.recipient), row.cause)


def _heard(customer: Customer) -> QuerySet[StripeEvent]:
    return StripeEvent.objects.filter(lane=customer.pk).exclude(status=StripeEvent.Status.IGNORED)


def _ignored(customer: Customer) -> QuerySet[StripeEvent]:
    return StripeEvent.objects.filter(lane=customer.pk, status=StripeEvent.Status.IGNORED)


def _events(rows: Callable[[Customer], QuerySet[StripeEvent]]) -> Any:
    """Make a source of events, ordered by Stripe's time, in whole seconds."""

    def newest(request: HttpRequest, customer: Customer, until: datetime | None, most: int) -> Iterable[Line]:
        found = rows(customer).defer("payload").order_by("-created", "-pk")
        return map(_event, (found.filter(created__lte=int(until.timestamp())) if until else found)[:most])

    return newest


def _event(event: StripeEvent) -> Line:
    state = "" if event.status == StripeEvent.Status.PROCESSED else event_words.state_badge(event)
    kind = event_words.KIND_OF_BADGE[StripeEvent.Status(event.status)]
    tone = "quiet" if not state or event_words.is_handled(event) else kind
    details = (state, event_words.error_in_short(event), display.at_stripe(event.object_id, event.livemode))
    what = display.row_link("stripeevent", event.pk, display.breakable(event.type))
    at = clock.from_timestamp(event.created)
    about = (*filter(None, [event.object_id]), *([MONEY] if event.type.startswith(OF_MONEY) else []))
    return Line(at, "Event", "waiting" if state and tone == "quiet" else tone, what, details, "", about, event.pk)


def _entries(customer: Customer) -> QuerySet[LogEntry]:
    about = ContentType.objects.get_for_model(Customer)
    return LogEntry.objects.filter(content_type=about, object_id=customer.pk)


def _staff(entry: LogEntry) -> Line:
    return Line(entry.action_time, "Staff", "waiting", entry.get_change_message(), (), f"{BY_STAFF}{entry.user_id}")


SOURCES = (
    Source("staff", "view_customer", _rows(_entries, "action_time", _staff)),
    Source("access", "view_subscription", _changes),
    # Actions of staff have a line of their own, with the reason.
    Source(
        "access",
        "view_hold",
        _rows(lambda customer: customer.holds.exclude(released_by__startswith=BY_STAFF), "released_at", _released),
    ),
    Source(
        "access",
        "view_hold",
        _rows(lambda customer: customer.holds.exclude(cause__startswith=BY_STAFF), "placed_at", _held),
    ),
    Source(
        "access",
        "view_grant",
        _rows(
            lambda customer: _grants(customer).exclude(ended_by__startswith=BY_STAFF),
            "ended_at",
            _given_no_more,
        ),
    ),
    Source(
        "access",
        "view_grant",
        _rows(
            lambda customer: _grants(customer).exclude(cause__startswith=BY_STAFF),
            "granted_at",
            _given,
        ),
    ),
    Source("access", "view_accountdeletion", _deletions),
    Source("mails", "view_customer", _mails),
    Source("money", "view_payment", _rows(lambda customer: customer.payments.all(), "paid_at", _paid)),
    Source(
        "money",
        "view_paymentfailure",
        _rows(lambda customer: customer.payment_failures.all(), "failed_at", _failed),
    ),
    Source("money", "view_refund", _rows(lambda customer: customer.refunds.all(), "created_at", _refunded)),
    Source("money", "view_dispute", _rows(lambda customer: customer.disputes.all(), "opened_at", _disputed)),
    Source(
        "money",
        "view_checkoutattempt",
        _rows(lambda customer: customer.checkout_attempts.select_related("price"), "created_at", _bought),
    ),
    Source("money", "view_agreement", _rows(timeline_sales.agreements, "started_at", timeline_sales.started)),
    Source("money", "view_agreement", _rows(timeline_sales.agreements, "sent_at", timeline_sales.sent)),
    Source("money", "view_agreement", _rows(timeline_sales.agreements, "drafted_at", timeline_sales.drafted)),
    Source("money", "view_pricemoverow", _rows(timeline_sales.moves, "moved_at", timeline_sales.moved)),
    Source("money", "view_pricemoverow", _rows(timeline_sales.moves, "told_at", timeline_sales.told)),
    Source("events", "view_stripeevent", _events(_heard)),
    Source("events", "view_stripeevent", _events(_ignored), is_detail=True),
)
