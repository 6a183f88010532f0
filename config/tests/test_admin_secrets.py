"""Every admin that is registered, each of its columns, each lookup: no member of staff reads a secret by any of them.

The test has its own idea of a secret, wider than the product's; an admin or a column that is added is walked at once.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import models
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage
from picklefield import PickledObjectField

from billing.models import StripeEvent
from billing.tests.admin.test_third_party import mirror

pytestmark = pytest.mark.django_db

LOOKUPS = ("", "__exact", "__startswith", "__contains", "__regex", "__gt", "__isnull")
NAMED_SECRET = re.compile(r"password|token|digest|secret|payload|session_data|private")
OPAQUE = (models.JSONField, models.BinaryField, PickledObjectField)
CREDENTIAL, PAYLOAD = "credential-nobody-may-see", "payload-for-few"
OURS = ("accounts", "billing", "config", "notifications", "django.contrib.auth")
REGISTERED = list(admin.site._registry.items())
KINDS = ("views this", "changes this", "everything but payloads", "superuser")


def is_secret(field: Any) -> bool:
    is_token = "token" in field.model._meta.model_name and field.name == "key"
    return isinstance(field, OPAQUE) or is_token or bool(NAMED_SECRET.search(field.name))


def paths(model: Any, depth: int = 2) -> Iterator[tuple[str, Any]]:
    """Lookup paths to every column, over relations in both directions."""
    for field in model._meta.get_fields():
        if getattr(field, "concrete", False):
            yield field.name, field
        if field.is_relation and field.related_model and depth:
            for path, end in paths(field.related_model, depth - 1):
                yield f"{field.name}__{path}", end


@cache
def secret_paths(model: Any, depth: int = 2) -> list[str]:
    return [path for path, field in paths(model, depth) if is_secret(field)]


def staff(kind: str, model: Any) -> Any:
    """Bob, with the rights of one kind of staff towards one model, or the superuser."""
    users: Any = get_user_model().objects
    if kind == "superuser":
        return users.filter(is_superuser=True).first() or users.create_superuser("root@example.com", None)
    user = users.filter(is_superuser=False).first() or users.create_user("bob@example.com", None, is_staff=True)
    names = {"views this": ("view",), "changes this": ("view", "change")}.get(kind)
    if names is None:
        user.user_permissions.set(Permission.objects.exclude(codename="view_payload"))
    else:
        codenames = [f"{name}_{model._meta.model_name}" for name in names]
        app = model._meta.app_label
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames, content_type__app_label=app))
    return users.get(pk=user.pk)


def signed_in(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def asked_by(user: Any) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def page(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("model", "listed"), REGISTERED, ids=[model._meta.label for model, _ in REGISTERED])
def test_no_lookup_leads_to_a_secret(model: Any, listed: Any, kind: str) -> None:
    request = asked_by(staff(kind, model))
    for path in secret_paths(model):
        let_through = [found for found in LOOKUPS if listed.lookup_allowed(path + found, "a", request)]
        assert not let_through, (path, let_through)
    searched = "".join(listed.get_search_fields(request))
    ordered = [getattr(getattr(listed, str(name), None), "admin_order_field", None) for name in listed.list_display]
    assert not NAMED_SECRET.search(searched)
    assert not any(NAMED_SECRET.search(str(name)) for name in ordered)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_refuses_a_filter_on_a_secret_that_is_made_up_in_its_address(kind: str) -> None:
    """Over HTTP, each of a list's own secret columns, and the key of whatever points at a user."""
    asked = 0
    for model, _ in REGISTERED:
        client = signed_in(staff(kind, model))
        for path in secret_paths(model, depth=1)[:4]:
            answer = client.get(page(model, "changelist"), {f"{path}__startswith": "a"})
            assert answer.status_code == 400 or is_no_list(answer), (model, path)
            asked += 1
    assert asked > 100


def is_no_list(answer: Any) -> bool:
    """A page in a list's place, as the dashboard, reads no filter."""
    return answer.status_code == 200 and "cl" not in (answer.context or {})


def test_somebodys_token_is_no_oracle() -> None:
    model = get_user_model()
    client = signed_in(staff("views this", model))
    pointing = [field for field in model._meta.get_fields() if field.auto_created and field.is_relation]
    assert pointing
    for field in pointing:
        for key in {"pk", field.related_model._meta.pk.name}:
            answer = client.get(page(model, "changelist"), {f"{field.name}__{key}__startswith": "a"})
            assert answer.status_code == 400, field
    for own in ("password", "leaving_token"):
        assert client.get(page(model, "changelist"), {f"{own}__startswith": "a"}).status_code == 400
    assert client.get(page(model, "changelist"), {"is_active__exact": "1", "email__startswith": "a"}).status_code == 200


