"""Each sample here holds realistic or extreme facts for one kind of mail, for the gallery and for tests."""

from typing import Any

from .models import Mail
from .pack_samples import PACK_SAMPLES

Kind = Mail.Kind

RECEIVED: dict[str, Any] = {
    "amount": 1900,
    "currency": "usd",
    "plan": "Pro",
    "period_start": "2026-12-01T09:30:00+00:00",
    "period_end": "2027-01-01T09:30:00+00:00",
    "paid_at": "2026-12-01T09:31:00+00:00",
    "invoice": "in_1",
}
FAILED: dict[str, Any] = {
    "amount": 1900,
    "currency": "usd",
    "invoice": "in_1",
    "plan": "Pro",
    "next_attempt_at": "2026-12-04T09:30:00+00:00",
    "grace_ends_at": "2026-12-04T10:30:00+00:00",
    "is_grace_over": False,
}
DISPUTE: dict[str, Any] = {
    "amount": 1900,
    "currency": "usd",
    "dispute": "dp_1",
    "plan": "Pro",
    "opened_at": "2026-12-09T14:00:00+00:00",
    "is_held": True,
    "renews_at": "2027-01-01T09:30:00+00:00",
}
TO_PAY: dict[str, Any] = {
    "amount": 1900,
    "currency": "usd",
    "invoice": "in_1",
    "plan": "Pro",
    "item": "",
    "due_at": "2026-12-20T09:30:00+00:00",
    "has_access": True,
    "stage": "sent",
}
REFUND: dict[str, Any] = {
    "amount": 1900,
    "currency": "usd",
    "refund": "re_1",
    "plan": "Pro",
    "is_full": True,
    "refunded_at": "2026-12-10T14:00:00+00:00",
}
SCHEDULED: dict[str, Any] = {
    "subscription": "sub_1",
    "plan": "Pro",
    "ends_at": "2027-01-01T09:30:00+00:00",
    "has_access": True,
}
ENDED: dict[str, Any] = {
    "subscription": "sub_1",
    "plan": "Pro",
    "ended_at": "2027-01-01T09:30:00+00:00",
    "cause": "cancellation_requested",
}
OVERFLOW: dict[str, Any] = {
    "usage": 1,
    "feature": "generations",
    "plan": "Free",
    "used": 900,
    "limit": 10,
    "over": 890,
    "resets_at": "2027-01-01T09:30:00+00:00",
}

PRICE: dict[str, Any] = {"charge": 19000, "currency": "usd", "every": "year"}
CARD = "Visa •••• 4242"
SOON = "2026-12-15T09:30:00+00:00"
PRO: dict[str, Any] = {"subscription": "sub_1", "plan": "Pro"}
TRIAL: dict[str, Any] = {**PRO, **PRICE, "trial_end": SOON, "card": CARD, "every": "month", "charge": 1900}
RENEWAL: dict[str, Any] = {**PRO, "charge": 19000, "currency": "usd", "renews_at": SOON, "card": CARD}
EXPIRING: dict[str, Any] = {**PRO, "card": CARD, "last4": "4242", "expires_on": "2026-11-30", "charged_at": SOON}
CHANGED: dict[str, Any] = {**PRO, **PRICE, "previous_plan": "Basic", "price": "price_1", "quantity": 1, "since": SOON}
DOWNGRADE: dict[str, Any] = {**PRO, **PRICE, "next_plan": "Basic", "price": "price_2", "changes_at": SOON}
CLOSED: dict[str, Any] = {**PRO, "amount": 1900, "currency": "usd", "dispute": "dp_1", "is_won": True, "was_held": True}

