"""Signals announce to the host project what happened, once per real transition, inside the transaction that made it.

Receivers write rows and do no I/O: mail and calls belong to a queue. Every signal carries `subscription`
(`billing.models.Subscription`), whose `customer.subscriber` is the payer, or None once unlinked; it is None itself for
a subscriber who never bought. The further arguments stand behind each signal.
"""

from django.dispatch import Signal

# State of the subscription
subscription_started = Signal()  # first active or trialing
subscription_changed = Signal()  # previous_plan: Plan | None; another plan, price or quantity
add_on_changed = Signal()  # previous: dict[str, int], slug → how many; the subscription has the new ones
subscription_ended = Signal()  # reason: str, Stripe's cancellation reason or ""; canceled or expired
cancellation_scheduled = Signal()  # cancel_at: datetime
change_scheduled = Signal()  # price: Price | None (of no plan of ours), at: datetime; another plan from that day on
price_change_coming = Signal()  # change: PriceMoveRow (old_amount, new_amount, currency, moves_at); by `move_price`
price_change_withdrawn = Signal()  # change: PriceMoveRow; the move was stopped after price_change_coming
collection_paused = Signal()  # until: datetime | None, when Stripe collects again; anew if that moves
collection_resumed = Signal()  # payments are collected again
discount_given = Signal()  # discount: Discount, of a live subscription; what came with its start is no news
discount_ended = Signal()  # discount: Discount, whose row is gone
renewal_coming = Signal()  # renews_at: datetime; of half a year or longer, BILLING_RENEWAL_REMINDER_DAYS before
trial_ending = Signal()  # trial_end: datetime
trial_extended = Signal()  # trial_end: datetime, previous_trial_end: datetime; by staff here, or at Stripe
access_granted = Signal()  # subscriber, reason, revoked_because (of the access_revoked before), was_written_off: bool
access_revoked = Signal()  # subscriber, reason: str
grant_given = Signal()  # subscriber, grant: Grant
grant_ended = Signal()  # subscriber, grant: Grant; revoked, or run out (its ended_by tells)

# Money
payment_succeeded = Signal()  # payment: Payment
payment_failed = Signal()  # failure: PaymentFailure (attempt, next_attempt_at, hosted_invoice_url, …)
payment_action_required = Signal()  # failure: PaymentFailure
payment_processing = Signal()  # invoice: Invoice, whose payment takes days, such as a bank debit
payment_bought_nothing = Signal()  # payment: Payment of an invoice whose subscription had ended; staff are alerted
invoice_sent = Signal()  # invoice: Invoice, to be paid on its page until due_at
invoice_due_soon = Signal()  # invoice: Invoice, BILLING_INVOICE_REMINDER_DAYS before due_at
invoice_overdue = Signal()  # invoice: Invoice, not paid by its due_at
tax_address_missing = Signal()  # invoice: Invoice, a draft or without tax until the customer has an address
payment_recovered = Signal()  # payment: Payment that ended a past-due time
refund_issued = Signal()  # refund: Refund
refund_failed = Signal()  # refund: Refund
dispute_opened = Signal()  # dispute: Dispute
dispute_closed = Signal()  # dispute: Dispute (status won, lost or warning_closed)
card_expiring = Signal()  # expires_on: date, the last day it works, before the next charge at current_period_end

purchase_completed = Signal()  # subscriber, purchase: Purchase, paid and delivered
purchase_waiting = Signal()  # purchase: Purchase, paid by a guest at guest_email, who has to sign up for it
purchase_restored = Signal()  # subscriber, purchase: Purchase, taken: int, still; money came back, as by a won dispute
purchase_reversed = Signal()  # subscriber, purchase: Purchase, taken: int, used: int; given back, whole or in part

# The rest
credits_low = Signal()  # subscriber, credit: Credit given last, feature: str, left: int, given: int
credits_expiring = Signal()  # subscriber, credit: Credit, expires_at: datetime, BILLING_CREDITS_REMINDER_DAYS ahead
quota_overflowed = Signal()  # subscriber, feature: str, used: int, limit: int, resets_at: datetime, usage: Usage
spend_cap_reached = Signal()  # subscriber, amount: int, currency, policy: stop or warn, resets_at: datetime
customer_deleted = Signal()  # customer: Customer
account_closing = Signal()  # subscriber, deletion: AccountDeletion; end sessions, revoke tokens
account_closed = Signal()  # subscriber, deletion, email: str, the last address known; anonymise the subscriber
