"""Each kind of staff attacks the forms of users and groups: nobody rises, and nobody takes over somebody higher."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.rank import PRIVILEGES

pytestmark = pytest.mark.django_db

User = get_user_model()
PASSWORD = "correct-horse-battery"
STOLEN = "stolen-horse-battery"
OF_USERS = ("add_user", "view_user", "change_user", "delete_user")


def staff(email, *codenames, **more):
    user = User.objects.create_user(email, PASSWORD, is_staff=True, **more)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def bob():
    """Support, who may change users and groups."""
    return staff("bob@example.com", *OF_USERS, "view_group", "add_group", "change_group", "delete_group")


@pytest.fixture
def client(bob):
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def root():
    return User.objects.create_superuser("root@example.com", PASSWORD)


@pytest.fixture
def ada():
    """A subscriber."""
    return User.objects.create_user("ada@example.com", PASSWORD)


def everything_of(user):
    user = User.objects.get(pk=user.pk)
    rights = [sorted(getattr(user, name).values_list("pk", flat=True)) for name in ("groups", "user_permissions")]
    return user.email, user.password, user.is_active, user.is_staff, user.is_superuser, *rights


def change(client, user, **given):
    return client.post(f"/admin/accounts/user/{user.pk}/change/", {"email": user.email, "is_active": "on", **given})


def set_password(client, user):
    given = {"password1": STOLEN, "password2": STOLEN, "usable_password": "true"}
    return client.post(f"/admin/accounts/user/{user.pk}/password/", given)


def delete(client, user):
    return client.post(f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"})


ATTACKS = [
    lambda client, user: change(client, user, email="bob+2@example.com"),
    lambda client, user: change(client, user, is_active=""),
    set_password,
    delete,
]


def superior(kind):
    """Return somebody with a right that Bob lacks: by a group too, while inactive too, and without being staff."""
    if kind == "superuser":
        return User.objects.create_superuser("eve@example.com", PASSWORD)
    if kind == "inactive superuser":
        return User.objects.create_superuser("eve@example.com", PASSWORD, is_active=False)
    if kind == "staff by group":
        group = Group.objects.create(name="refunds")
        group.permissions.set(Permission.objects.filter(codename="hold_customer"))
        eve = staff("eve@example.com")
        eve.groups.add(group)
        return eve
    eve = staff("eve@example.com", "hold_customer", is_active=kind != "inactive staff")
    User.objects.filter(pk=eve.pk).update(is_staff=kind != "no staff any more")
    return User.objects.get(pk=eve.pk)


@pytest.mark.parametrize("attack", range(len(ATTACKS)))
@pytest.mark.parametrize(
    "kind", ["superuser", "inactive superuser", "staff", "staff by group", "inactive staff", "no staff any more"]
)
def test_nobody_changes_whoever_has_more_rights(client, kind, attack):
    eve = superior(kind)
    before = everything_of(eve)
    assert ATTACKS[attack](client, eve).status_code == 403
    assert everything_of(eve) == before


def test_support_still_sees_them_and_changes_subscribers(client, root, ada):
    page = client.get(f"/admin/accounts/user/{root.pk}/change/")
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert change(client, ada, email="ada@example.org").status_code == 302
    assert set_password(client, ada).status_code == 302
    ada.refresh_from_db()
    assert (ada.email, ada.check_password(STOLEN)) == ("ada@example.org", True)


@pytest.mark.parametrize("name", PRIVILEGES)
def test_nobody_but_a_superuser_gives_a_privilege_to_themselves_or_to_others(client, bob, ada, name):
    group = Group.objects.create(name="everything")
    given = {
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [str(group.pk)],
        "user_permissions": [str(pk) for pk in Permission.objects.values_list("pk", flat=True)],
    }
    before = everything_of(bob)[2:], everything_of(ada)[2:]
    for user in (bob, ada):
        change(client, user, **{name: given[name]})
    assert (everything_of(bob)[2:], everything_of(ada)[2:]) == before


def test_a_user_is_added_without_privileges(client):
    given = {"email": "new@example.com", "usable_password": "true", "password1": STOLEN, "password2": STOLEN}
    client.post("/admin/accounts/user/add/", given | {"is_staff": "on", "is_superuser": "on"})
    assert everything_of(User.objects.get(email="new@example.com"))[2:] == (True, False, False, [], [])


def test_groups_are_a_superusers(client, bob):
    group = Group.objects.create(name="support")
    bob.groups.add(group)
    given = {"name": "support", "permissions": [str(Permission.objects.get(codename="hold_customer").pk)]}
    assert client.get("/admin/auth/group/").status_code == 200
    for address in ("add/", f"{group.pk}/change/", f"{group.pk}/delete/"):
        assert client.post(f"/admin/auth/group/{address}", {**given, "post": "yes"}).status_code == 403
    client.post("/admin/auth/group/", {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"})
    assert (group.permissions.count(), Group.objects.count()) == (0, 1)


def test_no_bulk_action_deletes_or_changes_a_superuser(client, root):
    before = everything_of(root)
    chosen = {"_selected_action": [str(root.pk)], "post": "yes"}
    client.post("/admin/accounts/user/", {"action": "delete_selected", **chosen})
    rows = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": str(root.pk), "form-0-is_active": ""}
    client.post("/admin/accounts/user/", {"_save": "Save", **rows})
    assert everything_of(root) == before


def test_whoever_may_only_view_changes_nothing(ada):
    carol = staff("carol@example.com", "view_user")
    client = Client()
    client.force_login(carol)
    before = everything_of(ada), everything_of(carol)
    for user in (ada, carol):
        for attack in ATTACKS:
            assert attack(client, user).status_code == 403
    assert (everything_of(ada), everything_of(carol)) == before


def test_a_superuser_gives_and_takes(root, ada):
    client = Client()
    client.force_login(root)
    right = Permission.objects.get(codename="view_user")
    assert change(client, ada, is_staff="on", user_permissions=[str(right.pk)]).status_code == 302
    ada.refresh_from_db()
    assert (ada.is_staff, list(ada.user_permissions.all())) == (True, [right])


def test_a_colleague_with_the_same_rights_may_be_helped(client, bob):
    dan = staff("dan@example.com", *OF_USERS)
    assert set_password(client, dan).status_code == 302
