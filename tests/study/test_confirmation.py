"""Whether the winner is better: fresh splits, pairs of repeats, the defaults beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hpsearch.datasets.selection import open_fresh, open_pool
from hpsearch.errors import StudyFileError
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.seed_key import PAIRED
from hpsearch.records.trial_record import TrialRecord
from hpsearch.studyfile.reading import read_study
from tests.harness.study import run

FOLDS = 'split = { kind = "k-fold", folds = 2 }'
STUDY = """
name = "fair"
objective = { metric = "validation_accuracy", direction = "maximize" }
[data]
name = "digits"
shots = 6
SPLIT
[network]
name = "two-layer"
[space]
trainer = { choices = ["sgd", "adam"] }
learning_rate = { low = 1e-3, high = 0.3, log = true }
hidden = { low = 8, high = 32 }
[[stages]]
trials = 6
epochs = 4
[confirmation]
top = 2
seeds = 3
test_seeds = 2
"""
KINDS = ("confirmation", "default", "test", "default-test")


@pytest.fixture
def fair(tmp_path: Path) -> Path:
    path = tmp_path / "fair.toml"
    path.write_text(STUDY.replace("SPLIT", FOLDS))
    return path


def again(home: Path, kind: str) -> list[TrialRecord]:
    return list(RunFolder(home / "studies" / "fair" / "1").read_all(kind))  # type: ignore[arg-type]


def draws(records: list[TrialRecord]) -> dict[int, list[tuple[int, tuple[int, ...]]]]:
    """Splits and seeds by repeat, of one configuration."""
    return {r.seed_number: [(m.split, tuple(m.entropy)) for m in r.members] for r in records}


def test_a_repeat_has_the_same_split_and_seed_whatever_the_configuration(
    fair: Path, home: Path
) -> None:
    result = run(fair, home)
    confirmed, default = again(home, "confirmation"), again(home, "default")
    first, second = ([r for r in confirmed if str(r.number) == n] for n in result.confirmed)
    assert draws(first) == draws(second) == draws(default)
    assert [split for r in first for split, _ in draws(first)[r.seed_number]] == [*range(6)]
    assert {m.entropy.trial for r in confirmed for m in r.members} == {PAIRED}
    assert len({m.entropy for r in first for m in r.members}) == 6
    assert draws(again(home, "test")) == draws(again(home, "default-test"))
    read = read_study(fair)
    fresh, kept = open_fresh(read.selection).splits, open_pool(read.selection).splits
    known = {held.tobytes() for _, held in kept}
    assert not known & {held.tobytes() for _, held in fresh}
    trials = RunFolder(home / "studies" / "fair" / "1").read_all("trial")
    assert {r.digests["splits"] for r in confirmed}.isdisjoint(r.digests["splits"] for r in trials)


def test_the_interval_is_of_all_fresh_splits(fair: Path, home: Path) -> None:
    result = run(fair, home)
    records = [r for r in again(home, "confirmation") if r.number == result.best_number]
    scores = [m.history["validation_accuracy"][-1] for r in records for m in r.members]
    assert result.validation.mean == pytest.approx(np.mean(scores))
    # 2 folds three times over: t(5) = 2.5706, and as many rows are held out as trained on.
    half = 2.5706 * np.sqrt(np.var(scores, ddof=1) * (1 / 6 + 1.0))
    assert result.validation.high == pytest.approx(result.validation.mean + half, rel=1e-3)
    assert "3 fresh splits" in str(result.validation)
    assert result.intervals.startswith("corrected resampled t interval over fresh splits")


def test_the_defaults_are_run_beside_the_winner(fair: Path, home: Path) -> None:
    result = run(fair, home)
    assert result.default is not None
    # The first trainer that is named, and its own defaults.
    assert result.default.searched == {"trainer": "sgd", "learning_rate": 0.01, "hidden": 50}
    winner = [r for r in again(home, "confirmation") if r.number == result.best_number]
    gains = [
        a.scores[4] - b.scores[4] for a, b in zip(winner, again(home, "default"), strict=True)
    ]
    assert result.default.gain is not None
    assert result.default.gain.values == pytest.approx(gains)
    tested = [r.members[0].history["test_accuracy"][-1] for r in again(home, "default-test")]
    assert result.default.test["test_accuracy"].values == tested
    assert result.test_score is not None
    lead = result.test_score.mean - result.default.test["test_accuracy"].mean
    assert result.default.test_gain is not None
    assert result.default.test_gain.mean == pytest.approx(lead)
    assert result.default.test_gain.rows == 359
    assert result.test_uses == 2
    assert dict(result.comparisons)["tuning"] == result.default_text
    (other,) = (int(n) for n in result.confirmed if n != str(result.best_number))
    assert [lead.number for lead in result.leads] == [other]


def test_without_defaults_the_test_set_is_opened_once(fair: Path, home: Path) -> None:
    result = run(fair, home, "confirmation.default=false")
    assert result.default is None
    assert result.default_text == ""
    assert result.test_uses == 1
    assert again(home, "default") == again(home, "default-test") == []


def test_kept_splits_are_said_and_still_paired(fair: Path, home: Path) -> None:
    result = run(fair, home, 'confirmation.splits="kept"')
    assert result.kept_splits == "confirmation.splits says so"
    assert str(result.validation).endswith("3 seeds)")
    records = again(home, "confirmation")
    assert {m.split for r in records for m in r.members} == {0, 1}
    assert {m.entropy.trial for r in records for m in r.members} == {PAIRED}


def test_a_fixed_split_is_kept_and_it_is_said(fair: Path, home: Path) -> None:
    fair.write_text(
        STUDY.replace("SPLIT", 'split = { kind = "fixed", validation = [1000, 1200] }')
    )
    result = run(fair, home)
    assert result.kept_splits == "it is fixed"
    assert ("splits", "confirmed on the splits of the search: it is fixed") in result.comparisons


FUNCTION = """
def train(params, seed):
    while True:
        yield {"validation_accuracy": 1 - (params["x"] - 0.3) ** 2}
