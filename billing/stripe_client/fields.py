"""This table names every field of Stripe's objects that `billing` reads, and checks that an answer has them.

An object of another API version than the pinned one has other fields: read as this one, it would say that nobody pays.
The tests hold this table to what the code reads, and to the installed SDK's own description of the pinned version.
"""

from collections.abc import Iterator
from typing import Any

# Dotted within an object; another object inside it, expanded or in a list, is looked up by its own name. `?`: Stripe
# leaves it out where it does not apply or was not asked for.
FIELDS: dict[str, str] = {
    "account": "id",
    "balance_transaction": "id amount created currency exchange_rate fee net reporting_category source type",
    "billing_portal.configuration": "id features metadata",
    "billing_portal.session": "url",
    "charge": "id amount amount_captured currency customer payment_intent refunded refunds?",
    "checkout.session": (
        "id amount_total automatic_tax?.enabled client_secret? currency customer invoice metadata mode payment_intent "
        "payment_status setup_intent? status subscription url"
    ),
    "coupon": (
        "id amount_off applies_to?.products currency currency_options? duration duration_in_months name percent_off "
        "redeem_by valid"
    ),
    "credit_note": (
        "id created currency customer customer_balance_transaction invoice out_of_band_amount post_payment_amount "
        "refunds.amount_refunded refunds.refund total total_taxes.amount total_taxes.tax_rate_details?.tax_rate "
        "total_taxes.taxability_reason? total_taxes.taxable_amount voided_at"
    ),
    "customer": (
        "id address? balance? currency? default_source? discount? email invoice_settings.default_payment_method "
        "metadata preferred_locales shipping? tax?.automatic_tax? tax_exempt? tax_ids?"
    ),
    "discount": "id end promotion_code source.coupon start",
    "dispute": "id amount charge created currency evidence_details.due_by payment_intent reason status",
    "event": "id api_version created data livemode type",
    "invoice": (
        "id amount_due amount_overpaid amount_paid amount_remaining attempt_count auto_advance? "
        "automatic_tax?.disabled_reason? automatic_tax?.status? automatically_finalizes_at? billing_reason "
        "collection_method created currency customer description due_date ending_balance hosted_invoice_url "
        "invoice_pdf last_finalization_error?.code? lines next_payment_attempt number "
        "parent.subscription_details.subscription payments? pre_payment_credit_notes_amount starting_balance status "
        "status_transitions.finalized_at status_transitions.marked_uncollectible_at status_transitions.paid_at "
        "status_transitions.voided_at total total_excluding_tax? total_taxes.amount "
        "total_taxes.tax_rate_details?.tax_rate total_taxes.tax_behavior? total_taxes.taxability_reason? "
        "total_taxes.taxable_amount"
    ),
    "invoice_payment": (
        "id amount_paid invoice payment.charge? payment.payment_intent? status status_transitions.paid_at"
    ),
    "line_item": (
        "amount description parent.type parent.subscription_item_details.proration period.end period.start "
        "pricing?.price_details?.price?"
    ),
    "payment_intent": (
        "id customer last_payment_error.code? last_payment_error.decline_code? last_payment_error.payment_method? "
        "latest_charge status"
    ),
    "payment_method": (
        "id bacs_debit?.fingerprint? bacs_debit?.last4 card?.brand card?.exp_month card?.exp_year card?.fingerprint? "
        "card?.last4 sepa_debit?.fingerprint? sepa_debit?.last4 type? us_bank_account?.fingerprint? "
        "us_bank_account?.last4"
    ),
    "plan": "id",
    "price": (
        "id active billing_scheme created currency currency_options? lookup_key metadata? product recurring.interval "
        "recurring.interval_count recurring.usage_type tax_behavior? tiers? tiers_mode transform_quantity unit_amount "
        "unit_amount_decimal"
    ),
    "promotion_code": (
        "id active code customer expires_at max_redemptions promotion.coupon restrictions.currency_options? "
        "restrictions.first_time_transaction restrictions.minimum_amount restrictions.minimum_amount_currency "
        "times_redeemed"
    ),
    "product": "id active description metadata name tax_code?",
    "refund": "id amount charge created currency failure_reason? payment_intent status",
    "setup_intent": "id payment_method",
    "subscription": (
        "id application_fee_percent? automatic_tax?.disabled_reason? automatic_tax?.enabled "
        "automatic_tax?.liability? billing_cycle_anchor billing_thresholds? cancel_at cancel_at_period_end "
        "canceled_at? cancellation_details.feedback? "
        "cancellation_details.reason collection_method created currency customer days_until_due? "
        "default_payment_method default_source default_tax_rates? description? discounts? ended_at "
        "invoice_settings?.account_tax_ids? invoice_settings?.custom_fields? invoice_settings?.description? "
        "invoice_settings?.footer? invoice_settings?.issuer?.type? items latest_invoice metadata? on_behalf_of? "
        "pause_collection?.behavior pause_collection?.resumes_at pending_update.expires_at "
        "pending_update.subscription_items schedule start_date status transfer_data? trial_end "
        "trial_start? trial_settings?.end_behavior?.missing_payment_method?"
    ),
    "subscription_item": (
        "id billing_thresholds? current_period_end current_period_start discounts? metadata? price quantity? tax_rates?"
    ),
    "subscription_schedule": (
        "id current_phase.end_date current_phase.start_date end_behavior? phases.add_invoice_items? "
        "phases.default_tax_rates? phases.discounts phases.items.discounts? phases.items.price phases.items.quantity? "
        "phases.start_date phases.trial_end? status"
    ),
    "tax_id": "id country created customer type value verification?.status",
    "tax.registration": "id country",
    "tax.settings": "defaults?.tax_behavior? status status_details?.pending?.missing_fields?",
    "tax_rate": "id active? country display_name effective_percentage inclusive jurisdiction percentage state",
    "v2.core.event_destination": "id enabled_events event_payload metadata? status updated webhook_endpoint?.url?",
    "webhook_endpoint": "id api_version enabled_events metadata secret? status url",
}
_PATHS = {name: [path.split(".") for path in paths.split()] for name, paths in FIELDS.items()}


def lacking(answer: Any) -> str:
    """Return the first field that Stripe's answer should have and has not, like `invoice.parent`; "" where all are
    there.

    Null is an answer, an id stands for its object, and one that is deleted or that we read nothing of lacks nothing.
    """
    return next(_lacking(answer), "")


def _lacking(obj: Any) -> Iterator[str]:
    if not isinstance(obj, dict) or obj.get("deleted"):
        return
    name = str(obj.get("object"))
    if name == "list":
        yield from _along(obj, ["data"], name)
    for path in _PATHS.get(name, []):
        yield from _along(obj, path, name)


def _along(found: Any, path: list[str], at: str) -> Iterator[str]:
    if isinstance(found, list):
        for each in found:
            yield from _along(each, path, at)
    elif not path:
        yield from _lacking(found)
    elif isinstance(found, dict):
        name = path[0].removesuffix("?")
        if name in found:
            yield from _along(found[name], path[1:], f"{at}.{name}")
        elif name == path[0]:
            yield f"{at}.{name}"
