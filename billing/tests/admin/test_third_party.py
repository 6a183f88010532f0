"""Every admin page of the apps we stand on opens, on objects of today's shape, and none of dj-stripe's can write."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import DateTimeField, Field, ForeignKey, Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.signing import SignedPackage
from djstripe.models import APIKey, Customer, PaymentIntent, StripeModel, WebhookEndpoint

pytestmark = pytest.mark.django_db

OBJECTS = json.loads((Path(__file__).parents[1] / "fixtures" / "stripe_objects.json").read_text())
KINDS = {
    "ActiveEntitlement": "entitlements.active_entitlement",
    "ApplicationFee": "application_fee",
    "BalanceTransaction": "balance_transaction",
    "BankAccount": "bank_account",
    "Feature": "entitlements.feature",
    "FileLink": "file_link",
    "LineItem": "line_item",
    "PaymentIntent": "payment_intent",
    "PaymentMethod": "payment_method",
    "ProductFeature": "product_feature",
    "PromotionCode": "promotion_code",
    "Session": "checkout.session",
    "SetupIntent": "setup_intent",
    "ShippingRate": "shipping_rate",
    "SubscriptionSchedule": "subscription_schedule",
    "TaxCode": "tax_code",
    "TaxRate": "tax_rate",
    "TransferReversal": "transfer_reversal",
    "WebhookEndpoint": "webhook_endpoint",
}


def registered(app_label: str) -> list[type[Model]]:
    return [model for model in admin.site._registry if model._meta.app_label == app_label]


DJSTRIPE = registered("djstripe")


def mirror(model: type[StripeModel]) -> StripeModel:
    """One row as dj-stripe would have stored it, with a row for each object it cannot be without."""
    data = OBJECTS.get(KINDS.get(model.__name__, model.__name__.lower()), {})
    stored = {"livemode": False, "created": timezone.now(), "stripe_data": data}
    for field in model._meta.concrete_fields:
        if not field.null and not field.has_default() and not field.primary_key:
            stored.setdefault(field.name, required(field, data))
    stored["id"] = data.get("id", f"x_{model.__name__}")
    return model._default_manager.get_or_create(id=stored["id"], defaults=stored)[0]


def required(field: Field, data: dict[str, Any]) -> Any:
    if isinstance(field, ForeignKey):
        return mirror(field.related_model)
    if isinstance(field, DateTimeField):
        return timezone.now()
    value = data.get(field.name)
    return "x" if value is None else value


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:djstripe_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser(email="alice@example.com", password=None))
    return client


def test_dj_stripe_has_pages_for_what_it_mirrors():
    assert len(DJSTRIPE) > 30


def test_the_index_leads_to_what_is_filled_and_to_nothing_that_stays_empty(staff):
    index = staff.get("/admin/djstripe/").content.decode()
    led_to = {model.__name__ for model in DJSTRIPE if address(model, "changelist") in index}
    assert {"Charge", "Customer", "Event", "Invoice", "Subscription"} <= led_to
    assert not led_to & {"Coupon", "Payout", "Session", "TaxRate", "WebhookEndpoint"}


@pytest.mark.parametrize("model", DJSTRIPE)
def test_a_mirrored_object_is_listed_and_found(staff, model):
    row = mirror(model)
    for query in ({}, {"q": row.id}, {"livemode__exact": "0"}):
        answer = staff.get(address(model, "changelist"), query)
        assert answer.status_code == 200
        assert answer.context["cl"].result_count == 1


@pytest.mark.parametrize("model", DJSTRIPE)
def test_a_mirrored_object_opens_with_its_history(staff, model):
    row = mirror(model)
    for page in ("change", "history"):
        assert staff.get(address(model, page, row.pk)).status_code == 200


@pytest.mark.parametrize("model", DJSTRIPE)
def test_a_mirrored_object_cannot_be_added_changed_or_deleted(staff, model):
    row = mirror(model)
    assert staff.get(address(model, "add")).status_code == 403
    assert staff.post(address(model, "change", row.pk), {}).status_code == 403
    assert staff.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", DJSTRIPE)
def test_no_action_is_offered_on_mirrored_objects(rf, model):
    request = rf.get("/")
    request.user = get_user_model().objects.create_superuser(email="alice@example.com", password=None)
    assert admin.site._registry[model].get_actions(request) == {}


def test_stripes_json_is_shown_without_its_secrets(staff):
    page = staff.get(address(PaymentIntent, "change", mirror(PaymentIntent).pk)).content.decode()
    assert "Show the JSON that Stripe last sent" in page
    assert "pi_x_secret_y" not in page


def test_an_endpoints_secret_is_on_no_page(staff):
    endpoint = mirror(WebhookEndpoint)
    WebhookEndpoint.objects.update(secret="whsec_hidden")
    assert "whsec_hidden" not in staff.get(address(WebhookEndpoint, "change", endpoint.pk)).content.decode()
    assert "whsec_hidden" not in staff.get(address(WebhookEndpoint, "changelist")).content.decode()


def test_an_api_key_is_on_no_page(staff):
    key = mirror(APIKey)
    APIKey.objects.update(secret="sk_test_" + "h" * 24)
    assert "h" * 24 not in staff.get(address(APIKey, "change", key.pk)).content.decode()


def test_staff_without_the_permission_sees_no_json(client):
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_customer", content_type__app_label="djstripe"))
    client.force_login(bob)
    page = client.get(address(Customer, "change", mirror(Customer).pk))
    assert page.status_code == 200
    assert "Show the JSON that Stripe last sent" not in page.content.decode()


def test_the_address_cannot_filter_by_what_the_page_hides(staff):
    mirror(WebhookEndpoint)
    answer = staff.get(address(WebhookEndpoint, "changelist"), {"secret__startswith": "whsec_"})
    assert answer.status_code == 400


def a_task(**changed: Any) -> Task:
    now = timezone.now()
    facts = {"id": "a" * 32, "name": "ten-lake", "func": "billing.lanes.drain", "started": now, "stopped": now}
    return Task.objects.create(
        **{**facts, "args": ("cus_1",), "kwargs": {}, "result": None, "success": True, **changed}
    )


def queued() -> OrmQ:
    task = {"id": "b" * 32, "name": "queued", "func": "billing.lanes.drain", "args": ("cus_1",), "kwargs": {}}
    return OrmQ.objects.create(key="billing", payload=SignedPackage.dumps(task), lock=timezone.now())


QUEUE_ROWS = {
    Success: a_task,
    Failure: lambda: a_task(success=False, result="Traceback: it <b>failed</b>"),
    Schedule: lambda: Schedule.objects.create(name="sweep", func="billing.lanes.sweep", minutes=1, schedule_type="I"),
    OrmQ: queued,
}


@pytest.mark.parametrize("model", registered("django_q"))
def test_the_queues_pages_open(staff, model):
    row = QUEUE_ROWS[model]()
    listing = reverse(f"admin:django_q_{model._meta.model_name}_changelist")
    for query in ({}, {"q": "billing"}):
        assert staff.get(listing, query).status_code == 200
    for page in ("change", "history"):
        assert staff.get(reverse(f"admin:django_q_{model._meta.model_name}_{page}", args=[row.pk])).status_code == 200


def test_a_queued_task_signed_with_another_key_is_still_listed(staff):
    row = OrmQ.objects.create(key="billing", payload="not:signed:by-us", lock=timezone.now())
    assert staff.get(reverse("admin:django_q_ormq_changelist")).status_code == 200
    assert staff.get(reverse("admin:django_q_ormq_change", args=[row.pk])).status_code == 200
