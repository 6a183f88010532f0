"""These fixtures serve all tests of the admin; a file may have its own of the same name."""

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.test import Client

from .rows import row_of_each


@pytest.fixture
def rows() -> dict[type[Model], Model]:
    """Return a row of every model, all about one customer."""
    return row_of_each()


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(email="root@example.com", password=None))
    return client
