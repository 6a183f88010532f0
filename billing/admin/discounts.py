"""Staff see the discounts that subscriptions have, and the offers that kept subscribers."""

from typing import Any

from django.contrib import admin

from billing.models import CancelOffer, Discount
from billing.subscriptions import discounts

from . import display
from .customers import OfCustomerAdmin


@admin.register(Discount)
class DiscountAdmin(OfCustomerAdmin):
    list_display = ["what", "subscriber", "saving", "begins", "ends"]
    list_display_links = ["what"]
    list_filter = ["duration", "starts_at", "ends_at"]
    list_select_related = [*OfCustomerAdmin.list_select_related, "subscription"]
    ordering = ["-starts_at"]
    ids_searched = ("stripe_id", "coupon", "code")
    fields = ["what", "subscriber", "of_subscription", "coupon", "code", "duration", "saving", "begins", "ends"]
    readonly_fields = fields

    @display.column("discount", ordering="coupon")
    def what(self, row: Discount) -> Any:
        coupon = discounts.coupon_of(row)
        if coupon.percent_off is not None:
            off = f"{coupon.percent_off:.4f}".rstrip("0").rstrip(".") + "% off"
        else:
            currency = row.subscription.currency
            amount = display.amount(coupon.amounts.get(currency), currency)
            off = f"{amount} off" if amount else "unknown"
        return display.lines(off, display.in_groups(row.code or row.name or row.coupon))

    @display.column("subscription")
    def of_subscription(self, row: Discount) -> Any:
        return display.row_link("subscription", row.subscription_id, row.subscription.stripe_id or "subscription")

    @display.column("off the next payment", ordering="saves")
    def saving(self, row: Discount) -> Any:
        return display.amount(row.saves, row.subscription.currency)

    @display.column("since", ordering="starts_at")
    def begins(self, row: Discount) -> Any:
        return display.moment(row.starts_at)

    @display.column("until", ordering="ends_at")
    def ends(self, row: Discount) -> Any:
        return display.moment(row.ends_at)


@admin.register(CancelOffer)
class CancelOfferAdmin(OfCustomerAdmin):
    list_display = ["what", "subscriber", "taken", "made"]
    list_display_links = ["what"]
    list_filter = ["taken_at"]
    ordering = ["-taken_at"]
    ids_searched = ("subscription_id",)
    fields = ["what", "subscriber", "subscription_id", "taken", "made"]
    readonly_fields = fields

    @display.column("offer", ordering="percent_off")
    def what(self, row: CancelOffer) -> str:
        percent = f"{row.percent_off:.4f}".rstrip("0").rstrip(".")
        return f"{percent}% off for {row.months} month{'s' if row.months > 1 else ''}"

    @display.column("taken up", ordering="taken_at")
    def taken(self, row: CancelOffer) -> Any:
        return display.moment(row.taken_at)

    @display.column("given at Stripe", ordering="made_at")
    def made(self, row: CancelOffer) -> Any:
        return display.moment(row.made_at)
