"""A user is known by one address."""

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError

from accounts import confirmation

pytestmark = pytest.mark.django_db
User = get_user_model()


def test_an_address_is_stored_and_found_in_lower_case():
    user = User.objects.create_user("Ada@Example.COM")
    assert user.email == "ada@example.com"
    assert User.objects.get(email="ADA@example.com") == user
    assert User.objects.get_by_natural_key("ada@EXAMPLE.com") == user


@pytest.mark.postgres
def test_the_database_refuses_a_second_user_with_the_same_address():
    User.objects.create_user("ada@example.com")
    with pytest.raises(IntegrityError):
        User(email="ADA@example.com").save()


def test_a_user_without_an_address_is_refused():
    with pytest.raises(ValueError, match="needs an e-mail"):
        User.objects.create_user("")


def test_a_user_without_a_password_cannot_sign_in(client):
    assert not User.objects.create_user("ada@example.com").has_usable_password()


def test_a_superuser_may_all():
    root = User.objects.create_superuser("root@example.com", "correct-horse-battery")
    assert (root.is_staff, root.is_superuser) == (True, True)


def test_a_slow_request_does_not_undo_what_happened_to_the_account_meanwhile():
    ada = User.objects.create_user("ada@example.com", "correct-horse-battery")
    bystander = User.objects.create_user("ben@example.com", "correct-horse-battery")
    slow = User.objects.get(pk=ada.pk)
    User.objects.filter(pk=ada.pk).update(email="deleted-1@deleted.invalid", is_active=False, password="!")
    slow.language = "de"
    slow.save()
    ada.refresh_from_db()
    assert (ada.email, ada.is_active, ada.password, ada.language) == ("deleted-1@deleted.invalid", False, "!", "de")
    bystander.refresh_from_db()
    assert (bystander.email, bystander.is_active, bystander.language) == ("ben@example.com", True, "")


def test_each_change_is_written_once_whatever_was_read_written_or_refreshed_before():
    ada = User.objects.create_user("ada@example.com", "correct-horse-battery")
    ada.language = "de"
    ada.save()
    ada.language = "fr"
    ada.save(update_fields=["is_active"])
    ada.refresh_from_db(fields=["is_active"])
    ada.save()
    assert User.objects.get(pk=ada.pk).language == "fr"
    part = User.objects.only("email").get(pk=ada.pk)
    part.language = "de"
    part.save()
    assert User.objects.get(pk=ada.pk).language == "de"


def test_an_address_that_was_changed_meanwhile_is_not_confirmed():
    ada = User.objects.create_user("ada@example.com", "correct-horse-battery")
    slow = User.objects.get(pk=ada.pk)
    User.objects.filter(pk=ada.pk).update(email="deleted-1@deleted.invalid")
    confirmation.confirm(slow)
    ada.refresh_from_db()
    assert (ada.confirmed_email, ada.has_confirmed_email) == ("", False)
