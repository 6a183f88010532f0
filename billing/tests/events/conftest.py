"""A host project's receiver of `invoice.paid` that raises until it is mended."""

import pytest

from .failing import Broken


@pytest.fixture
def broken():
    receiver = Broken("invoice.paid")
    yield receiver
    receiver.disconnect()
