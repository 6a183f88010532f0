"""The second step takes these codes: of an app, which change every 30 seconds, and recovery codes, each of which
works once."""

import re
from typing import Any

from django.db import transaction
from django.utils.crypto import salted_hmac
from django_otp import verify_token
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User

HOW_MANY = 10


def match(user: Any, code: str) -> Device | None:
    """Return the user's device that the code belongs to, and use the code up."""
    plain = re.sub(r"[\s-]", "", code).lower()
    tried = [(device, plain) for device in TOTPDevice.objects.filter(user=user, confirmed=True)]
    tried += [(device, _stored(plain)) for device in StaticDevice.objects.filter(user=user)]
    found = (verify_token(user, device.persistent_id, token) for device, token in tried)
    return next((device for device in found if device), None)


def lock(user: Any) -> None:
    """Let changes of one user's second step wait for each other until the transaction ends: django-otp's tables would
    take two rows where one belongs."""
    list(User.objects.select_for_update().filter(pk=user.pk).values_list("pk"))


def left(user: Any) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


@transaction.atomic
def renew(user: Any) -> list[str]:
    """Create new recovery codes, to be shown once; the old ones stop working. Only their digests are stored."""
    lock(user)
    # The device stays, so a session that passed by one of its codes keeps its second step.
    device = StaticDevice.objects.filter(user=user).first()
    device = device or StaticDevice.objects.create(user=user, name="Recovery codes")
    device.token_set.all().delete()
    codes = [StaticToken.random_token() + StaticToken.random_token() for _ in range(HOW_MANY)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_stored(code)) for code in codes)
    return [f"{code[:4]}-{code[4:8]}-{code[8:12]}-{code[12:]}" for code in codes]


def _stored(code: str) -> str:
    """Cut the digest to the length of django-otp's column."""
    return salted_hmac("accounts.second_step.codes", code, algorithm="sha256").hexdigest()[:16]
