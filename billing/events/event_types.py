"""This table names every event type that we listen to. An event of another type is stored as ignored."""

CHECKOUT = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
)
SUBSCRIPTION = (
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
)
TRIAL_ENDING = ("customer.subscription.trial_will_end",)
PAID = ("invoice.paid", "invoice.payment_succeeded")
UNPAID = ("invoice.payment_failed", "invoice.payment_action_required")
# Not invoice.created: Stripe waits up to three days for its answer before it finalizes the invoice.
INVOICE = (
    "invoice.finalized",
    "invoice.updated",
    "invoice.sent",
    "invoice.will_be_due",
    "invoice.overdue",
    "invoice.voided",
    "invoice.marked_uncollectible",
)
# Of a debit; a refusal sends invoice.payment_failed.
PROCESSING = ("payment_intent.processing",)
NOT_FINALIZED = ("invoice.finalization_failed",)
INVOICE_PAYMENT = ("invoice_payment.paid",)
CHARGE_REFUNDED = ("charge.refunded",)
REFUND = ("refund.created", "refund.updated", "refund.failed")
DISPUTE = ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed")
FRAUD_WARNING = ("radar.early_fraud_warning.created",)
CUSTOMER = (
    "customer.updated",
    "customer.discount.created",
    "customer.discount.updated",
    "customer.discount.deleted",
)
TAX_ID = ("customer.tax_id.created", "customer.tax_id.updated", "customer.tax_id.deleted")
INVOICE_ITEM = ("invoiceitem.created", "invoiceitem.deleted")
QUOTE = ("quote.accepted",)
CARD = ("payment_method.updated", "payment_method.automatically_updated")
CUSTOMER_DELETED = ("customer.deleted",)
CATALOGUE = (
    "price.created",
    "price.updated",
    "price.deleted",
    "product.created",
    "product.updated",
    "product.deleted",
)

EVENT_TYPES = frozenset(
    CHECKOUT
    + SUBSCRIPTION
    + TRIAL_ENDING
    + PAID
    + UNPAID
    + INVOICE
    + PROCESSING
    + NOT_FINALIZED
    + INVOICE_PAYMENT
    + CHARGE_REFUNDED
    + REFUND
    + DISPUTE
    + FRAUD_WARNING
    + CUSTOMER
    + TAX_ID
    + INVOICE_ITEM
    + QUOTE
    + CARD
    + CUSTOMER_DELETED
    + CATALOGUE
)
