"""A wrong setting is named, with what to set."""

import pytest

from billing import checks

KEY = "a" * 24


@pytest.mark.parametrize("key", [f"sk_test_{KEY}", f"rk_test_{KEY}"])
def test_a_key_of_the_right_mode_passes(settings, key):
    settings.STRIPE_SECRET_KEY = key
    assert checks.check_api_key() == []


@pytest.mark.parametrize("key", ["", "sk_test_short", f"pk_test_{KEY}", f"sk_live_{KEY}", "nonsense"])
def test_any_other_key_is_refused_without_being_shown(settings, key):
    settings.STRIPE_SECRET_KEY = key
    (error,) = checks.check_api_key()
    assert error.id == "billing.E001"
    assert "sk_test_…" in error.hint
    assert KEY not in f"{error.msg} {error.hint}"


@pytest.mark.parametrize("secrets", [[], [""]])
def test_a_missing_webhook_secret_is_named(settings, secrets):
    settings.STRIPE_WEBHOOK_SECRETS = secrets
    assert [warning.id for warning in checks.check_webhook_secret()] == ["billing.W001"]


@pytest.mark.parametrize("model", ["nobody.Nothing", "nonsense"])
def test_a_subscriber_model_that_is_not_installed_is_named(settings, model):
    settings.BILLING_SUBSCRIBER_MODEL = model
    assert [error.id for error in checks.check_subscriber_model()] == ["billing.E002"]
