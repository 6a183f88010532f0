"""These serializers read what the API is asked: bodies and queries."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from billing.cadence import LONGEST
from billing.lifecycle import MOST, PAGE, cancel
from billing.models import Plan, Price

from .fixed import Choice, Day

MAX_QUANTITY = 1_000_000


class LineField(serializers.SlugField):
    """A line of plans; without one, the only line that the subscriber has is meant, else `main`."""

    def __init__(self) -> None:
        words = "A line of plans; by default the only one that the subscriber has, else `main`"
        super().__init__(max_length=50, required=False, default="", help_text=words)

    def to_internal_value(self, data: Any) -> str:
        line = str(super().to_internal_value(data))
        if not Plan.objects.filter(line=line).exists():
            lines = ", ".join(Plan.objects.order_by("line").values_list("line", flat=True).distinct())
            raise serializers.ValidationError(_("There is no such line. Choose one of: {lines}.").format(lines=lines))
        return line


class LineQuery(serializers.Serializer[Any]):
    line = LineField()


class PriceRequest(serializers.Serializer[Any]):
    plan = serializers.SlugField(max_length=50)
    interval = Choice(Price.Interval.values)
    interval_count = serializers.IntegerField(
        required=False, default=1, min_value=1, max_value=max(LONGEST.values()), help_text="3 for every three months"
    )


class AddOnChoice(serializers.Serializer[Any]):
    slug = serializers.SlugField(max_length=50)
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY, default=1)


class CheckoutRequest(PriceRequest):
    currency = serializers.RegexField(
        "^[A-Za-z]{3}$", required=False, default="", error_messages={"invalid": _("Three letters, such as eur.")}
    )

    promotion_code = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="The text of a code that is preset"
    )

    add_ons = AddOnChoice(many=True, required=False, help_text="Bought with the plan")

    def validate_currency(self, value: str) -> str:
        return value.lower()

    def validate_add_ons(self, value: list[dict[str, Any]]) -> dict[str, int]:
        """Return how many of each there are to be, by slug; nothing may be named twice."""
        if len({each["slug"] for each in value}) < len(value):
            raise serializers.ValidationError(_("Name each add-on once."))
        return {each["slug"]: each["quantity"] for each in value}


class ChangeRequest(PriceRequest):
    proration_date = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**53,
        help_text="The value that the preview returned",
    )
    line = LineField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a line that is not that of the plan, which tells the line by itself."""
        plan = Plan.objects.filter(slug=attrs["plan"]).first() if attrs["line"] else None
        if plan is not None and plan.line != attrs["line"]:
            words = _("The plan {plan} is of the line {line}.").format(plan=plan.slug, line=plan.line)
            raise serializers.ValidationError({"line": words})
        return attrs


class CancelRequest(serializers.Serializer[Any]):
    when = Choice(["period_end", "now"])
    reason = Choice(list(cancel.REASONS), required=False)
    comment = serializers.CharField(required=False, max_length=500, help_text="Kept with the subscription at Stripe")
    line = LineField()


class PauseRequest(serializers.Serializer[Any]):
    until = Day(
        help_text="The first day on which payments may be charged again; the pause ends with the renewal that follows"
    )
    line = LineField()


class InvoicesQuery(serializers.Serializer[Any]):
    after = serializers.RegexField(
        "^[A-Za-z0-9_:,]{1,2000}$", required=False, default="", help_text="`next` of the previous page"
    )
    limit = serializers.IntegerField(min_value=1, max_value=MOST, required=False, default=PAGE)


class UsageRequest(serializers.Serializer[Any]):
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY, default=1)
    key = serializers.CharField(
        max_length=255, default="", allow_blank=True, help_text="Counts once: repeat a request with the same key"
    )


class ReleaseRequest(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=255)


class RedeemRequest(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=200)
