"""A user is known by one address."""

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError

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
