"""A partner's list of codes is taken over once, whole or not at all, and what is redeemed of it gives what it says."""

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from billing import access, usage
from billing.catalogue import definitions
from billing.lifecycle import redeeming
from billing.models import Code

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _plans(settings):
    settings.BILLING_CLOCK = ""
    definitions.update_plans()


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada@example.com")


@pytest.fixture
def bring(tmp_path, capsys):
    """Return a function that brings a list and returns what the command said."""

    def run(text, *options, batch="appsumo"):
        file = tmp_path / "codes.csv"
        file.write_text(text, "utf-8")
        call_command("import_codes", str(file), "--batch", batch, *options)
        return capsys.readouterr().out.strip()

    return run


@pytest.mark.parametrize(
    "text",
    ["AS-1\nas-2\n\nAS 2\n", "email,Code\na@example.com,AS-1\nb@example.com,as-2\n", "\ufeffcode\r\nAS1\r\nAS2\r\n"],
)
def test_codes_are_taken_from_lines_or_from_a_column_each_once(bring, ada, text):
    assert bring(text, "--plan", "pro") == "Made 2 codes of the batch appsumo; 0 were known."
    assert sorted(Code.objects.values_list("code", flat=True)) == ["AS1", "AS2"]
    redeeming.redeem(ada, "as-1")
    assert access.has_access(ada, plan="pro")


def test_the_same_list_again_makes_none_and_a_longer_one_only_the_rest(bring, ada):
    bring("AS1\nAS2\n", "--feature", "generations", "--quantity", "50", "--as-credits")
    redeeming.redeem(ada, "AS1")
    again = bring("AS1\nAS2\nAS3\n", "--feature", "generations", "--quantity", "50", "--as-credits")
    assert again == "Made 1 codes of the batch appsumo; 2 were known."
    assert usage.summary(ada)["generations"].credits == 50
    assert Code.objects.get(code="AS1").used == 1


def test_a_dry_run_makes_none(bring):
    assert bring("AS1\n", "--plan", "pro", "--dry-run") == "Would make 1 codes of the batch appsumo; 0 were known."
    assert not Code.objects.exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--plan", "team"), "exist already with other terms, such as AS1"),
        (("--plan", "pro", "--lasts-days", "30"), "other terms"),
        (("--plan", "nope"), "no plan 'nope'"),
        (("--plan", "free"), "no plan 'free'"),
        ((), "either a plan or a feature"),
        (("--plan", "pro", "--feature", "generations"), "either a plan or a feature"),
        (("--feature", "teleports"), "No plan has the feature"),
        (("--feature", "generations", "--as-credits"), "how many credits"),
        (("--plan", "pro", "--quantity", "5"), "quantity is of a feature"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(bring, options, why):
    bring("AS1\n", "--plan", "pro")
    with pytest.raises(CommandError, match=why) as refused:
        bring("AS0\nAS1\n", *options)
    assert (refused.value.returncode, Code.objects.count()) == (2, 1)


def test_a_code_of_another_batch_and_what_is_no_code_are_refused(bring, tmp_path):
    bring("AS1\n", "--plan", "pro")
    with pytest.raises(CommandError, match="other terms"):
        bring("AS1\n", "--plan", "pro", batch="other")
    with pytest.raises(CommandError, match="is no code"):
        bring("AS9\n=cmd|1\n", "--plan", "pro")
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_codes", str(tmp_path / "missing"), "--batch", "x", "--plan", "pro")
    assert Code.objects.count() == 1
