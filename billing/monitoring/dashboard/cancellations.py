"""This section shows why subscribers cancelled, and what kept some of them."""

from django.db.models import Count, Q

from billing.models import CancelOffer, Subscription

from .facts import Fact, counted, many, percent, share
from .parts import Cell, Figure, Section, Table, Term
from .scope import Scope

CANCELLED = Term(
    "Cancellations",
    "Subscriptions whose cancellation was asked for in the period, by the subscriber, by staff or at Stripe. Who "
    "resumed before the end is not counted, nor a subscription that ended because nobody paid.",
)
TOLD = Term("With a reason", "The share of these cancellations for which the subscriber chose a reason.")
KEPT = Term("Offers taken up", "Subscribers who were about to cancel in the period and took up the offer instead.")
PAUSED = Term("Payments paused", "Subscriptions whose payments are paused now, whatever the period.")
BY_REASON = Term(
    "Cancellations by reason",
    "The reasons that subscribers chose on the cancel page, in Stripe's portal or by the API. What they wrote beside "
    "it stays at Stripe, with the subscription.",
)
# Stripe's own spelling, in words.
WORDS = {
    "customer_service": "Customer service",
    "low_quality": "Low quality",
    "missing_features": "Missing features",
    "other": "Other",
    "switched_service": "Switched to another service",
    "too_complex": "Too complex",
    "too_expensive": "Too expensive",
    "unused": "Unused",
    "": "No reason given",
}


def section(scope: Scope) -> Section:
    found = _cancelled(scope)
    return Section("cancellations", "Cancellations", figures=_figures(scope, found), tables=[_by_reason(scope, found)])


def _cancelled(scope: Scope) -> list[Fact]:
    """Return facts by kind, which is the reason."""
    asked = Subscription.objects.filter(scope.has("canceled_at")).exclude(whose=Subscription.Whose.FOREIGN)
    lasting = asked.filter(Q(cancel_at__isnull=False) | Q(ended_at__isnull=False)).order_by()
    by = lasting.values_list("cancel_feedback").annotate(n=Count("*"))
    return [Fact(None, "", reason, number) for reason, number in by]


def _figures(scope: Scope, found: list[Fact]) -> list[Figure]:
    number, told = counted(found), counted(found) - counted(found, kind="")
    kept = CancelOffer.objects.filter(scope.has("taken_at"), made_at__isnull=False).count()
    paused = Subscription.objects.exclude(collection_paused="").exclude(status__in=Subscription.TERMINAL)
    rows = scope.rows_within("subscription", "canceled_at")
    return [
        Figure(CANCELLED, [f"{number:,}"], [], rows),
        Figure(TOLD, [percent(share(told, number))], [f"{told:,} of {number:,}"] if number else [], rows),
        Figure(KEPT, [f"{kept:,}"], [], scope.rows_within("canceloffer", "taken_at")),
        Figure(PAUSED, [many(paused.count(), "subscription")], []),
    ]


def _by_reason(scope: Scope, found: list[Fact]) -> Table:
    total = counted(found)

    def row(fact: Fact) -> list[str | Cell]:
        url = scope.rows_within("subscription", "canceled_at", cancel_feedback__exact=fact.kind)
        words = WORDS.get(fact.kind) or fact.kind.replace("_", " ").capitalize()
        return [Cell(words, url), Cell(f"{fact.number:,}", share=share(fact.number, total))]

    rows = [row(fact) for fact in sorted(found, key=lambda fact: (-fact.number, fact.kind))]
    return Table(BY_REASON, ("Reason", "Number"), rows, "Nobody cancelled in this period.")
