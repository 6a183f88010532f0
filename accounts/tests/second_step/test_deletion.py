"""The second step goes with the account, and nobody else's does."""

import pytest
from django.contrib.auth import get_user_model
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import closing
from accounts.second_step import codes, rules
from billing import testing
from billing.tests.conftest import world

__all__ = ["world"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_it_goes_with_the_account(world):
    ada = world.subscribed().user
    ben = get_user_model().objects.create_superuser("ben@example.com", "correct-horse-battery")
    for user in (ada, ben):
        TOTPDevice.objects.create(user=user, name="Authenticator app")
        codes.renew(user)
    closing.close(ada)
    testing.work()
    assert closing.is_closed(ada)
    assert (rules.has_factor(ada), codes.left(ada)) == (False, 0)
    assert (rules.has_factor(ben), codes.left(ben)) == (True, 10)
