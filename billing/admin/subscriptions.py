"""Subscriptions as staff reads them: what each customer has, whether they have access, and why."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from billing import access, clock
from billing.models import Subscription

from . import display, panels, people, subscription_words
from .readonly import ReadOnlyAdmin


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    change_form_template = "admin/billing/subscription/change_form.html"
    list_display = ["subscriber", "plan", "state", "access_column", "period_end", "cancellation", "grace_end"]
    list_filter = ["status", ("plan", admin.RelatedOnlyFieldListFilter)]
    ordering = ["-updated_at"]
    search_help_text = "Customer or subscription id, or the beginning of an e-mail address"
    fieldsets = [
        (None, {"fields": ["access_in_words", "subscriber", "email", "customer_link", "stripe_link"]}),
        ("State at Stripe", {"fields": ["state", "plan", "price_link", "quantity", "started", "period", "trial"]}),
        ("What comes", {"fields": ["cancellation", "ended", "past_due", "grace_end"]}),
        ("As we know it", {"fields": ["fetched", "updated", "latest_invoice_link", "payment_method_link"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for _, section in self.fieldsets for field in section["fields"]]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        emails = [f"{path}__istartswith" for path in people.email_paths("customer__subscriber")]
        return ["customer__id__exact", "stripe_id__exact", "customer__email__istartswith", *emails]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        rows = access.with_holds().select_related("customer__subscriber")
        return rows.order_by(*self.get_ordering(request))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["panels"] = panels.for_customer(request, obj.customer)
        return super().render_change_form(request, context, add, change, form_url, obj)

    # Who

    @admin.display(description="subscriber", ordering="customer__email")
    def subscriber(self, row: Subscription) -> Any:
        return display.lines(people.name_of(row.customer), display.plain_id(row.customer_id))

    @admin.display(description="mail about money goes to")
    def email(self, row: Subscription) -> str:
        return row.customer.email

    @admin.display(description="customer")
    def customer_link(self, row: Subscription) -> Any:
        ours = display.row_link("customer", row.customer_id, "customer")
        return display.side_by_side([ours, display.at_stripe(row.customer_id)])

    @admin.display(description="subscription")
    def stripe_link(self, row: Subscription) -> Any:
        return display.at_stripe(row.stripe_id)

    # What they have

    @admin.display(description="status", ordering="status")
    def state(self, row: Subscription) -> Any:
        return subscription_words.status_badge(row.status)

    @admin.display(description="access")
    def access_column(self, row: Subscription) -> Any:
        decided = access.decide(row, clock.now())
        return display.lines(subscription_words.access_badge(decided), decided.reason.replace("_", " "))

    @admin.display(description="access")
    def access_in_words(self, row: Subscription) -> Any:
        decided = access.decide(row, clock.now())
        return display.lines(subscription_words.access_badge(decided), subscription_words.why(decided))

    @admin.display(description="price")
    def price_link(self, row: Subscription) -> Any:
        return display.row_link("price", row.price_id, row.price) if row.price_id else None

    # When

    @admin.display(description="period ends", ordering="current_period_end")
    def period_end(self, row: Subscription) -> Any:
        return display.day(row.current_period_end)

    @admin.display(description="cancels at", ordering="cancel_at")
    def cancellation(self, row: Subscription) -> Any:
        return display.day(row.cancel_at)

    @admin.display(description="grace ends")
    def grace_end(self, row: Subscription) -> Any:
        return display.moment(access.grace_end(row))

    @admin.display(description="started")
    def started(self, row: Subscription) -> Any:
        return display.moment(row.started_at)

    @admin.display(description="period")
    def period(self, row: Subscription) -> Any:
        return display.span(row.current_period_start, row.current_period_end)

    @admin.display(description="trial until")
    def trial(self, row: Subscription) -> Any:
        return display.moment(row.trial_end)

    @admin.display(description="ended")
    def ended(self, row: Subscription) -> Any:
        return display.moment(row.ended_at)

    @admin.display(description="past due since")
    def past_due(self, row: Subscription) -> Any:
        return display.moment(row.past_due_since)

    # How we know

    @admin.display(description="asked Stripe")
    def fetched(self, row: Subscription) -> Any:
        return display.exact(row.fetched_at)

    @admin.display(description="written")
    def updated(self, row: Subscription) -> Any:
        return display.exact(row.updated_at)

    @admin.display(description="latest invoice")
    def latest_invoice_link(self, row: Subscription) -> Any:
        return display.at_stripe(row.latest_invoice)

    @admin.display(description="payment method")
    def payment_method_link(self, row: Subscription) -> Any:
        return display.plain_id(row.default_payment_method)
