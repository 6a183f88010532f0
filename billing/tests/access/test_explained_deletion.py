"""The deletion of an account is told of who never bought anything as well."""

import pytest
from django.contrib.auth import get_user_model

from billing import access, clock
from billing.models import AccountDeletion

pytestmark = pytest.mark.django_db


def test_the_deletion_of_somebody_without_a_customer_is_told_and_not_of_others():
    ada, ben = (get_user_model().objects.create_user(f"{name}@example.com") for name in ("ada", "ben"))
    deletion = AccountDeletion.objects.create(subscriber=ada, requested_at=clock.now())
    assert access.explain(ada, clock.now()).deletion == deletion
    assert access.explain(ben, clock.now()).deletion is None