"""


@pytest.mark.parametrize("default", ["", ", default = 5.0"])
def test_a_function_has_the_defaults_that_the_file_names(
    default: str, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "fair_one.py").write_text(FUNCTION)
    space = f'[space]\ntrainer = "fair_one:train"\nx = {{ low = 0.0, high = 1.0{default} }}\n'
    head, _, rest = STUDY.partition("[data]")
    path = tmp_path / "fair.toml"
    path.write_text(head + space + "[[stages]]" + rest.partition("[[stages]]")[2])
    result = run(path, home)
    if default:  # which may lie outside of what is searched
        assert result.default is not None
        assert result.default.searched == {"x": 5.0}
        assert result.default_text.startswith("tuning gained")
    else:
        assert result.default is None
        assert "give space.x a default" in result.default_text
    assert result.kept_splits == "the trainer makes the splits itself"


def test_a_default_that_can_not_be_is_refused_with_its_key(fair: Path) -> None:
    for key, value in (("hidden", "8.5"), ("learning_rate", '"fast"'), ("trainer", '"rmsprop"')):
        with pytest.raises(StudyFileError, match=f"space.{key}.default"):
            read_study(fair, [f"space.{key}.default={value}"])


def test_a_run_begun_before_goes_on_by_its_own_protocol(fair: Path, home: Path) -> None:
    """Confirmed on the splits of the search, with seeds of each trial's own, without defaults."""
    run(fair, home, 'confirmation.splits="kept"', "confirmation.default=false")
    folder = RunFolder(home / "studies" / "fair" / "1")
    known = folder.read_sealed(folder.files.study_json, "id", "file")
    assert known is not None
    del known["protocol"], known["file"]["confirmation"]["splits"]
    del known["file"]["confirmation"]["default"]
    folder.write_sealed(folder.files.study_json, {k: v for k, v in known.items() if k != "format"})
    for kind in ("confirmation", "test"):
        for record in again(home, kind):
            place = folder.files.record(record.kind, record.number, record.seed_number)
            place.json.unlink()
    (folder.files.artifacts / "result.json").unlink()
    result = run(fair, home)
    assert json.loads(folder.files.study_json.read_text())["protocol"] == 1
    assert result.default is None
    assert result.comparisons == []
    for kind in ("confirmation", "test"):
        for record in again(home, kind):
            assert {m.entropy.trial for m in record.members} == {record.number}
    assert result.test_score is not None
    assert result.test_score.rows == 0


def test_the_cheapest_that_is_as_good_may_be_the_winner(fair: Path, home: Path) -> None:
    best = run(fair, home, "confirmation.top=6")
    for cheap, number in (("hidden", 1), ("parameters", 2), ("seconds", 3)):
        said = ('confirmation.choose="one-standard-error"', f'confirmation.cheap="{cheap}"')
        result = run(fair, home / str(number), "confirmation.top=6", *said)
        means = {int(n): e.mean for n, e in result.confirmed.items()}
        assert means == {int(n): e.mean for n, e in best.confirmed.items()}
        top = best.validation
        assert top.high is not None
        error = (top.high - top.mean) / 2.5706  # t(5)
        near = [n for n, mean in means.items() if mean >= top.mean - error]
        assert len(near) > 1
        records = [r for r in again(home / str(number), "confirmation") if r.number in near]
        if cheap == "seconds":
            spent = {n: sum(r.cpu_seconds for r in records if r.number == n) for n in near}
            wanted = min(spent, key=lambda n: spent[n])
        else:  # a network has the more parameters the wider it is
            wanted = min(
                near, key=lambda n: next(r for r in records if r.number == n).params["hidden"]
            )
        assert result.best_number == wanted
        if wanted != best.best_number:
            assert f"of the best, trial {best.best_number}" in result.choice


def test_what_can_not_be_counted_as_a_cost_is_refused(fair: Path) -> None:
    said = ['confirmation.choose="one-standard-error"', 'confirmation.cheap="trainer"']
    with pytest.raises(StudyFileError, match=r"confirmation\.cheap: must be one of"):
        read_study(fair, said)
