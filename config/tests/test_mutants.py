"""The changes that `make mutants` draws, and the way they are put into code that is loaded."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from bench.mutants import CORE, ROOT, changes, sources, swapping, touching
from bench.mutants.__main__ import draw
from bench.mutants.forks import in_forks
from bench.mutants.touching import Touches, distance_of
from billing import usage

SOURCE = '''
def told(rows, at, limit=1):
    """Words for people."""
    log.info("nobody sees this")
    if rows.filter(owner=at, done=None).first() and at <= limit:
        return rows or "none"
    at.count += 1
    return None

def __str__(self):
    return self.name or "?"
'''


def nows(tmp_path, source=SOURCE):
    place = tmp_path / "told.py"
    place.write_text(source)
    return [change.now for change in changes.all_of(place)]


def test_every_kind_of_change_is_possible(tmp_path):
    assert nows(tmp_path) == [
        "if not (rows.filter(owner=at, done=None).first() and at <= limit):",
        "if rows.filter(owner=at, done=None).first() or at <= limit:",
        "if at <= limit:",
        "if rows.filter(owner=at, done=None).first():",
        "if rows.filter(done=None).first() and at <= limit:",
        "if rows.filter(owner=at).first() and at <= limit:",
        "if rows.first() and at <= limit:",
        "if rows.filter(owner=at, done=None).first() and at < limit:",
        "return None",
        "return rows and 'none'",
        "return 'none'",
        "return rows",
        "pass",
        "at.count += 2",
    ]


def test_what_nobody_can_observe_is_left_alone(tmp_path):
    source = "def kept(row: str = 'a') -> int:\n    log.warning('words')\n    row.save(update_fields=['a'])\n"
    assert nows(tmp_path, source) == ["pass"], "only the call itself can be dropped"


def test_a_return_behind_which_nothing_follows_and_a_lock_are_left_alone(tmp_path):
    source = """
def told(rows):
    if rows.early:
        return
    list(rows.locked())
    try:
        rows.count += 1
    except ValueError:
        return None
