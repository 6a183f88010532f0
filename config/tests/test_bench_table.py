"""A benchmark fails where a target is missed, or where a cost is a tenth above that of the release before."""

import json
from pathlib import Path

import pytest

from bench import table
from bench.table import Row, keep, released, show


def row(cost: float | None, work: str = "door", is_reached: bool | None = None) -> Row:
    return Row(work, "1.00 ms", "1.40 ms", "1.40 ×", "≤ 1.5 ×", is_reached, cost)


@pytest.mark.parametrize(("cost", "code"), [(1.0, 0), (1.54, 0), (1.55, 1), (None, 0)])
def test_a_tenth_more_is_let_pass_and_more_is_not(cost: float | None, code: int) -> None:
    assert show([row(1.4, "another"), row(cost)], {"door": 1.4}) == code


def test_it_says_what_is_worse_and_by_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    show([row(2.0), row(2.0, "apply")], {"door": 1.4})
    _, door, apply = capsys.readouterr().out.splitlines()
    assert "1.40" in door
    assert door.endswith("WORSE: 2.00")
    assert "WORSE" not in apply


def test_a_missed_target_fails_whatever_the_release_before_was() -> None:
    assert show([row(1.0, is_reached=False)], {"door": 2.0}) == 1
    assert show([row(1.0, is_reached=True)], {"door": 2.0}) == 0


def test_what_was_measured_is_kept_and_the_rest_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "KEPT", tmp_path / "baseline.json")
    assert released() == {}
    keep([row(1.4), row(3.0, "apply"), row(None, "rate")])
    keep([row(1.2)])
    assert json.loads(table.KEPT.read_text()) == released() == {"apply": 3.0, "door": 1.2}
