"""Staff see and edit users; deleting one runs the same deletion as the user's own: see test_closing."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from accounts import tokens
from accounts.models import ApiToken
from billing.models import Customer

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.com")


def test_users_are_listed_and_found_by_address(admin_client, ada):
    assert "ada@example.com" in admin_client.get("/admin/accounts/user/?q=ada").content.decode()


def test_a_users_page_leads_to_what_billing_knows_of_them(admin_client, ada):
    customer = Customer.objects.create(id="cus1", subscriber=ada, email="money@example.com")
    page = admin_client.get(f"/admin/accounts/user/{ada.pk}/change/").content.decode()
    [address] = re.findall(r'href="([^"]+)">Plan and access', page)
    found = admin_client.get(address, follow=True)
    assert found.redirect_chain == [(f"/admin/billing/customer/{customer.pk}/change/", 302)]


def test_a_user_is_added_with_address_and_password(admin_client):
    given = {
        "email": "New@example.com",
        "usable_password": "true",
        "password1": "correct-horse-battery",
        "password2": "correct-horse-battery",
    }
    answer = admin_client.post("/admin/accounts/user/add/", given)
    assert answer.status_code == 302, answer.context["errors"]
    assert User.objects.get(email="new@example.com").check_password("correct-horse-battery")


def test_users_are_not_deleted_by_the_list(admin_client, ada):
    admin_client.post(
        "/admin/accounts/user/", {"action": "delete_selected", "_selected_action": [str(ada.pk)], "post": "yes"}
    )
    assert User.objects.filter(pk=ada.pk).exists()


# W3: a filter made up in the address is no way to a secret

SECRETS = ("password", "api_tokens__digest", "api_tokens__password_digest", "api_tokens", "api_tokens__id")
TOKEN_SECRETS = ("digest", "password_digest", "user__password", "user__api_tokens__digest", "user__email", "name")
HOW = ("", "__startswith", "__exact", "__gt", "__regex", "__contains", "__in", "__isnull")


@pytest.fixture
def viewer():
    """Staff of the lowest rank: may look, at users and tokens."""
    staff = User.objects.create_user("viewer@example.com", "correct-horse-battery", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "view_apitoken"]))
    client = Client(raise_request_exception=False)
    client.force_login(staff)
    return client


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("secret", SECRETS)
def test_who_may_view_users_reads_no_secret_letter_by_letter(viewer, ada, secret, how):
    tokens.issue(ada, "laptop")
    answer = viewer.get(f"/admin/accounts/user/?{secret}{how}=1")
    assert answer.status_code in {302, 400}
    assert answer.get("Location", "?e=1").endswith("?e=1")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("secret", TOKEN_SECRETS)
def test_nor_by_the_list_of_tokens(viewer, ada, secret, how):
    tokens.issue(ada, "laptop")
    answer = viewer.get(f"/admin/accounts/apitoken/?{secret}{how}=1")
    assert answer.status_code in {302, 400}
    assert answer.get("Location", "?e=1").endswith("?e=1")


def secret_paths():
    """Every admin of the site, and every way of at most two relations from its model to a secret of ours."""
    for model, model_admin in admin.site._registry.items():
        for path, reached in [("", model), *relations(model)]:
            for field in {User: ["password"], ApiToken: ["digest", "password_digest"]}.get(reached, []):
                yield model_admin, f"{path}{field}"


def relations(model, depth=2):
    for field in model._meta.get_fields():
        if field.is_relation and field.related_model and depth:
            yield f"{field.name}__", field.related_model
            further = relations(field.related_model, depth - 1)
            yield from ((f"{field.name}__{path}", reached) for path, reached in further)


def test_no_admin_of_the_site_lets_a_lookup_through_to_a_secret_of_ours(rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    found = list(secret_paths())
    assert len(found) > 20
    open_ones = [
        f"{model_admin.model.__name__}: {path}{how}"
        for model_admin, path in found
        for how in HOW
        if model_admin.lookup_allowed(f"{path}{how}", "1", request)
    ]
    assert open_ones == []


def test_the_filters_that_staff_need_go_on(viewer, ada):
    assert "ada@example.com" in viewer.get("/admin/accounts/user/?email=ada@example.com").content.decode()
    assert "ada@example.com" not in viewer.get("/admin/accounts/user/?is_staff__exact=1").content.decode()


# Tokens


def test_staff_see_names_and_dates_of_tokens_and_neither_value_nor_digest(viewer, ada):
    value = tokens.issue(ada, "laptop")
    token = ApiToken.objects.get()
    for address in ("/admin/accounts/apitoken/", f"/admin/accounts/apitoken/{token.pk}/change/"):
        page = viewer.get(address).content.decode()
        assert ("laptop" in page, value[:8] in page) == (True, True)
        assert not any(secret in page for secret in (value, token.digest, token.password_digest))


def test_a_users_page_leads_to_their_tokens(admin_client, ada):
    ben = User.objects.create_user("ben@example.com")
    tokens.issue(ada, "laptop of ada")
    tokens.issue(ben, "laptop of ben")
    page = admin_client.get(f"/admin/accounts/user/{ada.pk}/change/").content.decode()
    [address] = re.findall(r'href="([^"]+)">1 valid', page)
    found = admin_client.get(address).content.decode()
    assert ("laptop of ada" in found, "laptop of ben" in found) == (True, False)


def test_staff_who_may_revoke_tokens_do_and_it_is_logged(admin_client, viewer, ada):
    tokens.issue(ada, "lost")
    kept = tokens.issue(ada, "kept")
    lost = ApiToken.objects.get(name="lost")
    asked = {"action": "revoke", "_selected_action": [str(lost.pk)]}
    viewer.post("/admin/accounts/apitoken/", asked)
    assert ApiToken.objects.of(ada).count() == 2
    admin_client.post("/admin/accounts/apitoken/", asked)
    assert [token.name for token in ApiToken.objects.of(ada)] == ["kept"]
    assert tokens.find(kept)
    assert LogEntry.objects.get().object_id == str(lost.pk)
    lost.refresh_from_db()
    assert lost.state == "revoked by staff"


def test_nobody_makes_changes_or_deletes_a_token_in_the_admin(admin_client, ada):
    tokens.issue(ada, "laptop")
    token = ApiToken.objects.get()
    assert admin_client.get("/admin/accounts/apitoken/add/").status_code == 403
    assert admin_client.post(f"/admin/accounts/apitoken/{token.pk}/delete/", {"post": "yes"}).status_code == 403
    admin_client.post(f"/admin/accounts/apitoken/{token.pk}/change/", {"name": "other", "digest": "0" * 64})
    assert list(ApiToken.objects.values_list("name", "digest")) == [("laptop", token.digest)]
