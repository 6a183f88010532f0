"""One subscriber on a plan, and the queue's tasks as a worker would run them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone
from django_q.models import OrmQ

from billing.models import Customer, Dispute, Payment, PaymentFailure, Plan, Refund, Subscription
from notifications import outbox
from notifications.models import Mail

DECEMBER = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
JANUARY = datetime(2027, 1, 1, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _real_clock(settings):
    settings.BILLING_CLOCK = ""


@pytest.fixture
def customer(db):
    alice = get_user_model().objects.create_user(email="alice@example.com", password="correct horse battery")
    return Customer.objects.create(pk="cus_alice", subscriber=alice, email="alice@example.com")


@pytest.fixture
def subscription(customer):
    plan = Plan.objects.create(slug="mail-pro", name="Pro", rank=1)
    return Subscription.objects.create(
        customer=customer,
        stripe_id="sub_1",
        status=Subscription.Status.ACTIVE,
        plan=plan,
        current_period_start=DECEMBER,
        current_period_end=JANUARY,
    )


@pytest.fixture
def payment(customer):
    """Makes the payment of an invoice."""

    def pay(invoice_id: str = "in_1", **changes: Any) -> Payment:
        columns = {
            "customer": customer,
            "subscription_id": "sub_1",
            "amount": 1900,
            "currency": "usd",
            "period_start": DECEMBER,
            "period_end": JANUARY,
            "invoiced_at": DECEMBER,
            "paid_at": DECEMBER,
            "hosted_invoice_url": "https://invoice.stripe.com/i/1",
        }
        return Payment.objects.create(invoice_id=invoice_id, **{**columns, **changes})

    return pay


@pytest.fixture
def failure(customer):
    return PaymentFailure.objects.create(
        invoice_id="in_1",
        attempt=1,
        customer=customer,
        subscription_id="sub_1",
        amount=1900,
        currency="usd",
        next_attempt_at=DECEMBER + timedelta(days=3),
        hosted_invoice_url="https://invoice.stripe.com/i/1",
        failed_at=DECEMBER,
    )


@pytest.fixture
def dispute(customer):
    return Dispute.objects.create(
        pk="dp_1", customer=customer, amount=1900, currency="usd", status="needs_response", opened_at=DECEMBER
    )


@pytest.fixture
def refund(customer):
    return Refund.objects.create(
        pk="re_1", customer=customer, amount=500, currency="usd", status="succeeded", created_at=DECEMBER
    )


@pytest.fixture
def reserve(customer):
    """Reserves one mail that has nothing to check but its address."""

    def make(key: str = "payment_received:in_1", **changes: Any) -> Mail:
        facts = {
            "amount": 1900,
            "currency": "usd",
            "plan": "Pro",
            "period_start": "",
            "period_end": "",
            "paid_at": DECEMBER.isoformat(),
            "invoice_url": "",
            "pdf_url": "",
        }
        to = {"customer": customer, "recipient": "alice@example.com"}
        return outbox.reserve(Mail.Kind.PAYMENT_RECEIVED, key, **{**to, **facts, **changes})

    return make


@pytest.fixture
def queue():
    """The mails whose delivery waits on the queue, oldest wake-up first."""

    def waiting() -> list[str]:
        return [task.task["args"][0] for task in OrmQ.objects.order_by("pk")]

    return waiting


@pytest.fixture
def work(queue):
    """Do what a worker does with all that waits on the queue."""

    def run() -> list[str]:
        ids = queue()
        OrmQ.objects.all().delete()
        return [outbox.deliver(mail_id) for mail_id in ids]

    return run


@pytest.fixture
def later(time_machine):
    """Moves the clock."""

    def move(**by: int) -> None:
        time_machine.move_to(timezone.now() + timedelta(**by))

    return move


@pytest.fixture
def sign_in(client):
    """Signs in a member of staff with just these permissions."""

    def as_staff(*codenames):
        users = get_user_model().objects
        staff = users.filter(email="staff@example.com").first()
        staff = staff or users.create_user(email="staff@example.com", password="correct horse battery", is_staff=True)
        staff.user_permissions.set(
            Permission.objects.filter(content_type__app_label="billing_mail", codename__in=codenames)
        )
        client.force_login(staff)
        return staff

    return as_staff
