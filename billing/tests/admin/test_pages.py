"""Every page of billing's own admin opens with a row in it, and writes nothing but plans."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from billing.models import (
    AddOn,
    AddOnPrice,
    Agreement,
    Code,
    Grant,
    Lane,
    LimitOverride,
    MirrorFailure,
    OveragePrice,
    Pack,
    Payment,
    Plan,
    Price,
    PriceMove,
    SpendCap,
    SyncRun,
)
from billing.tests.markup import Page

pytestmark = pytest.mark.django_db
MODELS = [model for model in admin.site._registry if model._meta.app_label == "billing" and not model._meta.proxy]
EDITABLE = {Plan, SpendCap}
ADDED = {Plan, Grant, Code, Agreement, LimitOverride, PriceMove}


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:billing_{model._meta.model_name}_{page}", args=[quote(str(arg)) for arg in args])


@pytest.mark.parametrize("model", MODELS)
def test_a_list_opens_and_shows_its_row(staff, rows, model):
    answer = staff.get(address(model, "changelist"))
    assert answer.status_code == 200
    assert answer.context["cl"].result_count == 1
    assert Page(answer.content.decode()).problems == []


OF_NO_CUSTOMER = {AddOn, AddOnPrice, Plan, Price, PriceMove, SyncRun, MirrorFailure, OveragePrice, Pack}
SEARCHED_BY_CUSTOMER = [model for model in MODELS if model not in OF_NO_CUSTOMER]


@pytest.mark.parametrize("model", SEARCHED_BY_CUSTOMER)
def test_a_list_is_searched_by_the_customers_id(staff, rows, model):
    for term, found in (("cus_alice", 1), ("cus_bob", 0)):
        assert staff.get(address(model, "changelist"), {"q": term}).context["cl"].result_count == found


@pytest.mark.parametrize("model", MODELS)
def test_a_row_opens_with_its_history(staff, rows, model):
    for page in ("change", "history"):
        answer = staff.get(address(model, page, rows[model].pk))
        assert (answer.status_code, Page(answer.content.decode()).problems) == (200, [])


@pytest.mark.parametrize("model", [model for model in MODELS if model not in EDITABLE])
def test_nothing_but_what_staff_give_and_sell_is_added_and_only_a_plan_deleted(staff, rows, model):
    assert staff.get(address(model, "add")).status_code == (200 if model in ADDED else 403)
    assert staff.post(address(model, "delete", rows[model].pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_no_page_carries_an_inline_style_or_script(staff, rows, model):
    for page in (staff.get(address(model, "changelist")), staff.get(address(model, "change", rows[model].pk))):
        content = page.content.decode()
        assert "<style" not in content
        assert " style=" not in content
        assert " onclick=" not in content


def test_amounts_are_written_by_the_currencys_own_decimals(staff, rows):
    page = staff.get(address(Payment, "changelist")).content.decode()
    assert "1,234.567" in page


def test_a_lane_at_work_is_told_from_one_that_waits(staff, rows):
    assert "awake" in staff.get(address(Lane, "changelist")).content.decode()
    Lane.objects.update(token="0" * 32, leased_until=timezone.now() + timedelta(minutes=1))
    assert "working" in staff.get(address(Lane, "changelist")).content.decode()
