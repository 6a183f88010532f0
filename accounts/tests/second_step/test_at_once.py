"""Two requests at the same moment: a double click, two tabs, two colleagues at one account."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.second_step import codes, rules

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
User = get_user_model()


@pytest.fixture
def root():
    return User.objects.create_superuser("root@example.com")


def at_once(*works):
    together = Barrier(len(works))

    def run(work):
        try:
            together.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def test_of_two_sets_of_recovery_codes_made_at_once_only_the_later_works(root):
    sets = at_once(*[lambda: codes.renew(root)] * 2)
    assert codes.left(root) == codes.HOW_MANY
    assert StaticDevice.objects.filter(user=root).count() == 1
    assert sorted(bool(codes.match(root, made[0])) for made in sets) == [False, True]
    assert len(codes.renew(root)) == codes.HOW_MANY


def test_a_recovery_code_sent_twice_at_once_works_once(root):
    code, other = codes.renew(root)[:2]
    assert sorted(map(bool, at_once(*[lambda: codes.match(root, code)] * 2))) == [False, True]
    assert codes.match(root, other)


def test_when_the_last_two_apps_are_removed_at_once_the_recovery_codes_go(root):
    apps = [TOTPDevice.objects.create(user=root, name=f"App {n}") for n in range(2)]
    ben = User.objects.create_superuser("ben@example.com")
    TOTPDevice.objects.create(user=ben)
    for user in (root, ben):
        codes.renew(user)
    at_once(*[lambda app=app: rules.remove(app) for app in apps])
    assert (codes.left(root), codes.left(ben)) == (0, codes.HOW_MANY)
