"""The subscription of an agreement is started at Stripe here, once, whatever is interrupted.

1. The status becomes `starting`, of one agreement in a line of a subscriber at a time.
2. In the customer's lane: open Checkouts of the line are expired, and Stripe is asked what there is. A subscription
   that names the agreement is taken, as an earlier try made it; beside another live one nothing is started.
3. An agreed amount becomes a price of its own, then the subscription is made, then its first invoice is sent. Each
   call's idempotency key names the agreement.
4. Our rows are refreshed, and the status becomes `started`, in one transaction.

Where Stripe does not answer, the status stays, and the worker goes on each minute. A refusal is kept with its reason;
once the subscription is made, nothing is refused any more.
"""

import logging
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from billing import access, catalogue, cause, clock, lanes, payments, stripe_client, subscriptions
from billing.catalogue import AGREEMENT_KEY
from billing.conf import conf
from billing.lifecycle import checkout, customers, refusals, tax
from billing.lifecycle.customers import METADATA_KEY
from billing.models import Agreement, Customer, Price
from billing.monitoring import alerts
from billing.stripe_account import OfAnotherAccount
from billing.stripe_client import NoSuchCustomer, NoTaxAddress, StripeRefused, StripeUnavailable, fetch, id_of, readers

from .terms import AgreementRefused, discount_entry, model_price

log = logging.getLogger(__name__)

Status = Agreement.Status
Found = dict[str, Any]

CAUSE = "agreement"
PO_NUMBER = "PO number"
BESIDE = (
    "The subscriber has a live subscription of this line, or its first payment is on its way. A second one would bill "
    "them twice: end that one first, then send this again."
)
UNKNOWN = "Stripe knows no such customer by our key. End the customer on their page, then send this again."
NOWHERE = (
    "Stripe finds no place to tax for this customer. Enter their country and postal code at Stripe, or return them "
    "from BILLING_CUSTOMER_DETAILS, then send this again."
)
WHY: dict[type[Exception], tuple[str, str]] = {
    refusals.SubscriptionPaused: ("subscription_paused", BESIDE),
    refusals.AlreadySubscribed: ("already_subscribed", BESIDE),
    refusals.AccountClosing: ("account_closing", "The account is being deleted, so nothing can be started for it."),
    refusals.AccessWithheld: (
        "access_on_hold",
        "The subscriber's access is on hold, so they would pay for nothing. Release the hold, then send this again.",
    ),
    NoTaxAddress: ("tax_address_needed", NOWHERE),
    OfAnotherAccount: ("customer_unknown", UNKNOWN),
    NoSuchCustomer: ("customer_unknown", UNKNOWN),
}


def each_minute() -> str:
    """Start the agreements whose day has come, and go on with those that were interrupted. Returns a summary."""
    today = timezone.localdate(clock.now())
    is_due = Q(status=Status.SENT) & (Q(starts_on=None) | Q(starts_on__lte=today))
    due = Agreement.objects.filter(is_due | Q(status=Status.STARTING)).order_by("sent_at", "pk")
    return f"{sum(_try(pk) for pk in list(due.values_list('pk', flat=True)))} agreements started"


def begin(pk: Any, wait_seconds: float = 3.0) -> None:
    """Start the subscription of a sent agreement, or go on with it. Raises `AgreementRefused`, after which nothing has
    started.
    """
    try:
        with transaction.atomic():
            Agreement.objects.filter(pk=pk, status=Status.SENT).update(status=Status.STARTING)
    except IntegrityError:
        Agreement.objects.filter(pk=pk, status=Status.SENT).update(status=Status.REFUSED, error_message=BESIDE)
        raise AgreementRefused("already_subscribed", BESIDE) from None
    agreement = Agreement.objects.select_related("subscriber", "plan", "price", "customer").get(pk=pk)
    if agreement.status != Status.STARTING:
        return
    try:
        _start(agreement, wait_seconds)
    except (StripeUnavailable, lanes.LaneBusy) as error:
        log.warning("agreement not started yet", extra={"agreement": str(pk), "error": str(error)})
    except (refusals.Refused, OfAnotherAccount, *StripeRefused) as error:
        if Agreement.objects.filter(pk=pk).exclude(subscription_id="").exists():
            log.exception("agreement started, and not recorded yet", extra={"agreement": str(pk)})
            return
        code, sentence = _why(error)
        Agreement.objects.filter(pk=pk, status=Status.STARTING).update(
            status=Status.REFUSED, refusals=F("refusals") + 1, error_message=sentence
        )
        raise AgreementRefused(code, sentence) from error


def _try(pk: Any) -> int:
    try:
        begin(pk, wait_seconds=0)
    except AgreementRefused as error:
        alerts.alert_staff(
            f"agreement_refused:{pk}",
            f"The agreement {pk} could not start",
            f"Nothing was started, and nobody is billed: {error}\nThe agreement's page in the admin sends it again, or "
            "discards it.",
        )
    except Exception:
        log.exception("agreement not started", extra={"agreement": str(pk)})
    return int(Agreement.objects.filter(pk=pk, status=Status.STARTED).exists())


def _why(error: Exception) -> tuple[str, str]:
    for kind, why in WHY.items():
        if isinstance(error, kind):
            return why
    if isinstance(error, AgreementRefused):
        return error.code, str(error)
    if isinstance(error, StripeRefused):
        return "stripe_refused", f"Stripe refused it: {error.user_message or error.code or 'it gives no reason'}"
    return "refused", str(error)


