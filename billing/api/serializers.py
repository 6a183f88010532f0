"""These serializers define the shapes of the answers of the API; `asked` has those of requests."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from billing import catalogue
from billing.catalogue import visitors
from billing.lifecycle import Effect, trials
from billing.models import Hold, Plan, Subscription

from .fixed import Choice, Moment, OwnWords
from .prices import PriceSerializer, add_on_price_answers, money, price_answers


@extend_schema_serializer(component_name="BillingError")
class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Stable code for programs")
    detail = serializers.CharField(help_text="Sentence for people")


class CheckoutAnswer(serializers.Serializer[Any]):
    session_id = serializers.CharField()
    url = serializers.URLField(help_text="Redirect the buyer to this address")


class PortalAnswer(serializers.Serializer[Any]):
    url = serializers.URLField(
        help_text="Redirect the subscriber to this address at once: it expires after a few minutes"
    )


class QuotaSerializer(serializers.Serializer[Any]):
    used = serializers.IntegerField(help_text="What was used of the month's limit")
    limit = serializers.IntegerField(allow_null=True, help_text="null means no limit")
    credits = serializers.IntegerField(help_text="Spent when the month's limit is used up")
    remaining = serializers.IntegerField(allow_null=True, help_text="What may still be used of both")
    overage = serializers.IntegerField(help_text="What was used beyond both, and is paid by use")


class RedemptionSerializer(serializers.Serializer[Any]):
    what = serializers.CharField(source="code.what", help_text="What was given, in words")
    plan = serializers.CharField(source="code.plan.slug", default="", help_text="Empty if it is no plan")
    feature = serializers.CharField(source="code.feature", help_text="Empty if it is a plan")
    quantity = serializers.IntegerField(source="code.quantity", allow_null=True)
    is_credits = serializers.BooleanField(source="code.once", help_text="Spent once, rather than added to each month")
    until = Moment(allow_null=True, help_text="null: for good")


class HoldSerializer(serializers.ModelSerializer[Hold]):
    kind = Choice(Hold.Kind.values)
    placed_at = Moment()

    class Meta:
        model = Hold
        fields = ["kind", "placed_at"]


class PendingChangeSerializer(serializers.Serializer[Any]):
    kind = Choice(Subscription.Pending.values)
    plan = serializers.CharField(help_text="Empty if the price belongs to no plan")
    interval = serializers.CharField()
    interval_count = serializers.IntegerField()
    effective_at = Moment(allow_null=True, help_text="When a `scheduled` change takes effect")
    expires_at = Moment(allow_null=True, help_text="When a `pending_update` expires unless it is paid")
    confirm_url = serializers.CharField(
        help_text="Address at which a `pending_update` is paid or confirmed; otherwise empty"
    )
    add_ons = serializers.DictField(
        child=serializers.IntegerField(), allow_null=True, help_text="How many of each add-on from then on, by slug"
    )


class HeldAddOnSerializer(serializers.Serializer[Any]):
    slug = serializers.SlugField(source="add_on.slug")
    name = OwnWords(source="add_on.name")
    quantity = serializers.IntegerField()
    amount = serializers.IntegerField(
        allow_null=True, help_text="What so many cost at each renewal: minor units, before discounts and taxes"
    )
    currency = serializers.CharField()
    quantity_then = serializers.IntegerField(
        source="then", allow_null=True, help_text="How many after the pending change; null if it changes nothing here"
    )


class PriceChangeSerializer(serializers.Serializer[Any]):
    amount = serializers.IntegerField(
        source="new_amount", help_text="What is charged from then on: minor units, before discounts and tax"
    )
    previous_amount = serializers.IntegerField(
        source="old_amount",
        allow_null=True,
        help_text="What is charged until then: minor units, before discounts and tax",
    )
    currency = serializers.CharField()
    at = Moment(source="moves_at", help_text="The renewal that charges the new amount first")


class CreditSerializer(serializers.Serializer[Any]):
    amount = serializers.IntegerField(help_text="Minor units")
    currency = serializers.CharField()


class NextChargeSerializer(CreditSerializer):
    amount = serializers.IntegerField(help_text="Minor units, after discounts, balance and tax")
    at = Moment()


class DiscountSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    code = serializers.CharField(help_text="The promotion code, if there was one; otherwise empty")
    percent_off = serializers.FloatField(allow_null=True)
    duration = serializers.CharField(help_text="`once`, `repeating` or `forever`")
    saves = serializers.IntegerField(
        allow_null=True, help_text="Minor units off the next renewal; null where usage decides it"
    )
    currency = serializers.CharField(source="subscription.currency")
    ends_at = Moment(allow_null=True)


class CollectionPauseSerializer(serializers.Serializer[Any]):
    until = Moment(allow_null=True, help_text="The renewal that is charged again; null until somebody resumes it")
    access_until = Moment(allow_null=True, help_text="The end of what was paid; null if access goes on")


class OwedSerializer(serializers.Serializer[Any]):
    invoice = serializers.CharField()
    amount_remaining = serializers.IntegerField(help_text="Amount in minor units")
    currency = serializers.CharField()
    due_at = Moment(allow_null=True)
    payment = Choice(
        ["none", "processing", "requires_action", "failed"],
        help_text="`processing`: on its way, as a bank debit is for days",
    )
    url = serializers.CharField(help_text="Address of the page on which it is paid; empty if you may not pay it")


class SubscriptionState(serializers.Serializer[Any]):
    """The current state of a subscriber; times are in ISO 8601, UTC."""

    plan = serializers.SlugField(help_text="The plan in effect; the free plan if there is no access")
    line = serializers.SlugField(help_text="The line of plans that this is about")
    status = serializers.CharField(help_text="Stripe's status, or `none`")
    has_access = serializers.BooleanField()
    reason = serializers.CharField(help_text="Stable code that says why there is access or not")
    current_period_end = Moment(allow_null=True)
    cancel_at = Moment(allow_null=True)
    access_ends_at = Moment(
        allow_null=True, help_text="When access really ends as things stand; null while nothing ends it"
    )
    trial_end = Moment(allow_null=True)
    grace_ends_at = Moment(allow_null=True)
    holds = HoldSerializer(many=True)
    usage = serializers.DictField(child=QuotaSerializer(), help_text="Usage by feature")
    add_ons = HeldAddOnSerializer(many=True)
    pending_change = PendingChangeSerializer(allow_null=True)
    price_change = PriceChangeSerializer(
        source="coming_price", allow_null=True, help_text="A change of the plan's price that was announced; else null"
    )
    next_charge = NextChargeSerializer(
        allow_null=True, help_text="null if nothing will be charged, and while the amount is not known yet"
    )
    discounts = DiscountSerializer(many=True)
    collection_paused = CollectionPauseSerializer(allow_null=True, help_text="null while payments are collected")
    address_missing = serializers.BooleanField(
        source="lacks_address",
        help_text="Tax, or an invoice, waits for an address: lead to `POST /subscriptions/portal`, where it is entered",
    )
    credit = CreditSerializer(allow_null=True, help_text="What later invoices are reduced by")
    owed = OwedSerializer(many=True, help_text="Unpaid invoices, first the one that access depends on")


class AmountSerializer(serializers.Serializer[Any]):
    amount = serializers.IntegerField(help_text="Amount in minor units, as Stripe counts them")
    formatted = serializers.CharField()


@extend_schema_field(AmountSerializer)
class Money(serializers.Field[Any, Any, Any, Any]):
    """This field shows an amount in minor units of the currency beside it, and formatted for the context's
    `language`."""

    def get_attribute(self, instance: Any) -> Any:
        amount = getattr(instance, self.source or self.field_name or "")
        return None if amount is None else money(amount, instance.currency, self.context["language"])

    def to_representation(self, value: Any) -> Any:
        return value


class LineSerializer(serializers.Serializer[Any]):
    description = serializers.CharField()
    amount = serializers.IntegerField(help_text="Amount in minor units; negative for unused time")
    period_start = Moment()
    period_end = Moment()


class OverflowSerializer(serializers.Serializer[Any]):
    feature = serializers.CharField()
    used = serializers.IntegerField(help_text="Used in the current period")
    limit = serializers.IntegerField(help_text="Limit of the new plan")
    over_by = serializers.IntegerField()


class AddOnOutlookSerializer(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    name = OwnWords()
    quantity = serializers.IntegerField()
    is_kept = serializers.BooleanField(help_text="false: the new plan can't have it, so it ends with this change")
    cost = serializers.IntegerField(allow_null=True, help_text="Minor units at each renewal; null if it ends")


class PreviewAnswer(serializers.Serializer[Any]):
    plan = serializers.SlugField(source="price.plan.slug")
    interval = serializers.CharField(source="price.interval")
    interval_count = serializers.IntegerField(source="price.interval_count")
    currency = serializers.CharField()
    effect = Choice([effect.value for effect in Effect])
    takes_effect_at = Moment()
    amount_due = Money(help_text="Amount charged now")
    net = Money(help_text="Sum of the invoice before tax, which the customer's balance may pay in part")
    tax = Money(help_text="Tax of the invoice, included in the amount charged now")
    reverse_charge = serializers.BooleanField(source="is_reverse_charged", help_text="The buyer owes the tax")
    credit = Money(help_text="Credit for unused time, deducted from later invoices")
    lines = LineSerializer(many=True)
    renewal_amount = Money(
        allow_null=True,
        help_text="The plan's list price at the next renewal, before discounts and taxes; null if usage decides it",
    )
    renews_at = Moment()
    add_ons = AddOnOutlookSerializer(many=True, help_text="What becomes of each add-on that there is")
    overflows = OverflowSerializer(many=True, help_text="Limits that would be exceeded from `takes_effect_at` on")
    proration_date = serializers.IntegerField(allow_null=True, help_text="Send this value with the change")


class InvoiceSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    number = serializers.CharField()
    status = serializers.CharField(help_text="`open`, `paid`, `void` or `uncollectible`")
    created_at = Moment()
    currency = serializers.CharField()
    total = Money()
    net = Money(help_text="The total without tax")
    tax = Money(help_text="The tax in the total")
    reverse_charge = serializers.BooleanField(source="is_reverse_charged", help_text="The buyer owes the tax")
    amount_paid = Money()
    hosted_invoice_url = serializers.CharField()
    invoice_pdf = serializers.CharField()


class InvoicesAnswer(serializers.Serializer[Any]):
    invoices = InvoiceSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Send this value as `after` to get the next page")


class SoldAddOnSerializer(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    name = OwnWords()
    description = OwnWords()
    limits = serializers.DictField(
        child=serializers.IntegerField(allow_null=True), help_text="More a month, for each one that is bought"
    )
    most = serializers.IntegerField(allow_null=True, help_text="How many one may have; null: any number")
    prices = serializers.DictField(
        child=serializers.DictField(child=AmountSerializer()), help_text="By interval, then by currency"
    )


class PlanSerializer(serializers.ModelSerializer[Plan]):
    name = OwnWords()
    description = OwnWords()
    trial_days = serializers.SerializerMethodField(help_text="Of a first subscription; who had a trial gets none")
    limits = serializers.SerializerMethodField()
    currency = serializers.SerializerMethodField(help_text="Currency for this visitor, among those the plan is sold in")
    prices = serializers.SerializerMethodField()
    add_ons = serializers.SerializerMethodField(help_text="What is sold with the plan")

    class Meta:
        model = Plan
        fields = [
            "slug",
            "name",
            "description",
            "line",
            "rank",
            "trial_days",
            "min_seats",
            "limits",
            "currency",
            "prices",
            "add_ons",
        ]

    @extend_schema_field(serializers.IntegerField())
    def get_trial_days(self, plan: Plan) -> int:
        return trials.Offers(None).of(plan).days

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_currency(self, plan: Plan) -> str | None:
        asked, languages = self.context["currency"], self.context["accept_language"]
        return visitors.currency_of_visitor(asked, languages, catalogue.currencies_of([plan])) or None

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField(allow_null=True)))
    def get_limits(self, plan: Plan) -> dict[str, int | None]:
        return {row.feature: row.quantity for row in plan.limits.all()}

    @extend_schema_field(serializers.DictField(child=serializers.DictField(child=PriceSerializer())))
    def get_prices(self, plan: Plan) -> dict[str, dict[str, dict[str, Any]]]:
        """Return cadence (`month`, `3 month`) → currency → price."""
        on_offer = {str(cadence): catalogue.price_for_sale(plan, cadence) for cadence in catalogue.cadences_of([plan])}
        language = self.context["language"]
        return {cadence: price_answers(price, language) for cadence, price in on_offer.items() if price}

    @extend_schema_field(SoldAddOnSerializer(many=True))
    def get_add_ons(self, plan: Plan) -> list[dict[str, Any]]:
        """Return the add-ons that are sold with a plan, by the intervals that it has."""
        if not hasattr(self, "_add_ons"):
            self._add_ons = list(catalogue.add_ons.for_sale())
        cadences, language = catalogue.cadences_of([plan]), self.context["language"]
        found = []
        for add_on in self._add_ons:
            sold = {str(each): catalogue.add_ons.price_for(add_on, each, "") for each in cadences}
            prices = {name: add_on_price_answers(price, language) for name, price in sold.items() if price}
            if prices and add_on.is_sold_with(plan.slug):
                told = {name: getattr(add_on, name) for name in ("slug", "name", "description", "limits", "most")}
                found.append({**told, "prices": prices})
        return found
