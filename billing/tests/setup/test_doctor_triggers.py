"""The doctor names tables whose triggers are missing, as after a restore without them."""

import pytest
from django.db import connection

from billing.setup import watching
from billing.setup.doctor import triggers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_trigger_that_is_gone_is_named_by_its_table_and_made_again_by_migrate():
    watching.install()
    assert [found.level for found in triggers.triggers()] == ["ok"]
    on = " ON billing_plan" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER billing_plan_noted_update{on}")
    try:
        [found] = triggers.triggers()
        assert (found.level, found.text) == (
            "error",
            "Triggers that note changes of access are missing on: billing_plan.",
        )
    finally:
        watching.install()
    assert watching.missing() == []
