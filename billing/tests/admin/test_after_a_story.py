"""After a real story through the sandbox, each row that dj-stripe, the queue and billing hold opens in the admin."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

WALKED = ("billing", "djstripe", "django_q")


@pytest.fixture
def story(world):
    """Paid, renewed, refunded in part, disputed, then declined; another one in her trial."""
    ada = world.subscribed()
    world.advance(days=32)
    world.deliver()
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"], amount=500)
    world.control("disputes", charge=world.charge_of(ada)["id"])
    world.deliver()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    world.subscribed(plan="team", email="eve@example.com")
    return ada


@pytest.fixture
def staff():
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root@example.com", "correct-horse-battery"))
    return client


def rows_by_model():
    models = [model for model in admin.site._registry if model._meta.app_label in WALKED and not model._meta.proxy]
    return {model: list(model._default_manager.all()) for model in models}


def test_every_row_of_the_story_opens_in_its_list_its_search_and_on_its_page(story, staff):
    found = rows_by_model()
    told = {model.__name__ for model, rows in found.items() if rows}
    assert {"StripeEvent", "Payment", "PaymentFailure", "Refund", "Dispute", "Hold", "Invoice", "Charge"} <= told
    for model, rows in found.items():
        address = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert staff.get(reverse(f"{address}_changelist")).status_code == 200
        assert staff.get(reverse(f"{address}_changelist"), {"q": story.customer}).status_code == 200
        for row in rows:
            opened = staff.get(reverse(f"{address}_change", args=[quote(str(row.pk))]))
            assert opened.status_code == 200, (model, row.pk)


def test_her_page_shows_the_dispute_and_the_hold_it_placed(story, staff):
    page = staff.get(reverse("admin:billing_subscription_change", args=[story.row.pk])).content.decode()
    assert "<h2>Disputes</h2>" in page
    assert "in force" in page
