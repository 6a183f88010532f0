"""The last mail of a deleted account goes to the old address, and the outbox forgets it once it is sent."""

import pytest

from billing import testing
from billing.lifecycle import deletion
from notifications import outbox
from notifications.models import Mail

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_last_mail_goes_to_the_old_address_which_is_forgotten_then(world):
    ada = world.subscribed()
    deletion.begin(ada.user)
    testing.work()
    last = Mail.objects.get(kind="account_deleted")
    assert last.recipient == "ada@example.com"
    for mail in Mail.objects.filter(status="queued"):
        outbox.deliver(str(mail.pk))
    assert set(Mail.objects.values_list("recipient", flat=True)) == {""}
    assert Mail.objects.get(kind="account_deleted").status == "sent"
    assert Mail.objects.get(kind="subscription_cancelled").status == "skipped"
