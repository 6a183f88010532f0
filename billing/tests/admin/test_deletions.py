"""Staff see each deletion of an account, where it stands and why it waits."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from billing import testing
from billing.lifecycle import deletion
from billing.models import AccountDeletion

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/billing/accountdeletion/"


def test_a_deletion_that_waits_says_for_what_and_is_tried_again_on_demand(world, admin_client):
    ada = world.subscribed()
    leaving = deletion.begin(ada.user)
    with world.writes_failing():
        testing.work()
    page = admin_client.get(LIST).content.decode()
    assert ada.customer in page
    assert "cancel subscriptions" in page
    assert "StripeUnanswered" in page
    assert admin_client.get(f"{LIST}{leaving.pk}/change/").status_code == 200
    said = admin_client.post(LIST, {"action": "try_now", "_selected_action": [str(leaving.pk)]}, follow=True)
    assert "1 deletion will be tried again now." in said.content.decode()
    assert LogEntry.objects.get().change_message == "Tried again"
    testing.work()
    assert AccountDeletion.objects.get().is_done
    assert "done" in admin_client.get(LIST).content.decode()


def test_without_the_permission_to_replay_a_deletion_is_seen_and_not_tried_again(world, client):
    ada = world.subscribed()
    leaving = deletion.begin(ada.user)
    with world.writes_failing():
        testing.work()
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(codename="view_accountdeletion"))
    client.force_login(bob)
    before = AccountDeletion.objects.values().get()
    page = client.get(LIST, secure=True).content.decode()
    assert (ada.customer in page, "Try again now" in page) == (True, False)
    client.post(LIST, {"action": "try_now", "_selected_action": [str(leaving.pk)]}, secure=True)
    testing.work()
    assert AccountDeletion.objects.values().get() == before
