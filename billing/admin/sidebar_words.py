"""The words of the sidebar are explained in a sentence each: on the admin's first page, and at the top of each list."""

from billing.conf import conf

TASKS = {
    "Customers": "Who buys, what they have, and why they have access or not.",
    "Money": "What was asked for, what came in, and what was returned.",
    "Catalogue": "What is sold, and at which prices.",
    "Engine room": "How this site and Stripe stay in step. Look here when something does not arrive.",
}
MODELS = {
    "Customer": "A customer is who pays at Stripe. Most belong to a user of this site; a guest's to nobody yet.",
    "Subscription": "A subscription gives a customer a plan, and Stripe charges for it each period.",
    "Trial": "A trial is a plan without payment until a day. Nobody gets the same one twice.",
    "Agreement": "An agreement is a price and terms that you settle with one customer.",
    "Grant": "A grant gives a plan or a feature without payment, until a day or for good.",
    "Hold": "A hold withholds access, whatever is paid, because of a dispute, a refund, fraud or a decision of staff.",
    "Discount": "A discount lowers what a subscription costs, once, for some months or for good.",
    "CancelOffer": "A cancel offer is a discount that a customer accepted instead of cancelling.",
    "CheckoutAttempt": "A checkout attempt is one visit to Stripe's payment page, paid or not.",
    "TaxId": "A tax ID is a customer's VAT or similar number, which Stripe prints on invoices and checks.",
    "Usage": "A usage record counts what a subscriber used of one feature in one month.",
    "LimitOverride": "A limit of a subscriber replaces the limit of their plan for one feature.",
    "Credit": "A credit is use in store, from a pack, a code or staff. It is used up after the plan's own limit.",
    "KeyedUse": "A use with a key is counted once, however often your code reports it, and can be given back.",
    "SpendCap": "A spend cap is the most that use beyond a plan's limits may cost a subscriber in a month.",
    "UsageReport": "A usage report tells Stripe what was used beyond a limit, so that it is billed.",
    "AccountDeletion": "An account deletion ends somebody's subscriptions and deletes what is stored about them.",
    "Dashboard": "The dashboard shows revenue, growth, payments and failures by period.",
    "Payment": "A payment is an invoice that was paid.",
    "Invoice": "An invoice is what Stripe asked a customer to pay, paid or not.",
    "PaymentFailure": "A payment failure is an attempt that a bank or card refused, and why.",
    "Refund": "A refund returns all or part of a payment.",
    "Dispute": "A dispute is a payment that a customer contests at their bank. Answer it before its deadline.",
    "Purchase": "A purchase is a pack that somebody bought once.",
    "InvoicePayment": "An invoice payment links a charge at Stripe to the invoice that it paid.",
    "BalanceTransaction": "A balance transaction is a movement on your balance at Stripe, with Stripe's fee.",
    "MrrMovement": "An MRR movement is a change of the monthly recurring revenue: new, more, less, lost or returned.",
    "Plan": "A plan is what subscribers have: its name, features and limits.",
    "Price": "A price is one way to pay for a plan: an amount, a currency and an interval.",
    "AddOn": "An add-on raises the limits of a plan for an additional amount each period.",
    "AddOnPrice": "An add-on price is one way to pay for an add-on.",
    "OveragePrice": "An overage price is what one use beyond a plan's limit costs.",
    "Pack": "A pack is a number of uses that is bought once.",
    "Code": "A redeem code gives a plan, a feature or credits to who enters it.",
    "PriceMove": "A price move brings subscribers from an old price to a new one, and tells them before.",
    "PriceMoveRow": "This is the part that a price move has for one subscription: who was told, and when it changes.",
    "StripeEvent": "A Stripe event is a message about something that happened at Stripe, and what became of it here.",
    "SyncRun": "A sync run compares what is stored here with Stripe, and mends what differs.",
    "StripeWrite": "A Stripe request is a change that this site owes Stripe, and repeats until Stripe has made it.",
    "Lane": "A lane is a customer's queue: what happens to one customer is done one after the other.",
    "Alert": "An alert is something that a person should look at, and was mailed to the administrators.",
    "MirrorFailure": "A mirror failure is an object of Stripe's that could not be copied into dj-stripe's tables.",
}


def explained(app_label: str, object_name: str) -> str:
    """Return the sentence about a table of billing; "" for those of other apps."""
    return MODELS.get(object_name, "") if app_label == conf.app_label else ""
