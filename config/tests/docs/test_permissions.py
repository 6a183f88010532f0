"""docs/staff.md explains every permission of ours that staff may be given, and no other."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

TEXT = (Path(settings.BASE_DIR) / "docs/staff.md").read_text()
APPS = ("billing", "billing_mail", "accounts")
TABLE = TEXT.partition("## Permissions")[2].partition("## ")[0]
NAMED = set(re.findall(r"`(?:billing\.|billing_mail\.|accounts\.)?([a-z]+(?:_[a-z]+)+)`", TABLE))


def ours(model):
    """Those the model names itself: what Django gives every model is explained where something comes of it."""
    return {codename for codename, _ in model._meta.permissions}


@pytest.mark.parametrize("app", APPS)
def test_every_permission_is_explained(app):
    assert {name for model in apps.get_app_config(app).get_models() for name in ours(model)} <= NAMED


def test_every_permission_that_is_explained_exists():
    models = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    made = {f"{verb}_{model._meta.model_name}" for model in models for verb in model._meta.default_permissions}
    assert made | {name for model in models for name in ours(model)} >= NAMED
