"""Studies whose file says where hyperparameters are expected to be good."""

from __future__ import annotations

from itertools import islice, repeat
from pathlib import Path

import pytest

from hpsearch import plan_study, study_methods, verify_study
from hpsearch.errors import StudyChangedError, StudyFileError
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.samplers import Prior
from hpsearch.study.opening import open_run
from hpsearch.study.stored_space import kept_space
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.interrupts import interrupt
from tests.harness.stores import new_home
from tests.harness.study import run, table

STUDY = """\
# A rate that somebody knows, and a kind that somebody guesses.
name = "expected"
objective = { metric = "validation_loss", direction = "minimize" }
[space]
trainer = "expected:train"
rate = [
    { low = 1e-5, high = 1, log = true, prior = 3e-3, confidence = "high", when = { kind = "a" } },
    { low = 1e-5, high = 1, log = true, when = { kind = "b" } },
]
kind = { choices = ["a", "b"], weights = [3, 1] }
[data]
name = "digits"
shots = 2
split = { kind = "k-fold", folds = 2 }
[sampler]
batch = 2
[[stages]]
trials = 14
epochs = 1
[confirmation]
top = 1
seeds = 2
default = false
"""
FUNCTION = """\
from math import log10

def train(params, data, seed):
    yield {"validation_loss": abs(log10(params["rate"] / 3e-3)) + (params["kind"] == "b")}
"""
EXPECTED = {"rate[0]": Prior(3e-3, "high"), "kind": Prior(weights=(3, 1))}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "expected.py").write_text(FUNCTION)
    path = tmp_path / "expected.toml"
    path.write_text(STUDY)
    return path


def test_it_shapes_the_search_which_is_derived_again_with_it(
    written: Path, tmp_path: Path
) -> None:
    home = Home(new_home(tmp_path / "home"))
    home.create()
    opened = open_run(read := read_study(written), home, fresh=False)
    left = islice(repeat(True), 9)
    assert interrupt(Study(read, opened, home.storage_url, 0), lambda event: not next(left, False))
    opened.close()
    result = run(written, home.path)
    run(written, tmp_path / "undisturbed")
    assert table(home.path, "expected") == table(tmp_path / "undisturbed", "expected")
    folder = RunFolder(home.study("expected").run(1).path)
    second = folder.read("trial", 1)
    assert second is not None
    assert (second.params["rate"], second.params["kind"]) == (3e-3, "a")
    assert result.validation.mean < 0.1
    space = kept_space(folder)
    assert space is not None
    assert space.priors == read.space.priors == EXPECTED
    verified = verify_study("expected", home=home.path, trials=0)
    assert verified.problems == []
    assert verified.replay.draws == 14
    text = study_methods("expected", home=home.path)
    assert "with the prior 0.003 (high confidence)" in str(text)
    assert "shaped the draws, with a weight that fell as results came in" in str(text)
    with pytest.raises(StudyChangedError):
        run(written, home.path, "space.kind.weights=[1, 3]", "stages.0.trials=16")


def test_a_plan_says_it(written: Path) -> None:
    said = plan_study(written, trials=0).searched
    assert said["rate[0]"].endswith("with the prior 0.003 (high confidence), where kind = a")
    assert said["kind"] == "one of a, b, with the prior weights 3 : 1"


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("prior = 3e-3", "prior = 3.0", "space.rate.0.prior: must be a number from 1e-05 to 1"),
        ("prior = 3e-3", 'prior = "x"', "space.rate.0.prior: must be a number from 1e-05 to 1"),
        ("prior = 3e-3, ", "", "space.rate.0.prior: is missing: confidence says how sure it is"),
        ('"high", when', '"hihg", when', "did you mean 'high'"),
        ("[3, 1]", "[3]", "space.kind.weights: must be a list of 2 numbers"),
        ("[3, 1]", "[0, 0]", "space.kind.weights: must be a list of 2 numbers"),
        ("[3, 1]", "[3, true]", "space.kind.weights: must be a list of 2 numbers"),
        ("weights = [3, 1]", "prior = 1", "space.kind.prior: must be one of choices, when"),
        ("batch = 2", 'name = "tpe"', "space.kind.weights: must be left out: only coarse-to-fine"),
        ("batch = 2", 'proposal = "uniform"', "got 'uniform'"),
        ("[space]", "compare = ['kind']\n[space]", "space.kind.weights: must be left out: every"),
    ],
)
def test_mistakes_are_told(old: str, new: str, mistake: str, written: Path) -> None:
    written.write_text(STUDY.replace(old, new, 1))
    with pytest.raises(StudyFileError) as caught:
        read_study(written)
    assert mistake in str(caught.value)
