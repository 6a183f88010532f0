"""docs/operations.md is true: its SQL runs; its files, units, metrics, variables and permissions are there."""

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import get_commands
from django.db import connection
from gunicorn.config import Config

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

ROOT = Path(settings.BASE_DIR)
TEXT = (ROOT / "docs/operations.md").read_text()
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
SQL = [text for block in re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL) for text in block.split(";\n") if text]


def test_each_command_of_ours_that_mends_something_is_named():
    ours = {path.stem for path in (ROOT / "billing/management/commands").glob("[a-z]*.py")} - {
        "stripe_sandbox",
        "billing",
    }
    assert ours <= set(re.findall(r"manage\.py ([a-z_]+)", TEXT))


@pytest.mark.parametrize("statement", SQL)
def test_the_sql_runs_on_the_schema(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchall()


def test_the_metrics_are_exported(client):
    told = client.get("/metrics").content.decode()
    for name in set(re.findall(r"`((?:billing|notifications)_\w+)`", TEXT)) - set(get_commands()):
        assert f"# HELP {name} " in told, name


def test_every_variable_is_read_by_the_settings_and_in_the_example():
    table = TEXT.partition("| variable |")[2].partition("\n\n")[0]
    read, example = (ROOT / "config/settings.py").read_text(), (ROOT / ".env.example").read_text()
    for name in re.findall(r"`([A-Z][A-Z_]+)[`=]", table):
        assert f'"{name}"' in read or name.startswith("ANYMAIL_"), name
        assert name in example, name


def test_the_permissions_that_are_named_exist():
    for name in re.findall(r"\*(Can [^*]+)\*", TEXT.replace("\n    ", " ")):
        assert Permission.objects.filter(name=name).exists(), name


def test_the_units_start_what_there_is_and_stop_the_main_process_alone():
    assert [unit.stem for unit in UNITS] == ["billing-web", "billing-worker"]
    for unit in UNITS:
        [line] = re.findall(r"^ExecStart=(.+)$", unit.read_text(), re.MULTILINE)
        program, *arguments = line.split()
        assert (ROOT / Path(program).relative_to("/srv/billing")).exists(), program
        assert "KillMode=mixed" in unit.read_text()
        if program.endswith("gunicorn"):
            Config().parser().parse_args(arguments)


def test_what_is_copied_and_started_is_there():
    """The rest of these blocks is the system's, of which no test is in charge."""
    shell = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
    for pattern in re.findall(r"deploy/[\w/*.]+|requirements\.txt", shell):
        assert list(ROOT.glob(pattern)), pattern
    started = re.findall(r"(?:enable --now|journalctl -u) (.+?)(?: -o.*)?$", shell, re.MULTILINE)
    assert {name for names in started for name in names.split()} == {unit.stem for unit in UNITS}
    assert subprocess.run(["bash", "-n"], input=shell, text=True, check=False).returncode == 0
