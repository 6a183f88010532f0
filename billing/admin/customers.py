"""Staff see customers, holds on their access, and checkouts."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import HttpRequest

from billing import clock
from billing.models import MAIN_LINE, CheckoutAttempt, Customer, Grant, Hold, Subscription

from . import cause_words, display, export_columns, finding, payment_words, people, subscription_words
from .customer_filters import PlanFilter, StatusFilter, WorthFilter
from .customer_page import CustomerPage
from .list_export import ExportedList
from .open_filter import open_filter
from .readonly import ReadOnlyAdmin


@admin.register(Customer)
class CustomerAdmin(ExportedList, CustomerPage):
    list_display = ["who", "plan", "state", "worth", "holds_in_force", "created"]
    export_columns = export_columns.CUSTOMER
    list_filter = [
        PlanFilter,
        StatusFilter,
        WorthFilter,
        "created_at",
        ("deleted_at", open_filter("customer at Stripe", "Active", "Deleted at Stripe")),
    ]
    list_select_related = ["subscriber"]
    ordering = ["-created_at"]
    search_help_text = (
        "The beginning of an e-mail address, or the Stripe id of a customer, invoice, subscription, "
        "payment, refund, dispute or event"
    )

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return ["id__exact", "email__istartswith", *(f"{path}__istartswith" for path in people.email_paths())]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if owners := finding.owners_of(search_term.strip()):
            return queryset.filter(pk__in=owners), False
        return super().get_search_results(request, queryset, search_term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        on_hold = Hold.objects.active().filter(customer=OuterRef("pk")).order_by("placed_at")
        is_ahead = Q(until=None) | Q(until__gt=clock.now())
        given = Grant.objects.open().filter(is_ahead, subscriber=OuterRef("subscriber"))
        first = {"hold": Subquery(on_hold.values("kind")[:1]), "is_given": Exists(given)}
        counting = Subscription.objects.filter(customer=OuterRef("pk"), counts=True, line=MAIN_LINE)
        first |= {name: Subquery(counting.values(name)[:1]) for name in ("status", "mrr")}
        shown = Subscription.objects.filter(counts=True).select_related("plan", "price")
        return super().get_queryset(request).annotate(**first).prefetch_related(Prefetch("subscriptions", shown))

    @display.column("who", ordering="email")
    def who(self, customer: Customer) -> Any:
        return display.lines(display.breakable(people.name_of(customer)), display.plain_id(customer.pk))

    @display.column("plan")
    def plan(self, customer: Customer) -> Any:
        plans = [row.plan for row in customer.subscriptions.all() if row.counts and row.plan]
        return display.lines(*plans) if plans else None

    @display.column("status", ordering="status")
    def state(self, customer: Customer) -> Any:
        if customer.deleted_at:
            return display.badge("deleted", "quiet", "Deleted at Stripe; records of payments are kept")
        if not customer.is_current:
            return display.badge("earlier", "quiet", "Another customer of the same subscriber buys next")
        subscription = customer.subscription
        return subscription_words.status_badge(subscription.status) if subscription.pk else None

    @display.column("MRR", ordering="mrr")
    def worth(self, customer: Customer) -> Any:
        rows = [row for row in customer.subscriptions.all() if row.counts and row.mrr]
        return display.lines(*(display.amount(row.mrr, row.currency) for row in rows))

    @display.column("hold or grant")
    def holds_in_force(self, customer: Any) -> Any:
        hold = display.badge(f"{customer.hold} hold", "bad") if customer.hold else ""
        return display.lines(hold, display.badge("grant", "good") if customer.is_given else "")

    @display.column("created", ordering="created_at")
    def created(self, customer: Customer) -> Any:
        return display.day(customer.created_at)

    @display.column("deleted at Stripe", ordering="deleted_at")
    def deleted(self, customer: Customer) -> Any:
        return display.moment(customer.deleted_at)


class OfCustomerAdmin(ReadOnlyAdmin):
    """These rows belong to a customer: the admin shows the customer and searches by customer."""

    list_select_related: Any = ["customer__subscriber"]
    ids_searched: tuple[str, ...] = ()
    search_help_text = "Customer id or any other id of the row, or the beginning of an e-mail address"

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        emails = [f"{path}__istartswith" for path in people.email_paths("customer__subscriber")]
        ids = [f"{name}__exact" for name in self.ids_searched]
        return [*ids, "customer__id__exact", "customer__email__istartswith", *emails]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @display.column("subscriber", ordering="customer__email")
    def subscriber(self, row: Any) -> Any:
        return display.lines(people.link(row.customer), display.plain_id(row.customer_id))


@admin.register(Hold)
class HoldAdmin(OfCustomerAdmin):
    list_display = ["kind", "subscriber", "about", "placed", "state"]
    list_display_links = ["kind"]
    list_filter = ["kind", ("released_at", open_filter("status", "In force", "Released")), "placed_at"]
    ordering = ["-placed_at"]
    ids_searched = ("reference",)
    fields = ["kind", "subscriber", "about", "placed", "placed_by", "state", "let_go_by"]
    readonly_fields = fields

    @display.column("for", ordering="reference")
    def about(self, hold: Hold) -> Any:
        return hold.reason or (None if hold.kind == Hold.Kind.STAFF else display.at_stripe(hold.reference))

    @display.column("placed", ordering="placed_at")
    def placed(self, hold: Hold) -> Any:
        return display.moment(hold.placed_at)

    @display.column("status", ordering="released_at")
    def state(self, hold: Hold) -> Any:
        if hold.released_at is None:
            return display.badge("in force", "bad")
        return display.lines(display.badge("released", "quiet"), display.moment(hold.released_at))

    @display.column("placed by")
    def placed_by(self, hold: Hold) -> Any:
        return cause_words.words_for(hold.cause)

    @display.column("released by")
    def let_go_by(self, hold: Hold) -> Any:
        return cause_words.words_for(hold.released_by)


@admin.register(CheckoutAttempt)
class CheckoutAttemptAdmin(OfCustomerAdmin):
    list_display = ["started", "subscriber", "price_in_words", "state"]
    list_filter = ["status", "created_at"]
    list_select_related = [*OfCustomerAdmin.list_select_related, "price"]
    ordering = ["-created_at"]
    ids_searched = ("session_id",)
    fields = ["attempt", "subscriber", "price", "currency", "state", "session", "page", "started", "sent"]
    readonly_fields = fields

    @display.column("attempt")
    def attempt(self, attempt: CheckoutAttempt) -> Any:
        return display.plain_id(str(attempt.pk))

    @display.column("price", ordering="price")
    def price_in_words(self, attempt: CheckoutAttempt) -> Any:
        return display.lines(display.breakable(str(attempt.price)), attempt.currency.upper())

    @display.column("status", ordering="status")
    def state(self, attempt: CheckoutAttempt) -> Any:
        return payment_words.checkout_status(attempt)

    @display.column("session")
    def session(self, attempt: CheckoutAttempt) -> Any:
        return display.at_stripe(attempt.session_id)

    @display.column("page")
    def page(self, attempt: CheckoutAttempt) -> Any:
        return display.outside_link(attempt.url, "Checkout")

    @display.column("started", ordering="created_at")
    def started(self, attempt: CheckoutAttempt) -> Any:
        return display.moment(attempt.created_at)

    @display.column("sent to Stripe")
    def sent(self, attempt: CheckoutAttempt) -> Any:
        return display.folded_json(attempt.params, "Parameters") if attempt.params else None
