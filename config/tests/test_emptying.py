import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from config.tests import emptying

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def end_a_test():
    emptying.TransactionTestCase("run")._fixture_teardown()


def counts():
    return Permission.objects.count(), ContentType.objects.count()


def test_what_a_test_left_is_gone_whatever_refers_to_whatever():
    end_a_test()
    user = User.objects.create_user("ada@example.com", "x")
    user.groups.add(group := Group.objects.create(name="support"))
    group.permissions.add(Permission.objects.first())
    end_a_test()
    assert not User.objects.exists()
    assert not Group.objects.exists()
    assert not User.groups.through.objects.exists()
    assert not Group.permissions.through.objects.exists()


def test_permissions_and_content_types_stay_for_the_next_test():
    end_a_test()
    before = counts()
    end_a_test()
    assert counts() == before
    assert min(before) > 20


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: Permission.objects.filter(pk=Permission.objects.first().pk).delete(),
        lambda: Permission.objects.filter(pk=Permission.objects.first().pk).update(name="renamed"),
        lambda: ContentType.objects.create(app_label="billing", model="nothing"),
    ],
    ids=["deleted", "changed", "added"],
)
def test_who_changed_them_leaves_them_as_they_were(spoil):
    end_a_test()
    before = counts(), set(Permission.objects.values_list("name", flat=True))
    spoil()
    end_a_test()
    assert (counts(), set(Permission.objects.values_list("name", flat=True))) == before
    assert not ContentType.objects.filter(model="nothing").exists()


def test_it_takes_few_statements():
    end_a_test()
    User.objects.create_user("ada@example.com", "x")
    with CaptureQueriesContext(connection) as asked:
        end_a_test()
    assert len(asked) <= 10
