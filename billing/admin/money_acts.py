"""Staff move money for a customer: they refund, credit, invoice something once, and send an open invoice again.

Each function is given the customer and the form's answers, holding the lane, with no transaction open; what it returns
says what was done, with Stripe's id of what was made.
"""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from billing.lifecycle import by_hand
from billing.models import Customer
from billing.money import format_amount
from billing.payments import giving_back

from . import money_forms
from .action import Given
from .refused import Refused

NOTHING_LEFT = "Nothing is left of this payment: it was refunded already, or paid outside of Stripe."
TOO_MUCH = "Only {} is left of this payment."
TWICE = "This form was sent before, and what it asked for was done then. Nothing was changed now."


def is_here(customer: Customer) -> bool:
    return customer.deleted_at is None and customer.missing_since is None


# Refunds


def has_payment(customer: Customer) -> bool:
    return is_here(customer) and money_forms.given_back_from(customer).exists()


def about_refund(customer: Customer) -> list[str]:
    return [
        "The money goes back to where it came from, and the subscriber gets a mail.",
        "A part leaves access as it is.",
        "Once the whole payment of the current period is refunded, the subscription is cancelled.",
    ]


def preview_refund(customer: Customer, given: Given) -> list[str]:
    payment = given["payment"]
    left = giving_back.left_of(giving_back.parts_of(customer, payment))
    amount = _amount(given, left)
    words = format_amount(amount, payment.currency)
    if amount == left:
        return [f"{words} is refunded, which is all that is left of this payment."]
    return [f"{words} is refunded; {format_amount(left - amount, payment.currency)} of this payment is kept."]


def refund(customer: Customer, given: Given) -> str:
    payment = given["payment"]
    parts = giving_back.parts_of(customer, payment)
    amount = _amount(given, giving_back.left_of(parts))
    made = giving_back.give_back(parts, amount, f"refund:{given['once']}")
    refuse_what_was_done(customer, made[0])
    return f"Refunded {format_amount(amount, payment.currency)} of {payment.invoice_id} ({', '.join(made)})"


def record_refund(customer: Customer, given: Given) -> str:
    giving_back.record(customer, given["payment"])
    return ""


def _amount(given: Given, left: int) -> int:
    if left <= 0:
        raise Refused(NOTHING_LEFT)
    amount: int = left if given["minor"] is None else given["minor"]
    if amount > left:
        raise Refused(TOO_MUCH.format(format_amount(left, given["payment"].currency)))
    return amount


# Credit


def may_be_credited(customer: Customer) -> bool:
    return is_here(customer) and bool(money_forms.currencies_of(customer))


def about_credit(customer: Customer) -> list[str]:
    said = ["The credit is taken off the next invoices until it is used up. Nothing is paid out."]
    if customer.credit and customer.currency:
        said.append(f"There is a credit of {format_amount(customer.credit, customer.currency)} already.")
    return said


def preview_credit(customer: Customer, given: Given) -> list[str]:
    words = format_amount(given["minor"], given["currency"])
    return [f"The customer gets a credit of {words}. The next invoice is reduced by it, those after it by the rest."]


def credit(customer: Customer, given: Given) -> str:
    made = by_hand.credit(customer, given["minor"], given["currency"], "Credit", f"credit:{given['once']}")
    refuse_what_was_done(customer, made)
    return f"Gave a credit of {format_amount(given['minor'], given['currency'])} ({made})"


# Invoices


def about_invoice(customer: Customer) -> list[str]:
    return [
        "Stripe makes an invoice of one line and mails it; the customer pays it on its page.",
        "It gives no access, and does not touch the subscription.",
    ]


def preview_invoice(customer: Customer, given: Given) -> list[str]:
    words = format_amount(given["minor"], given["currency"])
    return [f"An invoice for {words} for “{given['description']}” is sent, due in {given['days']} days."]


def invoice(customer: Customer, given: Given) -> str:
    words = format_amount(given["minor"], given["currency"])
    made = by_hand.invoice_once(
        customer, given["minor"], given["currency"], given["description"], given["days"], f"once:{given['once']}"
    )
    refuse_what_was_done(customer, made)
    return f"Sent an invoice for {words} ({made})"


def has_open_invoice(customer: Customer) -> bool:
    return is_here(customer) and money_forms.open_sent(customer).exists()


def about_sending(customer: Customer) -> list[str]:
    return ["Stripe mails the invoice once more, with the page on which it is paid. Its due date stays."]


def send_again(customer: Customer, given: Given) -> str:
    by_hand.send_again(given["invoice"], f"send:{given['once']}")
    return f"Sent the invoice {given['invoice'].pk} again"


def refuse_what_was_done(customer: Customer, made: str) -> None:
    """Refuse a form that was sent before: Stripe has answered with what was made then, and the log names it."""
    about = ContentType.objects.get_for_model(Customer)
    if LogEntry.objects.filter(content_type=about, object_id=customer.pk, change_message__contains=made).exists():
        raise Refused(TWICE)
