"""Behind each permission there is a door: a member of staff who has all the others does not get through it.

What is done behind them, and that nothing is where they stay closed, the tests of each page hold.
"""

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken
from billing.models import (
    AccountDeletion,
    Code,
    Customer,
    Hold,
    LimitOverride,
    OveragePrice,
    Pack,
    Plan,
    Price,
    PriceMove,
    PriceMoveRow,
    Purchase,
    StripeEvent,
    Subscription,
    Usage,
    UsageReport,
)
from notifications.models import Mail, Suppression

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

OURS = ("billing", "billing_mail", "accounts")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEALED = "what-stripe-sent"


@pytest.fixture
def rows():
    customer = Customer.objects.create(id="cus1", email="ada@example.com", missing_since=NOON)
    Hold.objects.create(customer=customer, kind="staff", reference="staff", placed_at=NOON)
    price = Price.objects.create(id="price1", plan=Plan.objects.create(slug="pro", name="Pro", rank=1), currency="usd")
    move = PriceMove.objects.create(pk=1, old_price=price, new_price=price, notice_days=30, started_at=NOON)
    billed = Subscription.objects.create(customer=customer, stripe_id="sub1", status="active", whose="foreign")
    PriceMoveRow.objects.create(move=move, subscription=billed, status="untold", moves_at=NOON)
    event = {"type": "invoice.paid", "created": 1, "livemode": False, "lane": "cus1", "received_at": NOON}
    StripeEvent.objects.create(id="evt1", status="dead", payload={"note": SEALED}, **event)
    AccountDeletion.objects.create(lane="cus1", requested_at=NOON)
    Code.objects.create(code="SUMMER26", batch="partner", plan=Plan.objects.get(), made_at=NOON)
    ben = get_user_model().objects.create_user("ben@example.org")
    LimitOverride.objects.create(subscriber=ben, feature="generations", quantity=5, set_at=NOON)
    told = {"recipient": "ada@example.com", "created_at": NOON, "next_attempt_at": NOON}
    Mail.objects.create(key="mail:1", kind="refund", status="failed", context={"refund": "re1"}, **told)
    pack = Pack.objects.create(slug="hour", name="An hour", is_own=True)
    guest = Customer.objects.create(id="cus2", email="gina@example.com")
    bought = {"pack": pack, "customer": guest, "currency": "usd", "status": "paid", "created_at": NOON}
    Purchase.objects.create(pk="00000000-0000-4000-8000-000000000001", guest_email="gina@example.com", **bought)
    ada = get_user_model().objects.create_user("ada@example.com")
    ApiToken.objects.create(user=ada, digest="d", password_digest="p", prefix="12345678", name="laptop")
    counter = Usage.objects.create(subscriber=ada, feature="generations", period_start=NOON, overage=5, reported=5)
    metered = OveragePrice.objects.create(id="price2", plan=Plan.objects.get(), feature="generations", interval="month")
    UsageReport.objects.create(usage=counter, price=metered, quantity=5, at=NOON, made_at=NOON, state="doubtful")
    Suppression.objects.create(address="ben@example.com", reason="bounced", suppressed_at=NOON)


def sees(address, what):
    def look(client):
        answer = client.get(address, follow=True)
        return answer.status_code == 200 and what in b"".join(answer).decode()

    return look


def does(address, **asked):
    """The log names what staff did, and nothing where the door is closed."""

    def ask(client):
        client.post(address, asked)
        return LogEntry.objects.exists()

    return ask


def acts(model, action, **asked):
    def ask(client):
        chosen = {"action": action, "_selected_action": [str(apps.get_model(model)._default_manager.get().pk)]}
        return does(list_of(apps.get_model(model)), **chosen, **asked)(client)

    return ask


def is_asked_why(what):
    """Staff with the permission are asked for a reason; others are refused before that."""
    return lambda client: client.post(f"/admin/billing/customer/cus1/do/{what}/", {}).status_code == 400


def sends(client):
    client.post("/admin/billing_mail/preview/send/", {"sample": "payment_received", "language": "en"})
    return bool(mail.outbox)


