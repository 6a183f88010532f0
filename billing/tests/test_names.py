"""No code writes the app's label out, except as the setting's default: BILLING_APP_LABEL may name another one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITTEN_OUT = re.compile(
    r"""["']billing:\w|admin:billing_(?!mail)[a-z]+_|["']billing\.(view|change|add|delete|replay|handle|export)_|to="billing\.|"""
    r"""perms\.billing\.|\(["']billing["'], ["']0|\b(FROM|INTO|UPDATE|JOIN) (billing_|stripe_events)"""
)
FILES = [
    path
    for app in ("billing", "notifications")
    for kind in ("py", "html", "txt")
    for path in sorted((ROOT / app).rglob(f"*.{kind}"))
    if "tests" not in path.parts
]


def test_code_migrations_and_templates_take_the_label_from_the_setting():
    found = [
        (str(path.relative_to(ROOT)), line.strip())
        for path in FILES
        for line in path.read_text().splitlines()
        if WRITTEN_OUT.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        """reverse("billing:account")""",
        """{% url 'admin:billing_customer_changelist' %}""",
        """request.user.has_perm("billing.view_customer")""",
        """to="billing.customer",""",
        """("billing", "0001_initial"),""",
        "INSERT INTO billing_lane (key)",
        "SELECT 1 FROM stripe_events",
    ],
)
def test_a_label_that_is_written_out_would_be_found(line):
    assert WRITTEN_OUT.search(line)
