"""Staff see what each customer has subscribed to, whether they have access, and why."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from billing import access, clock
from billing.access import words
from billing.commands import spelled
from billing.models import MAIN_LINE, Subscription
from billing.subscriptions import discounts, doubts

from . import display, panels, people, subscription_words
from .readonly import ReadOnlyAdmin

FACTS = ["billing-facts"]
STATE: list[Any] = ["belongs", "state", "plan", "price_link", "items_in_words", "quantity", "started", "period"]
STATE += ["discounts_in_words", "trial", "pause", "cancellation", "why_cancelled", "past_due", "grace_end", "ended"]
FROM_STRIPE: list[Any] = ["fetched", "updated", "latest_invoice_link", "payment_method_link"]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    change_form_template = "billing/admin/subscription/change_form.html"
    list_display = ["subscriber", "plan_and_money", "state", "access_column", "ahead"]
    list_filter = ["status", ("plan", admin.RelatedOnlyFieldListFilter), "whose", "counts", "line"]
    ordering = ["-updated_at"]
    search_help_text = "Customer or subscription id, or the beginning of an e-mail address"
    fieldsets = [
        ("Access", {"fields": ["access_in_words"], "classes": ["billing-answer"]}),
        ("Who", {"fields": ["subscriber", "email", "customer_link", "stripe_link"], "classes": FACTS}),
        ("Status", {"fields": STATE, "classes": FACTS}),
        ("At Stripe", {"fields": FROM_STRIPE, "classes": FACTS}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for _, section in self.fieldsets for field in section["fields"]]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        emails = [f"{path}__istartswith" for path in people.email_paths("customer__subscriber")]
        return ["customer__id__exact", "stripe_id__exact", "customer__email__istartswith", *emails]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        rows = access.with_access_facts().select_related("customer__subscriber")
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
        found = panels.panels_of(request, obj.customer)
        context["subtitle"] = people.name_of(obj.customer)
        context["panels"] = [panel for panel in found if panel.rows]
        context["nothing_in"] = [panel.title.lower() for panel in found if not panel.rows]
        return super().render_change_form(request, context, add, change, form_url, obj)

    # Who

    @display.column("subscriber", ordering="customer__email")
    def subscriber(self, row: Subscription) -> Any:
        return display.lines(display.breakable(people.name_of(row.customer)), display.plain_id(row.customer_id))

    @display.column("billing e-mail address")
    def email(self, row: Subscription) -> str:
        return row.customer.email

    @display.column("customer")
    def customer_link(self, row: Subscription) -> Any:
        ours = display.row_link("customer", row.customer_id, "Customer page")
        return display.lines(display.at_stripe(row.customer_id), ours)

    @display.column("subscription")
    def stripe_link(self, row: Subscription) -> Any:
        return display.at_stripe(row.stripe_id)

    # What they have

    @display.column("plan", ordering="plan__rank")
    def plan_and_money(self, row: Subscription) -> Any:
        """Return the plan with its revenue per month; for a past due subscription, the revenue at risk."""
        monthly = row.known_mrr
        whose = "" if row.is_ours else subscription_words.whose_badge(row)
        return display.lines(
            row.plan or "", whose, f"{display.amount(monthly, row.currency)} per month" if monthly else ""
        )

    @display.column("whose it is")
    def belongs(self, row: Subscription) -> Any:
        """Return whose it is, its line if there are several, and whether it counts."""
        whose = subscription_words.whose_badge(row)
        counts = "" if row.is_foreign else "counts" if row.counts else "another one counts"
        return display.lines(whose, row.line if row.line != MAIN_LINE else "", counts, *self._doubts(row))

    def _doubts(self, row: Subscription) -> list[str]:
        return [spelled(sentence) for sentence in doubts.lasting(row.customer_id) if row.stripe_id in sentence]

    @display.column("items")
    def items_in_words(self, row: Subscription) -> Any:
        return display.lines(*(subscription_words.item_in_words(item) for item in row.items.order_by("pk")))

    @display.column("status", ordering="status")
    def state(self, row: Subscription) -> Any:
        return subscription_words.status_badge(row.status)

    @display.column("access")
    def access_column(self, row: Subscription) -> Any:
        if row.is_foreign:
            return None
        decided = access.decide(access.facts_of(row), clock.now())
        return display.lines(subscription_words.access_badge(decided), decided.reason.replace("_", " "))

    @display.column("access")
    def access_in_words(self, row: Subscription) -> Any:
        if row.is_foreign:
            return "It is for another product of the Stripe account, and gives no access here."
        decided = access.decide(access.facts_of(row), clock.now())
        return display.lines(subscription_words.access_badge(decided), words.sentence_of(decided))

    @display.column("price")
    def price_link(self, row: Subscription) -> Any:
        return display.row_link("price", row.price_id, row.price) if row.price_id else None

    # When

    @display.column("period ends", ordering="current_period_end")
    def ahead(self, row: Subscription) -> Any:
        """Return the end of the period, and beneath it when the subscription or the grace ends."""
        ends = (("subscription ends ", row.cancel_at), ("grace ends ", access.grace_end(row)))
        small = [display.side_by_side([words, display.day(at)], between="") for words, at in ends if at]
        return display.lines(display.day(row.current_period_end) or display.NOTHING, *small)

    @display.column("ends on", ordering="cancel_at")
    def cancellation(self, row: Subscription) -> Any:
        return display.day(row.cancel_at)

    @display.column("reason to cancel", ordering="cancel_feedback")
    def why_cancelled(self, row: Subscription) -> str:
        """Return the reason that the subscriber chose; what they wrote beside it stays at Stripe."""
        return row.cancel_feedback.replace("_", " ").capitalize()

    @display.column("payments paused until")
    def pause(self, row: Subscription) -> Any:
        if not row.collection_paused:
            return None
        until = display.day(row.collection_resumes_at) if row.collection_resumes_at else "somebody resumes them"
        paid = (
            display.side_by_side(["access until ", display.day(row.paid_until)], between="") if row.paid_until else ""
        )
        return display.lines(until, paid or "access goes on meanwhile")

    @display.column("discounts")
    def discounts_in_words(self, row: Subscription) -> Any:
        found = discounts.discounts_of(row)
        links = [display.row_link("discount", each.pk, each.code or each.name or each.coupon) for each in found]
        return display.lines(*links)

    @display.column("grace ends")
    def grace_end(self, row: Subscription) -> Any:
        return display.day(access.grace_end(row))

    @display.column("started")
    def started(self, row: Subscription) -> Any:
        return display.moment(row.started_at)

    @display.column("period")
    def period(self, row: Subscription) -> Any:
        return display.span(row.current_period_start, row.current_period_end)

    @display.column("trial until")
    def trial(self, row: Subscription) -> Any:
        return display.moment(row.trial_end)

    @display.column("ended")
    def ended(self, row: Subscription) -> Any:
        return display.moment(row.ended_at)

    @display.column("past due since")
    def past_due(self, row: Subscription) -> Any:
        return display.moment(row.past_due_since)

    # Source

    @display.column("refreshed from Stripe")
    def fetched(self, row: Subscription) -> Any:
        return display.exact(row.fetched_at)

    @display.column("written")
    def updated(self, row: Subscription) -> Any:
        return display.exact(row.updated_at)

    @display.column("latest invoice")
    def latest_invoice_link(self, row: Subscription) -> Any:
        return display.at_stripe(row.latest_invoice)

    @display.column("payment method")
    def payment_method_link(self, row: Subscription) -> Any:
        return display.plain_id(row.default_payment_method)
