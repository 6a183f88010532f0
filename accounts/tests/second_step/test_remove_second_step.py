"""An operator lets a locked-out superuser in again, and touches nobody else."""

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.second_step import codes, rules

pytestmark = pytest.mark.django_db


def test_all_of_one_users_is_removed(capsys):
    ada, ben = (get_user_model().objects.create_superuser(f"{name}@example.com") for name in ("ada", "ben"))
    for user in (ada, ben):
        TOTPDevice.objects.create(user=user)
        codes.renew(user)
    call_command("remove_second_step", "Ada@example.com")
    assert "Removed the second step of ada@example.com" in capsys.readouterr().out
    assert (rules.has_factor(ada), codes.left(ada)) == (False, 0)
    assert (rules.has_factor(ben), codes.left(ben)) == (True, 10)


def test_an_unknown_address_is_said():
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("remove_second_step", "nobody@example.com")