PURCHASE = "/admin/billing/purchase/00000000-0000-4000-8000-000000000001/"
EVENT = "/admin/billing/stripeevent/evt1/"
DOORS = [
    ("billing.replay_stripeevent", does(f"{EVENT}process-again/")),
    ("billing.replay_stripeevent", acts("billing.stripeevent", "process_again")),
    ("billing.replay_stripeevent", acts("billing.accountdeletion", "try_now")),
    ("billing.handle_stripeevent", does(f"{EVENT}mark-as-handled/")),
    ("billing.handle_stripeevent", acts("billing.stripeevent", "mark_as_handled")),
    ("billing.export_stripeevent", sees("/admin/billing/stripeevent/export/", "evt1")),
    ("billing.view_payload", sees(f"{EVENT}change/", SEALED)),
    ("billing.hold_customer", is_asked_why("hold")),
    ("billing.release_customer", is_asked_why("release")),
    ("billing.grant_customer", is_asked_why("grant")),
    ("billing.refresh_customer", is_asked_why("refresh")),
    ("billing.refund_payment", is_asked_why("refund")),
    ("billing.refund_payment", is_asked_why("keep")),
    ("billing.void_invoice", is_asked_why("void")),
    ("billing.make_code", acts("billing.code", "withdraw")),
    ("billing.override_limit", acts("billing.limitoverride", "lift")),
    ("billing.make_code", acts("billing.code", "export")),
    ("billing.match_purchase", does(f"{PURCHASE}do/forget/", reason="They asked")),
    ("billing.move_trial", is_asked_why("extend-trial")),
    ("billing.move_trial", is_asked_why("end-trial")),
    ("billing.move_trial", is_asked_why("let-trial-run")),
    ("billing.finalize_invoice", is_asked_why("finalize")),
    ("billing.judge_taxid", is_asked_why("accept-tax-id")),
    ("billing.judge_taxid", is_asked_why("remove-tax-id")),
    ("billing.discount_customer", is_asked_why("discount")),
    ("billing.discount_customer", is_asked_why("end-discount")),
    ("billing.discount_customer", is_asked_why("discount-link")),
    ("billing.change_add_ons", is_asked_why("add-ons")),
    ("billing.give_back_payment", is_asked_why("refund-money")),
    ("billing.credit_customer", is_asked_why("credit")),
    ("billing.invoice_customer", is_asked_why("invoice")),
    ("billing.invoice_customer", is_asked_why("send-invoice")),
    ("billing.cancel_subscription", is_asked_why("cancel")),
    ("billing.cancel_subscription", is_asked_why("resume")),
    ("billing.switch_plan", is_asked_why("change-plan")),
    ("billing.switch_plan", is_asked_why("quantity")),
    ("billing.link_customer", is_asked_why("merge")),
    ("billing.export_customer", sees("/admin/billing/customer/export/", "cus1")),
    ("billing.export_customer", sees("/admin/billing/payment/export/", "invoice,customer")),
    ("billing.export_customer", sees("/admin/billing/invoice/export/", "invoice,number")),
    ("billing.export_customer", sees("/admin/billing/refund/export/", "refund,invoice")),
    ("billing.export_customer", sees("/admin/billing/usage/export/", "ada@example.com")),
    ("billing.note_customer", is_asked_why("note")),
    ("billing.pause_customer", is_asked_why("pause")),
    ("billing.pause_customer", is_asked_why("resume-payments")),
    ("billing.send_agreement", sees("/admin/billing/agreement/add/", "Agreed amount")),
    ("billing.map_price", is_asked_why("map-price")),
    ("billing.map_price", is_asked_why("keep-price")),
    ("billing.end_customer", is_asked_why("end-unknown")),
    ("billing.start_pricemove", sees("/admin/billing/pricemove/add/", "Start a price move")),
    ("billing.stop_pricemove", does("/admin/billing/pricemove/1/stop/", reason="Too dear")),
    ("billing.decide_pricemove", acts("billing.pricemoverow", "tell_again")),
    ("billing.decide_pricemove", acts("billing.pricemoverow", "told_otherwise")),
    ("billing.decide_pricemove", acts("billing.pricemoverow", "keep")),
    ("billing.settle_usagereport", acts("billing.usagereport", "send_again")),
    ("billing.settle_usagereport", acts("billing.usagereport", "count_as_sent")),
    ("billing.settle_usagereport", acts("billing.usagereport", "give_up")),
    ("billing.view_customer", sees("/admin/billing/customer/find/?q=cus1", "Access now")),
    ("billing_mail.resend_mail", acts("billing_mail.mail", "send_again")),
    ("billing_mail.lift_suppression", acts("billing_mail.suppression", "mail_again", reason="It works again")),
    ("billing_mail.send_preview", sends),
    ("accounts.revoke_apitoken", acts("accounts.apitoken", "revoke")),
    ("accounts.view_apitoken", sees("/admin/accounts/apitoken/", "laptop")),
]


def list_of(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def staff(without):
    """Everything but that; whoever may change what they may not view sees it all the same, so neither."""
    app, codename = without.split(".")
    names = {codename, codename.replace("view_", "change_")}
    bob = get_user_model().objects.create_user(f"{codename}@example.com", "correct-horse-battery", is_staff=True)
    bob.user_permissions.set(Permission.objects.exclude(content_type__app_label=app, codename__in=names))
    return signed_in(bob)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(("permission", "door"), DOORS, ids=[f"{name}-{n}" for n, (name, _) in enumerate(DOORS)])
def test_a_door_is_closed_for_want_of_its_permission_alone(rows, permission, door):
    assert not door(staff(without=permission))
    root = get_user_model().objects.create_superuser("root@example.com", "correct-horse-battery")
    assert door(signed_in(root))


def test_every_permission_that_a_model_adds_has_a_door():
    added = {f"{model._meta.app_label}.{name}" for model in ours() for name, _ in model._meta.permissions}
    assert added <= {name for name, _ in DOORS}


def test_every_action_of_ours_asks_for_a_permission():
    for model in filter(admin.site.is_registered, ours()):
        listed = admin.site.get_model_admin(model)
        for action in listed.actions or []:
            assert getattr(listed, action).allowed_permissions, (model, action)


def test_no_list_and_no_row_opens_without_the_permission_to_view_it(rows):
    for model in filter(admin.site.is_registered, ours()):
        client = staff(without=f"{model._meta.app_label}.view_{model._meta.model_name}")
        assert client.get(list_of(model)).status_code == 403, model
        row = None if model._meta.proxy else model._default_manager.first()
        if row is not None:
            page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(str(row.pk))])
            assert client.get(page).status_code == 403, model


def ours():
    return [model for app in OURS for model in apps.get_app_config(app).get_models()]
