import pytest
from django.contrib.auth import get_user_model

from billing.catalogue import definitions


@pytest.fixture(autouse=True)
def _wall_clock(settings):
    settings.BILLING_CLOCK = ""
    definitions.update_plans()


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada@example.com")


@pytest.fixture
def ben():
    """A bystander, to whom nothing happens."""
    return get_user_model().objects.create_user("ben@example.com")
