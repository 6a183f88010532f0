"""Pages explain why a request was not carried out."""

from datetime import UTC, datetime

import pytest
import time_machine

from .test_buying import CHOICE

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world, client):
    user = world.sign_up()
    client.force_login(user)
    return user


def test_the_sixth_click_in_a_minute_is_asked_to_wait(ada, client):
    with time_machine.travel(datetime.now(UTC), tick=False):
        answers = [client.post("/billing/checkout", CHOICE) for _ in range(6)]
    assert answers[5].status_code == 429
    assert int(answers[5]["Retry-After"]) > 0
