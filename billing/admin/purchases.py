"""Staff see what is sold once, and what was bought."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.catalogue import packs
from billing.models import Pack, Purchase
from billing.money import format_amount

from . import display, people
from .guests import GuestActs
from .readonly import ReadOnlyAdmin

Status = Purchase.Status
TONES = {Status.OPEN: "quiet", Status.PROCESSING: "waiting", Status.PAID: "good", Status.FAILED: "bad"}


@admin.register(Pack)
class PackAdmin(ReadOnlyAdmin):
    """The settings define packs; this shows what is for sale, and at which price."""

    list_display = ["name", "slug", "gives", "amounts_", "state"]
    list_select_related = ["plan"]
    ordering = ["place", "slug"]
    search_fields = ["slug__exact", "price_id__exact"]
    search_help_text = "Slug, or the id of the price at Stripe"
    fields = ["name", "slug", "description", "gives", "amounts_", "state", "price_id", "product"]
    readonly_fields = fields

    @display.column("gives")
    def gives(self, pack: Pack) -> Any:
        if pack.is_own:
            return "what the project delivers"
        what = str(pack.plan) if pack.plan else f"{pack.quantity:,} credits of {pack.feature}"
        return display.lines(what, f"for {pack.lasts_days} days" if pack.lasts_days else "for good")

    @display.column("price")
    def amounts_(self, pack: Pack) -> Any:
        if not pack.price_id:
            return ""
        known = [(each, pack.amounts[each]) for each in packs.currencies_of(pack) if each in pack.amounts]
        return ", ".join(format_amount(amount, currency) for currency, amount in known)

    @display.column("status")
    def state(self, pack: Pack) -> Any:
        if not pack.is_public:
            return display.badge("withdrawn", "quiet")
        return display.badge("for sale", "good") if pack.price_id else display.badge("not published", "waiting")


@admin.register(Purchase)
class PurchaseAdmin(GuestActs):
    list_display = ["pack", "subscriber_link", "state", "paid", "bought"]
    list_filter = ["status", "pack", "created_at"]
    list_select_related = ["pack", "customer__subscriber"]
    ordering = ["-created_at"]
    search_help_text = "Customer id, session, payment or invoice id, or the beginning of an e-mail address"
    fields = [
        "pack",
        "quantity",
        "subscriber_link",
        "guest",
        "state",
        "paid",
        "bought",
        "source_",
        "session_id",
        "payment_intent",
        "invoice_id",
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("customer__subscriber__billing_customers")

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        emails = [f"{path}__istartswith" for path in people.email_paths("customer__subscriber")]
        ids = ["customer__id__exact", "session_id__exact", "payment_intent__exact", "invoice_id__exact"]
        ids.append("guest_email__istartswith")
        return [*ids, *emails]

    @display.column("subscriber")
    def subscriber_link(self, purchase: Purchase) -> Any:
        return people.link(purchase.customer)

    @display.column("guest")
    def guest(self, purchase: Purchase) -> str:
        return purchase.guest_email

    @display.column("status", ordering="status")
    def state(self, purchase: Purchase) -> Any:
        badge = display.badge(purchase.status, TONES.get(Status(purchase.status), "quiet"))
        if purchase.status == Status.PAID and purchase.guest_email:
            return display.lines(badge, display.badge("waits for a guest to sign up", "waiting"))
        if purchase.status == Status.PAID and purchase.delivered_at is None:
            return display.lines(badge, display.badge("not delivered", "bad"))
        back = purchase.given_back and f"{format_amount(purchase.given_back, purchase.currency)} given back"
        return display.lines(badge, back)

    @display.column("paid", ordering="amount")
    def paid(self, purchase: Purchase) -> Any:
        amount = "" if purchase.amount is None else format_amount(purchase.amount, purchase.currency)
        return display.lines(amount, f"{purchase.quantity} at once" if purchase.quantity > 1 else "")

    @display.column("bought", ordering="created_at")
    def bought(self, purchase: Purchase) -> Any:
        return display.moment(purchase.created_at)

    @display.column("source of what it gave")
    def source_(self, purchase: Purchase) -> str:
        return purchase.source if purchase.times_given else ""
