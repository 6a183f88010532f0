"""Customers, the holds on their access, and their tries at buying."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.models import CheckoutAttempt, Customer, Hold

from . import display, payment_words, people, subscription_words
from .readonly import ReadOnlyAdmin, ReadOnlyInline


class HoldInline(ReadOnlyInline):
    model = Hold
    fields = ["kind", "reference", "placed_at", "released_at"]
    readonly_fields = fields
    ordering = ["-placed_at"]


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    list_display = ["customer_id", "subscriber_name", "email", "plan", "state", "created", "deleted"]
    list_filter = ["created_at", ("deleted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["subscriber", "subscription__plan"]
    ordering = ["-created_at"]
    search_help_text = "Customer id, or the beginning of an e-mail address"
    fields = ["subscriber_name", "email", "stripe_link", "subscription_link", "events", "created", "deleted"]
    readonly_fields = fields
    inlines = [HoldInline]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return ["id__exact", "email__istartswith", *(f"{path}__istartswith" for path in people.email_paths())]

    @display.column("customer", ordering="id")
    def customer_id(self, customer: Customer) -> Any:
        return display.plain_id(customer.pk)

    @display.column("subscriber")
    def subscriber_name(self, customer: Customer) -> str:
        return people.name_of(customer)

    @display.column("plan")
    def plan(self, customer: Customer) -> Any:
        subscription = getattr(customer, "subscription", None)
        return subscription.plan if subscription else None

    @display.column("status", ordering="subscription__status")
    def state(self, customer: Customer) -> Any:
        subscription = getattr(customer, "subscription", None)
        return subscription_words.status_badge(subscription.status) if subscription else None

    @display.column("created", ordering="created_at")
    def created(self, customer: Customer) -> Any:
        return display.moment(customer.created_at)

    @display.column("deleted at Stripe", ordering="deleted_at")
    def deleted(self, customer: Customer) -> Any:
        return display.moment(customer.deleted_at)

    @display.column("at Stripe")
    def stripe_link(self, customer: Customer) -> Any:
        return display.at_stripe(customer.pk)

    @display.column("subscription")
    def subscription_link(self, customer: Customer) -> Any:
        subscription = getattr(customer, "subscription", None)
        return display.row_link("subscription", subscription.pk, subscription) if subscription else None

    @display.column("events")
    def events(self, customer: Customer) -> Any:
        return display.list_link("stripeevent", "All events of this customer", q=customer.pk)


class OfCustomerAdmin(ReadOnlyAdmin):
    """Rows that belong to a customer: who it is, and the search that finds them by customer."""

    list_select_related: Any = ["customer__subscriber", "customer__subscription"]
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
        subscription = getattr(row.customer, "subscription", None)
        return display.lines(
            people.link(row.customer, subscription.pk if subscription else None), display.plain_id(row.customer_id)
        )


@admin.register(Hold)
class HoldAdmin(OfCustomerAdmin):
    list_display = ["kind", "subscriber", "cause", "placed", "released"]
    list_filter = ["kind", ("released_at", admin.EmptyFieldListFilter), "placed_at"]
    ordering = ["-placed_at"]
    ids_searched = ("reference",)
    fields = ["kind", "subscriber", "cause", "placed", "released"]
    readonly_fields = fields

    @display.column("for", ordering="reference")
    def cause(self, hold: Hold) -> Any:
        return display.at_stripe(hold.reference)

    @display.column("placed", ordering="placed_at")
    def placed(self, hold: Hold) -> Any:
        return display.moment(hold.placed_at)

    @display.column("released", ordering="released_at")
    def released(self, hold: Hold) -> Any:
        return display.moment(hold.released_at) or display.badge("in force", "bad")


@admin.register(CheckoutAttempt)
class CheckoutAttemptAdmin(OfCustomerAdmin):
    list_display = ["attempt", "subscriber", "price", "currency", "state", "session", "started"]
    list_filter = ["status", "created_at"]
    list_select_related = [*OfCustomerAdmin.list_select_related, "price"]
    ordering = ["-created_at"]
    ids_searched = ("session_id",)
    fields = ["attempt", "subscriber", "price", "currency", "state", "session", "page", "started"]
    readonly_fields = fields

    @display.column("attempt")
    def attempt(self, attempt: CheckoutAttempt) -> Any:
        return display.plain_id(str(attempt.pk))

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
