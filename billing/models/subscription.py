"""A customer has projected subscriptions and holds."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from django.db import IntegrityError, OperationalError, models, transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from billing.conf import conf

from .catalogue import MAIN_LINE, Plan, Price
from .subscriber import SubscriberKey
from .texts import StripeText

TIMES = 3
T = TypeVar("T")


def protect_billed(collector: Any, field: Any, rows: Any, using: str) -> None:
    """Refuse to delete a subscriber whom Stripe may bill; a customer who was deleted at Stripe is unlinked instead."""
    if rows.filter(deleted_at=None).exists():
        models.PROTECT(collector, field, rows, using)
    else:
        models.SET_NULL(collector, field, rows, using)


def once_more(change: Callable[[], T]) -> T:
    """Make a change in a transaction; make it again if another transaction changed the same customers at the same
    moment."""
    for _ in range(TIMES - 1):
        with suppress(IntegrityError, OperationalError), transaction.atomic():
            return change()
    with transaction.atomic():
        return change()


class CustomerQuerySet(models.QuerySet["Customer"]):
    def of(self, subscriber: Any, *, deleted_too: bool = False) -> "Customer | None":
        """Return the current Stripe customer of a subscriber; None for nobody, and for a user who is not saved.

        A customer who was deleted at Stripe counts only with `deleted_too`.
        """
        rows = self.all_of(subscriber).filter(is_current=True)
        return (rows if deleted_too else rows.filter(deleted_at=None)).first()

    def all_of(self, subscriber: Any) -> "CustomerQuerySet":
        """Return every customer that a subscriber has had, the current one first, then the newest."""
        if getattr(subscriber, "pk", None) is None:
            return self.none()
        return self.filter(subscriber=subscriber.pk).order_by("-is_current", "-created_at", "pk")

    def living_of(self, subscriber: Any) -> "CustomerQuerySet":
        """Return the customers of a subscriber who are not deleted at Stripe, the current one first."""
        return self.all_of(subscriber).filter(deleted_at=None)

    def in_lane_order(self) -> "list[Customer]":
        """Return them in the order in which a transaction wakes several lanes (`lanes.wake_all`)."""
        return sorted(self, key=lambda customer: customer.pk)

    def link(self, customer_id: str, subscriber_id: Any, *, becomes_current: bool = False) -> bool:
        """Link a customer without a subscriber, and return whether it was linked.

        It becomes the current one if it is to, or if the subscriber has none that lives at Stripe.
        """
        return once_more(lambda: self._link(customer_id, subscriber_id, becomes_current=becomes_current))

    def _link(self, customer_id: str, subscriber_id: Any, *, becomes_current: bool) -> bool:
        free = self.filter(pk=customer_id, subscriber=None, deleted_at=None)
        if not free.update(subscriber=subscriber_id, is_current=False):
            return False
        has_current = self.filter(subscriber=subscriber_id, is_current=True, deleted_at=None).exists()
        if becomes_current or not has_current:
            self._set_current(customer_id, subscriber_id)
        return True

    def make_current(self, customer: "Customer") -> None:
        once_more(lambda: self._set_current(customer.pk, customer.subscriber_id))
        customer.is_current = True

    def _set_current(self, customer_id: str, subscriber_id: Any) -> None:
        theirs = self.filter(subscriber=subscriber_id, is_current=True)
        theirs.exclude(pk=customer_id).update(is_current=False)
        self.filter(pk=customer_id).update(is_current=True)

    def replace_current(self, deleted: "Customer") -> None:
        """Make the newest customer that lives at Stripe the current one, after the current one was deleted there."""
        others = self.all_of(deleted.subscriber).filter(deleted_at=None).exclude(pk=deleted.pk)
        if deleted.is_current and (newest := others.first()):
            self.make_current(newest)
            deleted.is_current = False


class Customer(models.Model):
    """A customer links a Stripe customer with a subscriber. Without one it is a tombstone for late webhooks.

    A subscriber may have had several: deleted and made again, in another currency, found by an import. All are theirs,
    and one is current: the next Checkout and the portal use it. Django refuses to delete a subscriber whom Stripe may
    bill: `billing.lifecycle.deletion` unlinks the customers first.
    """

    id = models.CharField(primary_key=True, max_length=255)
    subscriber: Any = SubscriberKey(
        conf.subscriber_model, null=True, blank=True, on_delete=protect_billed, related_name="billing_customers"
    )
    is_current = models.BooleanField(default=True, help_text="Whether it is the one that buys next")
    email = StripeText(max_length=512, blank=True, help_text="Bills go to this address, as Stripe has it")
    preferred_locale = StripeText(
        max_length=20, blank=True, help_text="The language in which Stripe writes to the customer"
    )
    balance = models.BigIntegerField(
        default=0, help_text="Minor units of `currency`: negative is a credit for later invoices"
    )
    currency = models.CharField(max_length=3, blank=True, help_text="The currency that Stripe has settled on")
    account = models.CharField(
        max_length=255, blank=True, default="", help_text="The Stripe account that the customer lives in"
    )
    livemode = models.BooleanField(null=True, blank=True, help_text="Whether it is a customer of Stripe's live mode")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when Stripe has said that it knows no such customer"
    )

    objects = CustomerQuerySet.as_manager()

    class Meta:
        permissions = [
            ("hold_customer", "Can place a hold on access"),
            ("release_customer", "Can release a hold on access"),
            ("grant_customer", "Can give access without payment, extend and end it"),
            ("refresh_customer", "Can refresh from Stripe"),
            ("refund_payment", "Can refund or keep a payment that bought nothing"),
            ("void_invoice", "Can void an unpaid invoice"),
            ("move_trial", "Can extend or end a trial, or let one run whose person had one before"),
            ("finalize_invoice", "Can have Stripe finalize an invoice again"),
            ("judge_taxid", "Can accept or remove an unverified tax ID"),
            ("map_price", "Can say which plan an unknown price buys, or keep it"),
            ("end_customer", "Can end a customer whom Stripe does not know"),
            ("discount_customer", "Can give and end discounts"),
            ("pause_customer", "Can pause payments and resume them"),
            ("change_add_ons", "Can change how many of an add-on a subscriber has"),
            ("give_back_payment", "Can refund any payment, whole or in part"),
            ("credit_customer", "Can give a credit on the next invoices"),
            ("invoice_customer", "Can send invoices"),
            ("cancel_subscription", "Can cancel a subscription and take that back"),
            ("switch_plan", "Can change a subscriber's plan or quantity"),
            ("link_customer", "Can link another customer to a subscriber"),
            ("export_customer", "Can export customers, payments, invoices, refunds and usage"),
            ("note_customer", "Can write notes about a customer"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subscriber"], condition=Q(is_current=True), name="billing_one_current_customer"
            )
        ]
        indexes = [
            models.Index(fields=["email"], name="billing_customer_by_email"),
            models.Index(fields=["account", "livemode"], name="billing_customer_by_account"),
            models.Index(
                fields=["missing_since"], name="billing_customer_missing", condition=Q(missing_since__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def subscription(self) -> "Subscription":
        """Return the subscription that counts in the line `main`, or a placeholder."""
        return self.subscription_in(MAIN_LINE)

    def subscription_in(self, line: str) -> "Subscription":
        """Return the subscription that counts in a line; a placeholder, which is not saved, if there is none."""
        if "subscriptions" in getattr(self, "_prefetched_objects_cache", {}):
            rows = [row for row in self.subscriptions.all() if row.counts and row.line == line]
        else:
            rows = list(self.subscriptions.select_related("plan", "price").filter(counts=True, line=line)[:1])
        return rows[0] if rows else Subscription(customer=self, line=line)

    @property
    def credit(self) -> int:
        """Return the credit that reduces later invoices, in minor units of `currency`."""
        return max(-self.balance, 0)


class Subscription(models.Model):
    """A row shows one subscription as Stripe last described it; only `billing.subscriptions` writes it.

    A customer may have any number of them. `whose` tells whether it is to a plan of ours, to a price that no plan
    knows, or to another product of the same Stripe account. In each line of plans at most one counts: what a
    subscriber has is read from that one alone. A placeholder, which is never saved, stands where none counts.

    Stripe's `status`, a scheduled cancellation (`cancel_at`) and our holds are independent of each other.
    A pending change of plan stands in the `pending_…` columns, whoever asked for it.
    """

    class Whose(models.TextChoices):
        OURS = "ours", "to a plan of ours"
        UNKNOWN = "unknown", "to a price that no plan knows"
        FOREIGN = "foreign", "to another product of the Stripe account"

    class Pending(models.TextChoices):
        SCHEDULED = "scheduled", "at the end of the period"
        UPDATE = "pending_update", "when its invoice is paid"
        AWAITED = "awaiting_payment", "when its payment arrives, which takes days"

    class Status(models.TextChoices):
        NONE = "none", "never subscribed"
        INCOMPLETE = "incomplete"
        INCOMPLETE_EXPIRED = "incomplete_expired"
        TRIALING = "trialing"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        UNPAID = "unpaid"
        PAUSED = "paused"
        CANCELED = "canceled"

    TERMINAL = frozenset({Status.CANCELED, Status.INCOMPLETE_EXPIRED})
    AT_STRIPE = frozenset(set(Status) - {Status.NONE})
    VOIDED = "void"  # what Stripe does with invoices while payments are paused and nothing is given for free
    # Debits take days, and their refusals too.
    DEBITS: ClassVar[dict[str, Promise]] = {
        "sepa_debit": gettext_lazy("SEPA debit"),
        "us_bank_account": gettext_lazy("Bank account"),
        "bacs_debit": gettext_lazy("Bacs debit"),
        "acss_debit": gettext_lazy("Pre-authorized debit"),
        "au_becs_debit": gettext_lazy("BECS debit"),
        "nz_bank_account": gettext_lazy("BECS debit"),
    }

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="subscriptions")
    stripe_id = models.CharField(max_length=255, blank=True, unique=True)
    whose = models.CharField(max_length=7, choices=Whose.choices, default=Whose.OURS)
    line = models.SlugField(blank=True, default=MAIN_LINE, help_text="The line of its plan; empty if it is foreign")
    counts = models.BooleanField(default=True, help_text="Whether it is the one in its line that gives access")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.NONE)
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="subscriptions")
    price = models.ForeignKey(Price, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    add_ons: Any = models.JSONField(default=dict, blank=True, help_text='How many of each add-on: {"extra": 2}')
    add_on_mrr = models.BigIntegerField(default=0, help_text="What its add-ons cost a month, minor units, with any tax")
    currency = models.CharField(max_length=3, blank=True)
    mrr = models.BigIntegerField(default=0, help_text="Monthly recurring revenue, minor units of its currency")
    included_tax = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        default=0,
        help_text="Percent of the net that its latest invoice had within as tax",
    )
    lacks_address = models.BooleanField(
        default=False, help_text="Whether Stripe has stopped to tax it, since the customer has no address"
    )
    mrr_off = models.BigIntegerField(default=0, help_text="What discounts that last take off the MRR, minor units")
    started_at = models.DateTimeField(null=True, blank=True)
    current_period_start = models.DateTimeField(null=True, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)
    billing_cycle_anchor = models.DateTimeField(
        null=True, blank=True, help_text="Stripe counts periods from then, and we the months of usage"
    )
    trial_end = models.DateTimeField(null=True, blank=True)
    cancel_at = models.DateTimeField(null=True, blank=True, help_text="When the scheduled cancellation takes effect")
    canceled_at = models.DateTimeField(null=True, blank=True, help_text="When the cancellation was asked for")
    cancel_feedback = StripeText(max_length=40, blank=True, help_text="The reason that the subscriber chose")
    ended_at = models.DateTimeField(null=True, blank=True)
    past_due_since = models.DateTimeField(null=True, blank=True, help_text="Grace is counted from then")
    past_due_method = StripeText(
        max_length=40, blank=True, help_text="Stripe's type of the payment method that failed then"
    )
    latest_invoice = models.CharField(max_length=255, blank=True)
    default_payment_method = models.CharField(max_length=255, blank=True)
    has_payment_method = models.BooleanField(
        null=True, help_text="Whether Stripe has something to charge; empty while we have not seen it"
    )
    collection_method = StripeText(max_length=30, blank=True, help_text="Charged automatically, or sent")
    collection_paused = StripeText(
        max_length=30,
        blank=True,
        help_text="What Stripe does with invoices while their collection is paused",
    )
    collection_resumes_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until somebody resumes it")
    paid_until = models.DateTimeField(
        null=True, blank=True, help_text="While invoices are voided: the end of what was paid before"
    )
    trial_end_without_card = StripeText(
        max_length=30, blank=True, help_text="What Stripe does if a trial ends without a payment method"
    )
    payment_method_type = StripeText(
        max_length=40, blank=True, help_text="Stripe's type of the payment method that will be charged, such as card"
    )
    card_brand = StripeText(max_length=20, blank=True, help_text="Brand of the card that will be charged")
    card_last4 = StripeText(max_length=4, blank=True, help_text="Last digits of the card or bank account")
    card_expires_on = models.DateField(null=True, blank=True, help_text="The last day on which the card works")
    pending_kind = models.CharField(max_length=20, choices=Pending.choices, blank=True)
    pending_price = models.ForeignKey(Price, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    pending_at = models.DateTimeField(
        null=True, blank=True, help_text="When the change happens, or lapses unless it is paid"
    )
    pending_url = models.TextField(blank=True, help_text="Page on which to confirm the payment of the change")
    pending_add_ons: Any = models.JSONField(
        null=True, blank=True, help_text="The add-ons after the pending change; null without one"
    )
    unmapped_price = models.CharField(max_length=255, blank=True, help_text="A price at Stripe that belongs to no plan")
    kept_price = models.CharField(
        max_length=255, blank=True, help_text="A price of no plan that staff have decided to keep as it is"
    )
    announced_trial_end = models.DateTimeField(null=True, blank=True, help_text="Trial end of the last trial_ending")
    announced_renewal = models.DateTimeField(null=True, blank=True, help_text="Renewal of the last renewal_coming")
    announced_card_expiry = models.DateField(null=True, blank=True, help_text="Card expiry of the last card_expiring")
    has_announced_start = models.BooleanField(default=False, help_text="Whether subscription_started was announced")
    has_known_discounts = models.BooleanField(
        default=False, help_text="Whether its discounts are rows here, so that another one is news"
    )
    fetched_at = models.DateTimeField(null=True, blank=True, help_text="When we began to ask Stripe for this state")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["past_due_since"], name="billing_past_due", condition=Q(past_due_since__isnull=False)),
            models.Index(fields=["current_period_end"], name="billing_period_end"),
            models.Index(fields=["canceled_at"], name="billing_canceled_at", condition=Q(canceled_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "line"], condition=Q(counts=True), name="billing_one_counts_per_line"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.plan or 'no plan'} {self.status}"

    @property
    def is_ours(self) -> bool:
        return self.whose == self.Whose.OURS

    @property
    def is_foreign(self) -> bool:
        return self.whose == self.Whose.FOREIGN

    @property
    def known_mrr(self) -> int | None:
        """Return the MRR; None while no plan knows the price, when `mrr` is kept from before."""
        return None if self.whose == self.Whose.UNKNOWN else self.mrr

    @property
    def is_free(self) -> bool:
        """Return whether its price costs nothing: a plan without money, beside which anything may be bought."""
        return self.price is not None and self.price.is_free_in(self.currency)

    @property
    def paid_with(self) -> str:
        """Return the payment method in words: "Visa ending 4242", "SEPA debit ending 3000"; "" if none is known."""
        return method_words(self.payment_method_type, self.card_brand, self.card_last4)


def method_words(kind: str, brand: str, last4: str) -> str:
    """Return a payment method in words; "" if none is known."""
    name = brand if kind in {"", "card"} else str(Subscription.DEBITS.get(kind, kind))
    name = name if kind in Subscription.DEBITS else name.replace("_", " ").title()
    return gettext("{card} ending {digits}").format(card=name, digits=last4) if name and last4 else name


class HoldQuerySet(models.QuerySet["Hold"]):
    def active(self) -> "HoldQuerySet":
        return self.filter(released_at__isnull=True)


class Hold(models.Model):
    """A hold withholds access whatever the status is. Each cause has one row, which is released and never deleted."""

    class Kind(models.TextChoices):
        DISPUTE = "dispute"
        REFUND = "refund"
        FRAUD = "fraud"
        STAFF = "staff"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="holds")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reference = models.CharField(max_length=255, help_text="The dispute, charge or case that caused the hold")
    subscription_id = models.CharField(
        max_length=255, blank=True, default="", help_text="The subscription whose access it withholds; empty for all"
    )
    reason = models.TextField(blank=True, help_text="Reason given by the member of staff who placed the hold")
    cause = models.CharField(
        max_length=255, blank=True, default="", help_text="The event or person that placed the hold"
    )
    placed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(
        max_length=255, blank=True, default="", help_text="The event or person that released the hold"
    )

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "kind", "reference"], name="billing_hold_once_per_cause")
        ]
        indexes = [models.Index(fields=["customer"], name="billing_active_hold", condition=Q(released_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.kind} hold for {self.reference}"

    @property
    def was_released_by_staff(self) -> bool:
        return self.released_at is not None and self.released_by.startswith("staff:")