NEW_PRICE: dict[str, Any] = {
    **PRO,
    "change": 1,
    "old_amount": 1900,
    "charge": 2400,
    "currency": "usd",
    "quantity": 1,
    "every": "month",
    "changes_at": SOON,
}
DISCOUNT: dict[str, Any] = {
    "saves": 9500,
    "full": 19000,
    "full_from": "2027-12-15T09:30:00+00:00",
    "discount_currency": "usd",
    "discount_every": "year",
}
GIVEN: dict[str, Any] = {
    **PRO,
    **DISCOUNT,
    "discount": "di_1",
    "coupon": "WELCOME",
    "name": "WELCOME",
    "is_once": False,
    "charge": 9500,
    "currency": "usd",
    "every": "year",
}
NO_MORE: dict[str, Any] = {
    **PRO,
    "discount": "di_1",
    "coupon": "WELCOME",
    "name": "WELCOME",
    "is_once": False,
    "charge": 19000,
    "currency": "usd",
    "every": "year",
    "next_at": SOON,
}
PAUSED: dict[str, Any] = {
    **PRO,
    "until": "2027-02-15T09:30:00+00:00",
    "resumes_at": "2027-02-15T08:30:00+00:00",
    "paid_until": SOON,
    "is_used_up": False,
    "is_draft": False,
}

RIGHT_TO_LEFT = "الخطة الاحترافية"
LONG_NAME = "The Extraordinarily Complete Professional Plan for Very Large Organisations & <Friends> " * 3

