"""A user's own code that changes between two starts of a study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hpsearch import reproduce_trial, run_study, verify_study
from hpsearch.api.support.trials import study_trials
from hpsearch.errors import StudyChangedError
from hpsearch.own_code import digest
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.study_json import code_of_starts, read_study_json
from hpsearch.studyfile.reading import read_study
from hpsearch.tracking.run_content import changing_tags
from tests.harness.commands import call_here
from tests.harness.study import records, run
from tests.harness.study_files import ALONE
from tests.harness.tampering import tamper

TRAIN = """
import NEAR

def train(params, data, seed, state=None):
    while True:
        yield {"validation_accuracy": params["x"] * NEAR.FACTOR}, 0
"""
SAMPLER = """
from optuna.samplers import RandomSampler

class Mine(RandomSampler):
    pass
"""
PRUNER = """
from optuna.pruners import MedianPruner

class Mine(MedianPruner):
    pass
"""


@pytest.fixture
def near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Writes what the study's training function imports: a factor of its scores."""
    monkeypatch.syspath_prepend(tmp_path)
    name = "near_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)
    (tmp_path / f"own_{name}.py").write_text(TRAIN.replace("NEAR", name))
    (tmp_path / "own.toml").write_text(ALONE.replace("TRAINER", f"own_{name}:train"))

    def write(factor: float) -> None:
        (tmp_path / f"{name}.py").write_text(f"FACTOR = {factor!r}\n")

    write(0.5)
    return write


def codes(home: Path) -> list[str]:
    """The digests of the starts of the study's run."""
    files = RunFolder(home / "studies/own/1").files
    return [*map(digest, code_of_starts(read_study_json(files)))]


def test_changed_code_is_refused_for_a_finished_study_too(
    near: Callable[[float], None], tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "own.toml"
    run(path, home)
    run(path, home)
    (before,) = codes(home)
    assert [r.code for r in records(home, "own")] == [[before], [before]]
    near(0.25)
    for overrides in ((), ["stages.0.trials=4"]):
        with pytest.raises(StudyChangedError, match="--accept-code, which marks") as error:
            run(path, home, *overrides)
        assert str(error.value).count("\n") == 0
        assert "trained: near_" in str(error.value)
    near(0.5)
    run(path, home, "stages.0.trials=3")
    assert codes(home) == [before]


def test_accepted_code_marks_the_trials(
    near: Callable[[float], None], tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "own.toml"
    run(path, home)
    assert "own_code" not in study_trials("own", home=home)
    near(0.25)
    called = call_here("study", str(path), "--home", str(home), "--workers", "0")
    assert called.returncode == 2
    assert "--accept-code" in called.stderr
    run(path, home, "stages.0.trials=3", accept_code=True)
    before, now = codes(home)
    found = records(home, "own")
    assert [r.code for r in found] == [[before], [before], [now]]
    assert found[2].scores[2] == pytest.approx(found[2].params["x"] / 4)
    assert study_trials("own", home=home)["own_code"].tolist() == [before, before, now]
    assert changing_tags(found[2])["hpsearch.own_code"] == now
    run(path, home, "stages.0.trials=3")  # is the code of the last start


def test_a_trial_that_goes_on_with_other_code_has_both(
    near: Callable[[float], None], tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "own.toml"
    longer = "stages=[{trials=2, epochs=2}, {trials=1, epochs=3, promote=1.0}]"

    class Enough(Exception):
        pass

    def stop(event: object) -> None:
        if getattr(event, "stage", 0) == 1:
            raise Enough

    with pytest.raises(Enough):
        run(path, home, longer, tell=stop)
    near(0.25)
    run(path, home, longer, accept_code=True)
    before, now = codes(home)
    assert sorted(r.code for r in records(home, "own")) == sorted([[before], [before, now]])


def test_verify_and_reproduce_say_that_the_code_is_another_one(
    near: Callable[[float], None], tmp_path: Path, home: Path
) -> None:
    run(tmp_path / "own.toml", home)
    assert verify_study("own", home=home).problems == []
    assert reproduce_trial("own", 1, home=home).code == ""
    near(0.25)
    found = reproduce_trial("own", 1, home=home)
    assert not found.equal
    assert found.code.startswith(f"code (digest {codes(home)[0]} recorded, ")
    problems = verify_study("own", home=home, trials=0).problems
    assert problems == [f"trial 0 and 1 more: {found.code}"]


def test_records_of_before_are_not_compared_and_get_a_digest(
    near: Callable[[float], None], tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "own.toml"
    run(path, home)
    tamper(home / "studies/own/1/study.json", lambda said: said.pop("code"))
    near(0.25)
    run(path, home)
    assert codes(home) == [digest(read_study(path).code)]
    near(0.75)
    with pytest.raises(StudyChangedError, match="--accept-code"):
        run_study(path, home=home, workers=0)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ('[sampler]\nname = "MODULE:Mine"\n', SAMPLER),
        ('[pruner]\nname = "MODULE:Mine"\nrungs = [1]\n', PRUNER),
        (
            '[pruner]\nname = "patient"\nrungs = [1]\n[pruner.options]\npatience = 1\n'
            'wrapped_pruner = "MODULE:Mine"\n',
            PRUNER,
        ),
    ],
)
def test_samplers_and_pruners_of_ones_own_are_code_too(
    table: str, text: str, study_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    module = "mine_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)
    (tmp_path / f"{module}.py").write_text(text)
    study_file.write_text(study_file.read_text() + table.replace("MODULE", module))
    assert [*read_study(study_file).code] == [f"{module}.py"]