def _start(agreement: Agreement, wait_seconds: float) -> None:
    customer = _customer_of(agreement)
    with (
        cause.recorded_as(agreement.sent_by or CAUSE),
        lanes.exclusive(customer.pk, wait_seconds=wait_seconds) as commit,
    ):
        if not Agreement.objects.filter(pk=agreement.pk, status=Status.STARTING).exists():
            return
        # The refresh below must not reuse what was read to decide, so these reads have a cache of their own.
        with stripe_client.drain_reads():
            made = checkout.make_way(customer, agreement.line, lambda found: _is_of(agreement, found))
            made = made or _make(agreement, customer)
            Agreement.objects.filter(pk=agreement.pk).update(subscription_id=made["id"])
            invoice = _send_invoice(agreement, made)
        commit(lambda: _record(agreement, customer, made["id"], invoice))


def _customer_of(agreement: Agreement) -> Customer:
    """Return the customer that an earlier try chose, unless they are gone; else the one that buys next."""
    known = agreement.customer
    if known is not None and known.deleted_at is None and known.missing_since is None:
        customers.refuse_if_deleting(agreement.subscriber)
        return known
    customer = customers.customer_for(agreement.subscriber, agreement.currency)
    Agreement.objects.filter(pk=agreement.pk).update(customer=customer)
    return customer


def _is_of(agreement: Agreement, found: Found) -> bool:
    return readers.metadata_of(found).get(AGREEMENT_KEY) == str(agreement.pk)


def _make(agreement: Agreement, customer: Customer) -> Found:
    customers.refuse_if_deleting(agreement.subscriber)
    if access.withheld(customer):
        raise refusals.AccessWithheld
    price = agreement.price or _agreed_price(agreement)
    counted = {} if catalogue.amounts.is_metered(price) else {"quantity": agreement.quantity}
    params: dict[str, Any] = {
        "customer": customer.pk,
        "items": [{"price": price.pk, **counted}],
        "collection_method": "send_invoice",
        "days_until_due": agreement.days_until_due,
        "metadata": {
            AGREEMENT_KEY: str(agreement.pk),
            METADATA_KEY: customers.subscriber_key(agreement.subscriber),
        },
    }
    params |= tax.of_subscription()
    if agreement.trial_days:
        params["trial_period_days"] = agreement.trial_days
    if entry := discount_entry(agreement.discount, agreement.subscriber, price.product, agreement.currency):
        params["discounts"] = [entry]
    if agreement.currency != price.currency:
        params["currency"] = agreement.currency
    if texts := _invoice_texts(agreement):
        params["invoice_settings"] = texts
    return stripe_client.post("/v1/subscriptions", idempotency_key=_key(agreement, "subscription"), **params)


def _agreed_price(agreement: Agreement) -> Price:
    """Make the price of an agreed amount, by the plan's product. Its metadata name plan and agreement, by which every
    room knows it as the plan's, and as not for sale.
    """
    model = model_price(agreement.plan)
    if model is None:
        raise AgreementRefused("price_not_offered", f"The plan {agreement.plan} has no price at Stripe any more.")
    said = conf.tax.get("behavior", "") if model.tax_behavior in {"", "unspecified"} else model.tax_behavior
    told = {"tax_behavior": said} if said else {}
    made = stripe_client.post(
        "/v1/prices",
        idempotency_key=_key(agreement, "price"),
        product=model.product,
        currency=agreement.currency,
        unit_amount=agreement.unit_amount,
        recurring={"interval": agreement.interval, "interval_count": agreement.interval_count},
        metadata={catalogue.PLAN_KEY: agreement.plan.slug, AGREEMENT_KEY: str(agreement.pk)},
        expand=fetch.PRICE_EXPAND,
        **told,
    )
    price = catalogue.give_price(made, agreement.plan)
    if price is None:
        raise AgreementRefused("stripe_refused", "Stripe answered with a price that does not recur.")
    Agreement.objects.filter(pk=agreement.pk).update(price=price)
    return price


def _invoice_texts(agreement: Agreement) -> dict[str, Any]:
    """Return what stands on each invoice. Fields of the subscription replace those of the customer, so these come
    along.
    """
    texts: dict[str, Any] = {}
    if memo := agreement.memo or conf.invoice.get("memo"):
        texts["description"] = memo
    if agreement.po_number:
        others = conf.invoice.get("custom_fields") or []
        texts["custom_fields"] = [{"name": PO_NUMBER, "value": agreement.po_number}, *others][:4]
    return texts


def _send_invoice(agreement: Agreement, made: Found) -> str:
    """Have Stripe send the first invoice now, rather than after an hour, and return its id; "" if there is none.

    Stripe tries again by itself to finalize what it refused to send, for example because tax needs an address.
    """
    invoice_id = id_of(made["latest_invoice"])
    if not invoice_id or stripe_client.get(f"/v1/invoices/{invoice_id}")["status"] != "draft":
        return invoice_id
    try:
        stripe_client.post(f"/v1/invoices/{invoice_id}/send", idempotency_key=_key(agreement, "invoice"))
    except StripeRefused as error:
        log.warning("invoice not sent", extra={"invoice": invoice_id, "error": str(error)})
    return invoice_id


def _record(agreement: Agreement, customer: Customer, subscription_id: str, invoice_id: str) -> None:
    """Refresh our rows. The invoice is read first, so that nothing is announced in a transaction that begins again."""
    if invoice_id:
        fetch.current_invoice(invoice_id, customer.pk)
    subscriptions.refresh_rows(customer)
    if invoice_id:
        payments.record_invoice(customer, invoice_id)
    Agreement.objects.filter(pk=agreement.pk).update(
        status=Status.STARTED,
        subscription_id=subscription_id,
        invoice_id=invoice_id,
        started_at=clock.now(),
        error_message="",
    )


def _key(agreement: Agreement, what: str) -> str:
    """Return the idempotency key of a call; after a refusal another one, since Stripe replays refusals too."""
    return f"agreement:{agreement.pk}:{agreement.refusals}:{what}"