SAMPLES: dict[str, tuple[Mail.Kind, dict[str, Any]]] = {
    "welcome": (Kind.WELCOME, {**PRO, "trial_end": ""}),
    "welcome_on_trial": (Kind.WELCOME, {**PRO, "trial_end": SOON}),
    "welcome_on_trial_without_a_card": (Kind.WELCOME, {**PRO, "trial_end": SOON, "needs_card": "ends"}),
    "welcome_on_trial_before_a_pause": (Kind.WELCOME, {**PRO, "trial_end": SOON, "needs_card": "pauses"}),
    "welcome_from_right_to_left": (Kind.WELCOME, {**PRO, "plan": RIGHT_TO_LEFT, "trial_end": ""}),
    "welcome_without_a_plan": (Kind.WELCOME, {**PRO, "plan": "", "trial_end": ""}),
    "welcome_with_a_discount": (Kind.WELCOME, {**PRO, **DISCOUNT, "trial_end": ""}),
    "trial_ending": (Kind.TRIAL_ENDING, TRIAL),
    "trial_ending_with_a_discount": (Kind.TRIAL_ENDING, {**TRIAL, **DISCOUNT, "charge": 9500, "every": "year"}),
    "trial_ending_without_price_or_card": (Kind.TRIAL_ENDING, {**PRO, "trial_end": SOON, "card": ""}),
    "trial_ending_for_want_of_a_card": (Kind.TRIAL_ENDING, {**TRIAL, "card": "", "needs_card": "ends"}),
    "trial_ending_with_a_card_to_add": (Kind.TRIAL_ENDING, {**TRIAL, "card": "", "needs_card": "due"}),
    "trial_ending_in_a_pause": (Kind.TRIAL_ENDING, {**TRIAL, "card": "", "needs_card": "pauses"}),
    "trial_ending_before_an_invoice": (Kind.TRIAL_ENDING, {**TRIAL, "card": "", "by_invoice": True}),
    "trial_extended": (Kind.TRIAL_EXTENDED, TRIAL),
    "trial_extended_without_a_card": (Kind.TRIAL_EXTENDED, {**TRIAL, "card": "", "needs_card": "ends"}),
    "trial_extended_before_a_pause": (Kind.TRIAL_EXTENDED, {**TRIAL, "card": "", "needs_card": "pauses"}),
    "trial_extended_before_an_invoice": (
        Kind.TRIAL_EXTENDED,
        {**PRO, "trial_end": SOON, "card": "", "by_invoice": True},
    ),
    "trial_paused": (Kind.TRIAL_PAUSED, {**TRIAL, "card": ""}),
    "renewal_coming": (Kind.RENEWAL_COMING, RENEWAL),
    "renewal_coming_in_yen": (Kind.RENEWAL_COMING, {**RENEWAL, "charge": 19800, "currency": "jpy"}),
    "renewal_coming_of_unknown_amount": (Kind.RENEWAL_COMING, {**PRO, "renews_at": SOON, "card": CARD}),
    "price_change": (Kind.PRICE_CHANGE, NEW_PRICE),
    "price_change_for_seats_every_three_months_in_yen": (
        Kind.PRICE_CHANGE,
        {**NEW_PRICE, "old_amount": 270000, "charge": 330000, "currency": "jpy", "quantity": 90, "every": "3 month"},
    ),
    "price_change_down_to_nothing": (Kind.PRICE_CHANGE, {**NEW_PRICE, "charge": 0, "plan": LONG_NAME}),
    "price_stays": (Kind.PRICE_STAYS, NEW_PRICE),
    "renewal_coming_with_a_discount": (Kind.RENEWAL_COMING, {**RENEWAL, **DISCOUNT, "charge": 9500}),
    "payments_paused": (Kind.PAYMENTS_PAUSED, PAUSED),
    "payments_paused_until_resumed": (Kind.PAYMENTS_PAUSED, {**PAUSED, "until": "", "is_used_up": True}),
    "payments_paused_for_free": (Kind.PAYMENTS_PAUSED, {**PAUSED, "paid_until": ""}),
    "payments_paused_at_stripe": (Kind.PAYMENTS_PAUSED, {**PAUSED, "paid_until": "", "is_draft": True}),
    "payments_resumed": (Kind.PAYMENTS_RESUMED, {**PRO, "next_at": SOON}),
    "payments_resumed_with_nothing_ahead": (Kind.PAYMENTS_RESUMED, {**PRO, "next_at": ""}),
    "discount_given": (Kind.DISCOUNT_GIVEN, GIVEN),
    "discount_given_for_one_payment": (Kind.DISCOUNT_GIVEN, {**GIVEN, "is_once": True, "name": ""}),
    "discount_given_on_usage": (
        Kind.DISCOUNT_GIVEN,
        {**PRO, "discount": "di_1", "coupon": "WELCOME", "name": "WELCOME", "is_once": False},
    ),
    "discount_ended": (Kind.DISCOUNT_ENDED, NO_MORE),
    "discount_ended_on_usage": (
        Kind.DISCOUNT_ENDED,
        {**PRO, "discount": "di_1", "coupon": "WELCOME", "name": "", "next_at": SOON},
    ),
    "renewal_coming_by_invoice": (Kind.RENEWAL_COMING, {**RENEWAL, "card": "", "by_invoice": True}),
    "card_expiring": (Kind.CARD_EXPIRING, EXPIRING),
    "plan_changed": (Kind.PLAN_CHANGED, CHANGED),
    "plan_changed_in_quantity_in_dinar": (
        Kind.PLAN_CHANGED,
        {**CHANGED, "previous_plan": "Pro", "quantity": 1200, "charge": 1234567890, "currency": "kwd"},
    ),
    "plan_changed_from_right_to_left_to_a_long_name": (
        Kind.PLAN_CHANGED,
        {**CHANGED, "previous_plan": RIGHT_TO_LEFT, "plan": LONG_NAME},
    ),
    "downgrade_scheduled": (Kind.DOWNGRADE_SCHEDULED, DOWNGRADE),
    "downgrade_scheduled_to_another_price": (Kind.DOWNGRADE_SCHEDULED, {**DOWNGRADE, "next_plan": "Pro"}),
    "downgrade_scheduled_to_no_plan_of_ours": (
        Kind.DOWNGRADE_SCHEDULED,
        {**PRO, "next_plan": "", "price": "", "changes_at": SOON},
    ),
    "access_restored": (Kind.ACCESS_RESTORED, {**PRO, "revoked_because": "hold_staff"}),
    "access_on_hold": (Kind.ACCESS_ON_HOLD, {**PRO, "reason": "hold_staff", "held_since": SOON, "renews_at": ""}),
    "access_on_hold_by_a_fraud_warning": (
        Kind.ACCESS_ON_HOLD,
        {**PRO, "reason": "hold_fraud", "held_since": SOON, "renews_at": "2027-01-01T09:30:00+00:00"},
    ),
    "payment_recovered": (Kind.PAYMENT_RECOVERED, {**RECEIVED, "has_access": True}),
    "dispute_won": (Kind.DISPUTE_CLOSED, {**CLOSED, "has_access": True}),
    "dispute_won_of_a_one_off": (Kind.DISPUTE_CLOSED, {**CLOSED, "plan": "", "item": "Onboarding", "was_held": False}),
    "dispute_lost": (Kind.DISPUTE_CLOSED, {**CLOSED, "is_won": False, "has_access": False}),
    "payment_received": (Kind.PAYMENT_RECEIVED, RECEIVED),
    "payment_received_with_tax": (
        Kind.PAYMENT_RECEIVED,
        {**RECEIVED, "currency": "eur", "net": 1597, "tax": 303, "is_reverse_charged": False},
    ),
    "payment_received_with_reverse_charge": (
        Kind.PAYMENT_RECEIVED,
        {**RECEIVED, "currency": "eur", "net": 1900, "tax": 0, "is_reverse_charged": True},
    ),
    "payment_received_in_yen_without_period": (
        Kind.PAYMENT_RECEIVED,
        {**RECEIVED, "amount": 198000, "currency": "jpy", "period_start": "", "period_end": ""},
    ),
    "payment_received_in_dinar_with_a_long_name": (
        Kind.PAYMENT_RECEIVED,
        {**RECEIVED, "amount": 1234567890, "currency": "kwd", "plan": LONG_NAME},
    ),
    "payment_received_without_plan_or_start": (
        Kind.PAYMENT_RECEIVED,
        {**RECEIVED, "plan": "", "period_start": ""},
    ),
    "payment_failed": (Kind.PAYMENT_FAILED, FAILED),
    "payment_failed_last_try": (
        Kind.PAYMENT_FAILED,
        {**FAILED, "next_attempt_at": "", "is_last_try": True, "is_grace_over": True},
    ),
    "payment_failed_one_off": (
        Kind.PAYMENT_FAILED,
        {**FAILED, "plan": "", "item": "Onboarding", "next_attempt_at": "", "grace_ends_at": ""},
    ),
    "payment_failed_bare": (
        Kind.PAYMENT_FAILED,
        {**FAILED, "plan": "", "next_attempt_at": "", "grace_ends_at": "", "invoice": ""},
    ),
    "action_required": (Kind.ACTION_REQUIRED, {**FAILED, "next_attempt_at": ""}),
    "payment_processing": (Kind.PAYMENT_PROCESSING, TO_PAY),
    "payment_processing_before_access": (Kind.PAYMENT_PROCESSING, {**TO_PAY, "has_access": False}),
    "payment_processing_one_off": (Kind.PAYMENT_PROCESSING, {**TO_PAY, "plan": "", "item": "Onboarding"}),
    "payment_processing_bare": (Kind.PAYMENT_PROCESSING, {**TO_PAY, "plan": "", "has_access": False}),
    "invoice_sent": (Kind.INVOICE_SENT, TO_PAY),
    "invoice_sent_one_off": (Kind.INVOICE_SENT, {**TO_PAY, "plan": "", "item": "Onboarding"}),
    "invoice_due_soon": (Kind.INVOICE_DUE_SOON, {**TO_PAY, "stage": "soon"}),
    "invoice_overdue": (
        Kind.INVOICE_OVERDUE,
        {**TO_PAY, "stage": "overdue", "grace_ends_at": "2026-12-23T09:30:00+00:00", "is_grace_over": False},
    ),
    "action_required_one_off": (
        Kind.ACTION_REQUIRED,
        {**FAILED, "plan": "", "item": "Onboarding", "next_attempt_at": "", "grace_ends_at": ""},
    ),
    "payment_received_one_off": (
        Kind.PAYMENT_RECEIVED,
        {**RECEIVED, "plan": "", "item": "Onboarding", "period_start": "", "period_end": ""},
    ),
    "payment_recovered_one_off": (
        Kind.PAYMENT_RECOVERED,
        {**RECEIVED, "plan": "", "item": "Onboarding", "period_start": "", "period_end": "", "has_access": True},
    ),
    "payment_received_while_held": (Kind.PAYMENT_RECEIVED, {**RECEIVED, "is_held": True}),
    "address_needed": (Kind.ADDRESS_NEEDED, {"plan": "Pro", "invoice": "in_1", "is_draft": True}),
    "address_needed_after_an_untaxed_invoice": (
        Kind.ADDRESS_NEEDED,
        {"plan": "", "item": "Onboarding", "invoice": "in_1", "is_draft": False},
    ),
    "dispute_opened": (Kind.DISPUTE_OPENED, DISPUTE),
    "dispute_opened_before_a_renewal": (Kind.DISPUTE_OPENED, {**DISPUTE, "renews_at": SOON}),
    "dispute_opened_of_a_one_off": (
        Kind.DISPUTE_OPENED,
        {**DISPUTE, "plan": "", "item": "Onboarding", "is_held": False, "renews_at": ""},
    ),
    "refund_failed": (Kind.REFUND_FAILED, {**REFUND, "ended": False}),
    "refund_failed_after_the_end": (Kind.REFUND_FAILED, {**REFUND, "ended": True}),
    "refund_in_full": (Kind.REFUND, REFUND),
    "refund_in_part": (Kind.REFUND, {**REFUND, "amount": 500, "is_full": False}),
    "refund_one_off": (Kind.REFUND, {**REFUND, "amount": 500, "is_full": False, "plan": "", "item": "Onboarding"}),
    "cancellation_scheduled": (Kind.SUBSCRIPTION_CANCELLED, SCHEDULED),
    "cancellation_scheduled_on_hold": (Kind.SUBSCRIPTION_CANCELLED, {**SCHEDULED, "has_access": False}),
    "cancellation_scheduled_beside_another_line": (
        Kind.SUBSCRIPTION_CANCELLED,
        {**SCHEDULED, "has_other_access": True},
    ),
    "cancellation_scheduled_with_charges_until_then": (
        Kind.SUBSCRIPTION_CANCELLED,
        {**SCHEDULED, "still_charged": True},
    ),
    "subscription_ended": (Kind.SUBSCRIPTION_CANCELLED, ENDED),
    "subscription_ended_while_a_bank_pays": (
        Kind.SUBSCRIPTION_CANCELLED,
        {**ENDED, "open_amount": 1900, "open_currency": "eur", "is_under_way": True},
    ),
    "subscription_ended_with_an_invoice_to_pay": (
        Kind.SUBSCRIPTION_CANCELLED,
        {**ENDED, "open_amount": 1900, "open_currency": "usd", "is_under_way": False},
    ),
    "subscription_ended_by_refund": (Kind.SUBSCRIPTION_CANCELLED, {**ENDED, "cause": "refund"}),
    "subscription_ended_by_dispute": (Kind.SUBSCRIPTION_CANCELLED, {**ENDED, "cause": "dispute"}),
    "subscription_ended_unpaid": (Kind.SUBSCRIPTION_CANCELLED, {**ENDED, "cause": "payment_failed", "plan": ""}),
    "quota_overflow": (Kind.QUOTA_OVERFLOW, OVERFLOW),
    **PACK_SAMPLES,
    "account_deleted": (Kind.ACCOUNT_DELETED, {"deleted_at": "2027-01-01T09:30:00+00:00"}),
}