"""
    assert nows(tmp_path, source) == ["if not rows.early:", "pass", "pass", "rows.count += 2"]


def test_each_name_of_the_core_is_a_module_or_a_package():
    for name in CORE:
        place = ROOT.joinpath(*name.split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file(), name
    assert len(sources()) == len(set(sources())), "a change is drawn once"


def test_a_seed_always_draws_the_same_and_another_seed_draws_others():
    possible = [change for path in sources()[2:6] for change in changes.all_of(path)]
    assert draw(1, 20, possible) == draw(1, 20, possible) != draw(2, 20, possible)
    assert len(set(draw(1, 20, possible))) == 20


def test_every_change_compiles():
    possible = [change for path in sources() for change in changes.all_of(path)]
    for change in random.Random(1).sample(possible, 100):
        compile(changes.made(change), change.path, "exec")


def test_a_change_lives_in_its_fork_alone_and_reaches_who_imported_the_function_before():
    path = Path("billing/usage/quotas.py")
    overflow = next(change for change in changes.all_of(path) if "min(self.used - self.limit, 0)" in change.now)

    def try_it(change, directory):
        swapping.Loaded([path]).exchange(path, changes.made(change))
        return usage.Quota(12, 10).overflow

    assert list(in_forks([overflow], try_it, jobs=1)) == [(overflow, 0)]
    assert usage.Quota(12, 10).overflow == 2


def test_statements_that_are_run_are_noted_and_no_others():
    path = Path("billing/usage/quotas.py")

    def watch(quota, directory):
        seen = swapping.watch(swapping.Loaded([path]), [path])
        assert usage.Quota(*quota).remaining is None
        return sorted(seen)

    [(_, seen)] = in_forks([(1, None)], watch, jobs=1)
    assert [(ROOT / path).read_text().splitlines()[int(place.split(":")[1]) - 1].strip() for place in seen] == [
        "return None if self.limit is None else max(self.limit - self.used, 0) + self.credits"
    ]


@pytest.mark.parametrize(
    ("test", "distance"),
    [
        ("billing/tests/usage/test_quotas.py", 0),
        ("billing/tests/pages/test_quotas.py", 0),
        ("billing/tests/usage/test_counting.py", 1),
        ("billing/tests/access/test_rules.py", 2),
    ],
)
def test_tests_of_the_module_come_first_then_those_of_its_room(test, distance):
    assert distance_of(test, Path("billing/usage/quotas.py")) == distance


@pytest.mark.parametrize(
    ("test", "distance"),
    [
        ("billing/tests/lifecycle/test_starting.py", 0),
        ("billing/tests/lifecycle/test_starting_twice.py", 0),
        ("billing/tests/lifecycle/test_startings.py", 1),
        ("billing/tests/lifecycle/test_price_move_pairs.py", 0),
        ("config/tests/price_moves/test_people.py", 0),
        ("billing/tests/lifecycle/test_prices.py", 1),
        ("config/tests/test_people.py", 2),
    ],
)
def test_tests_of_a_package_are_of_each_of_its_modules(test, distance):
    assert distance_of(test, Path("billing/lifecycle/price_moves/starting.py")) == distance


QUOTAS = "billing/tests/usage/test_counting.py::test_a", "billing/tests/access/test_rules.py::test_b"


def touched(monkeypatch, tmp_path, ran, *, is_edited=False):
    """What touches `Quota.remaining`, where these tests ran such places, of the code as it is or as it was."""
    monkeypatch.setattr(touching, "CACHE", tmp_path)
    [change] = [each for each in changes.all_of(Path("billing/usage/quotas.py")) if "min(self.limit" in each.now]

    def watch(tests, directory):
        return {test: {"seconds": 0.1, "places": ran[test]} for test in tests}

    touches = Touches(QUOTAS, watch, jobs=1)
    touches.learn([change], 1)
    assert list(touches.facts) == [QUOTAS[0]], "what is far away is watched only if it is asked for"
    if is_edited:
        monkeypatch.setattr(touching, "_digests", lambda: {change.path: "another"})
        touches = Touches(QUOTAS, watch, jobs=1)
        touches.learn([change], 1)
    touches.learn([change], 2)
    return [touches.of(change, distance) for distance in touching.DISTANCES]


def place(number=-1, function=".Quota.remaining"):
    """The place of the statement that is changed, or what it may have been before an edit."""
    known = touching.places(Path("billing/usage/quotas.py")).values()
    return [each for each in known if f"|{function}|" in each][number]


def test_a_statement_is_touched_by_the_tests_that_ran_it(monkeypatch, tmp_path):
    ran = {QUOTAS[0]: [place()], QUOTAS[1]: [place()]}
    assert touched(monkeypatch, tmp_path, ran) == [[], [QUOTAS[0]], [QUOTAS[1]]]


@pytest.mark.parametrize(("is_edited", "found"), [(False, []), (True, [QUOTAS[0]])])
def test_a_statement_that_is_new_is_touched_by_the_tests_of_its_function(monkeypatch, tmp_path, is_edited, found):
    path, function, _ = place().split("|", 2)
    ran = {QUOTAS[0]: [f"{path}|{function}|return 7"], QUOTAS[1]: [f"{path}|.other|return 7"]}
    assert touched(monkeypatch, tmp_path, ran, is_edited=is_edited) == [[], found, []]


ON_A_VENDOR = """
def told(rows):
    if connection.vendor == "sqlite" or rows.is_small:
        return 1
    return _elsewhere(rows) + both(3)

def size(rows):
    if connection.vendor == "postgresql":
        rows.count += 5
    both(2)
    return 6 if connection.vendor == "postgresql" else 8

def _elsewhere(rows):
    return len(rows) + 10

def both(number):
    return number * 12
"""


def test_what_only_another_database_runs_is_left_alone(tmp_path):
    assert nows(tmp_path, ON_A_VENDOR) == [
        "return None",
        "return 2",
        "pass",
        "both(3)",
        "return None",
        "return 6 if connection.vendor == 'postgresql' else 9",
        "return None",
        "return number // 12",
        "return number * 13",
    ]


def test_the_command_draws_a_change_tries_it_and_tells_its_fate():
    given = ["--seed", "1", "--count", "1", "--only", "billing/access/gates.py", "--jobs", "1"]
    tests = ["--tests", "billing/tests/access/test_gates.py"]
    run = subprocess.run(
        [sys.executable, "-m", "bench.mutants", *given, *tests], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "seed 1: 1 drawn," in run.stdout, run.stdout + run.stderr
    assert "1 killed" in run.stdout or "1 lived" in run.stdout