def test_what_a_list_offers_and_its_own_plain_columns_filter_it(admin_client: Client) -> None:
    StripeEvent.objects.create(
        id="evt_1", type="invoice.paid", created=1, livemode=False, lane="cus_1", received_at=timezone.now(), payload={}
    )
    listing = page(StripeEvent, "changelist")
    for query, found in (
        ({"type": "invoice.paid"}, 1),
        ({"status__exact": "dead"}, 0),
        ({"lane__startswith": "cus_"}, 1),
        ({"received_at__gte": "2020-01-01T00:00Z"}, 1),
        ({"attempts__lt": "1"}, 1),
    ):
        assert admin_client.get(listing, query).context["cl"].result_count == found, query


# What pages show


def rows() -> Iterator[Any]:
    """A row of each table that holds what Stripe or the queue was given, with a mark in each of its secrets."""
    for model, _ in REGISTERED:
        if model._meta.app_label == "djstripe":
            yield marked(mirror(model))
    now = timezone.now()
    event = {"type": "invoice.paid", "created": 1, "livemode": False, "lane": "cus_1", "received_at": now}
    yield StripeEvent.objects.create(id="evt_1", payload={"note": PAYLOAD, "client_secret": CREDENTIAL}, **event)
    task = {"name": "ten-lake", "func": "billing.lanes.drain", "started": now, "stopped": now, "args": (PAYLOAD,)}
    for number, is_success in enumerate((True, False)):
        made = Task.objects.create(id=f"{number}" * 32, success=is_success, result=PAYLOAD, **task)
        yield admin_row("success" if is_success else "failure", made.pk)
    yield Schedule.objects.create(name="sweep", func="billing.lanes.sweep", args=repr(PAYLOAD), minutes=1)
    queued = SignedPackage.dumps({"id": "b" * 32, "name": "queued", "func": "x", "args": (PAYLOAD,), "kwargs": {}})
    yield OrmQ.objects.create(key="billing", payload=queued, lock=now)


def admin_row(name: str, pk: Any) -> Any:
    model = next(model for model, _ in REGISTERED if model._meta.model_name == name)
    return model._default_manager.get(pk=pk)


def marked(row: Any) -> Any:
    changes: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        if isinstance(field, models.JSONField):
            kept = getattr(row, field.name) if isinstance(getattr(row, field.name), dict) else {}
            changes[field.name] = {**kept, "a_note": PAYLOAD, "client_secret": CREDENTIAL}
        elif field.name == "secret":
            changes[field.name] = CREDENTIAL
    type(row)._default_manager.filter(pk=row.pk).update(**changes)
    return row


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_shows_a_credential_and_payloads_are_for_who_may_see_them(kind: str) -> None:
    for row in list(rows()):
        model = type(row)
        client = signed_in(staff(kind, model))
        for address in (page(model, "changelist"), page(model, "change", row.pk)):
            answer = client.get(address)
            assert answer.status_code == 200, address
            shown = answer.content.decode()
            assert CREDENTIAL not in shown, address
            assert PAYLOAD not in shown or kind == "superuser", address


def test_a_payload_is_there_for_who_may_see_it() -> None:
    client = signed_in(staff("superuser", StripeEvent))
    missing = [
        row._meta.label
        for row in rows()
        if row._meta.label != "djstripe.APIKey"
        and PAYLOAD not in client.get(page(row, "change", row.pk)).content.decode()
    ]
    assert missing == []


# Whose admins there are


def test_every_admin_is_ours_or_djangos_own() -> None:
    """One that a package registers by itself is taken away, or replaced, before it is looked at."""
    strangers = {model._meta.label: type(found).__module__ for model, found in REGISTERED}
    assert {label: module for label, module in strangers.items() if not module.startswith(OURS)} == {}


def test_nothing_of_the_queues_can_be_added_changed_or_run() -> None:
    client = signed_in(staff("superuser", Schedule))
    queue = [model for model, _ in REGISTERED if model._meta.app_label == "django_q"]
    assert {model.__name__ for model in queue} == {"Schedule", "Success", "Failure", "OrmQ"}
    harm = {"name": "x", "func": "subprocess.check_output", "args": "['id']", "schedule_type": "O", "repeats": "-1"}
    for row in rows():
        model = type(row)
        if model not in queue:
            continue
        before = model._default_manager.count()
        assert client.post(page(model, "add"), harm).status_code == 403
        assert client.get(page(model, "add")).status_code == 403
        assert client.post(page(model, "change", row.pk), harm).status_code == 403
        assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        chosen = {"action": "resubmit_task", "_selected_action": [str(row.pk)]}
        client.post(page(model, "changelist"), chosen)
        assert (model._default_manager.count(), Schedule.objects.filter(func__contains="subprocess").count()) == (
            before,
            0,
        )


def test_only_the_packages_that_billing_brings_are_touched() -> None:
    from billing.admin import third_party

    site = admin.AdminSite()
    site.register(Permission)  # a host project's own
    site.register(Schedule)
    site.register(Task)  # as a later version of django-q2 might
    third_party.register(site)
    assert type(site.get_model_admin(Permission)) is admin.ModelAdmin
    assert not site.is_registered(Task)
    assert not site.get_model_admin(Schedule).has_add_permission(asked_by(staff("superuser", Schedule)))
    with pytest.raises(NoReverseMatch):
        reverse("admin:django_q_task_add")
