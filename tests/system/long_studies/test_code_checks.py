"""Rules of one's own code: of seeds, pauses and the final test; what is warned of, and when."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpsearch import reproduce_trial, verify_study
from hpsearch.api.show import show_study
from hpsearch.audit.reproduction import pauses_text
from hpsearch.console import StudyProgress, print_report
from hpsearch.records.run_folder import RunFolder
from hpsearch.records.sealed import read_sealed
from hpsearch.reports.study_report import write_report
from hpsearch.study.code_checks import code_warnings
from hpsearch.study.events import CodeDoubt, Event
from tests.harness.study import records, run
from tests.harness.study_files import ALONE
from tests.harness.tampering import tamper

WriteStudy = Callable[[str], Path]

WHOLE = """
    import random

    def train(params, data, seed, state=None):
        rng, score = random.Random(seed), 0.0
        if state is not None:
            score, generator = state
            rng.setstate(generator)
        while True:
            score += rng.random() * params["x"]
            yield {"validation_accuracy": score}, (score, rng.getstate())
"""
# Its buffer starts at 0 after every pause: 0.5, 0.75, 0.875 of x in one go, else 0.5 each time.
FORGETS_MOMENTUM = """
    def train(params, data, seed, state=None):
        weight, buffer = state or 0.0, 0.0
        while True:
            buffer = 0.5 * buffer + 0.5
            weight += buffer
            yield {"validation_accuracy": weight}, weight
"""
# It draws the same numbers again after every pause.
SEEDS_A_GLOBAL_GENERATOR = """
    import random

    def train(params, data, seed, state=None):
        random.seed(seed)
        while True:
            yield {"validation_accuracy": random.random()}, "nothing"
"""
DRAWS_WITHOUT_A_SEED = """
    import random

    def train(params, data, seed):
        rng = random.Random()
        while True:
            yield {"validation_accuracy": rng.random()}
"""
OWN_ESTIMATOR = """
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Model(ClassifierMixin, BaseEstimator):
        def __init__(self, x=0.5, max_iter=5, random_state=None):
            self.x, self.max_iter, self.random_state = x, max_iter, random_state

        def partial_fit(self, x, y, classes=None):
            self.classes_ = np.arange(10)
            self.passes_ = getattr(self, "passes_", 0) + 1
            return self

        def fit(self, x, y):
            return self.partial_fit(x, y)

        def predict(self, x):
            return (np.arange(len(x)) * self.passes_) % 10

        def __getstate__(self):
            return {k: v for k, v in vars(self).items() if k != "passes_"}
"""
EVERY_EPOCH = "execution.slice_seconds=1e-6"
THREE = "stages=[{trials=2, epochs=3}]"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteStudy:
    """Writes a module of this text and a study of its `train`, or of its class `Model`."""
    monkeypatch.syspath_prepend(tmp_path)
    module = "own_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)

    def write(text: str) -> Path:
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(text))
        name = f"{module}.Model" if "class Model" in text else f"{module}:train"
        path = tmp_path / "own.toml"
        path.write_text(ALONE.replace("TRAINER", name))
        return path

    return write


def told(path: Path, home: Path, *overrides: str, **more: Any) -> list[str]:
    """The warnings of pauses of a study that is run."""
    events: list[Event] = []
    run(path, home, *overrides, tell=events.append, **more)
    return [event.warning for event in events if isinstance(event, CodeDoubt)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            FORGETS_MOMENTUM,
            "must give the same metrics with a pause as without one, got "
            "validation_accuracy = 1.0 after epoch 2 where it was 1.25 (trial 0, 3 epochs",
        ),
        (SEEDS_A_GLOBAL_GENERATOR, "random.getstate(), np.random.get_state(), torch.get_rng_st"),
        (DRAWS_WITHOUT_A_SEED, "must give the same metrics for the same seed, got"),
        (OWN_ESTIMATOR, "keep everything that training changes in attributes of the estimator"),
    ],
)
def test_a_state_that_is_not_whole_is_warned_of_once(
    text: str, message: str, own: WriteStudy, home: Path
) -> None:
    path = own(text)
    (warning,) = told(path, home, THREE)
    assert message in warning
    folder = RunFolder(home / "studies/own/1")
    assert code_warnings(folder) == [warning]
    said = read_sealed(folder.files.code_checks)
    assert said is not None
    assert [*said["checks"].values()] == [[warning]]
    folder.files.artifact("result.json").unlink()  # type: ignore[arg-type]
    assert told(path, home, "stages=[{trials=3, epochs=3}]") == []  # goes on, and asks no more


def test_the_warning_stands_in_terminal_report_and_page(
    own: WriteStudy, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(own(FORGETS_MOMENTUM), home, THREE)
    folder = RunFolder(home / "studies/own/1")
    report = show_study("own", home=home)
    print_report(report)
    shown = capsys.readouterr().out
    assert "WARNING" in shown
    assert "validation_accuracy = 1.0 after epoch 2 where it was 1.25" in shown
    assert report.as_dict()["code_warnings"] == code_warnings(folder)
    assert "where it was 1.25" in write_report(folder, result).read_text()
    with StudyProgress() as progress:
        progress.show(CodeDoubt(report.code_warnings[0]))
    assert "warning: own_" in capsys.readouterr().err


@pytest.mark.parametrize("text", [WHOLE, FORGETS_MOMENTUM])
def test_a_check_changes_no_trial(
    text: str, own: WriteStudy, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = own(text)
    warnings = told(path, home, THREE)
    assert bool(warnings) == (text is FORGETS_MOMENTUM)
    monkeypatch.setattr("hpsearch.study.code_checks.is_own", lambda name: False)
    run(path, tmp_path / "unchecked", THREE)
    both = [records(folder, "own") for folder in (home, tmp_path / "unchecked")]
    curves = [[[m.history for m in r.members] for r in side] for side in both]
    assert curves[0] == curves[1]


def test_scikit_learn_and_networks_are_not_checked(study_file: Path, home: Path) -> None:
    run(study_file, home, "stages=[{trials=2, epochs=2}]")
    assert not RunFolder(home / "studies/small/1").files.code_checks.exists()


@pytest.mark.parametrize("sliced", [True, False])
def test_a_trial_is_reproduced_with_pauses_and_without(
    sliced: bool, own: WriteStudy, home: Path
) -> None:
    run(own(WHOLE), home, THREE, *[EVERY_EPOCH] * sliced)
    assert [m.pauses for m in records(home, "own")[0].members] == [[1, 2] if sliced else []] * 3
    found = reproduce_trial("own", 0, home=home)
    assert found.equal
    assert found.values == 9
    assert found.pauses == ((1, 2) if sliced else (1,))
    assert pauses_text(found) == (
        "recorded with pauses after epochs 1, 2, trained again without a pause"
        if sliced
        else "trained again with pauses after epoch 1, recorded without a pause"
    )


@pytest.mark.parametrize("text", [WHOLE, FORGETS_MOMENTUM])
def test_of_an_older_record_it_is_said_that_pauses_were_not_noted(
    text: str, own: WriteStudy, home: Path
) -> None:
    run(own(text), home, THREE)

    def older(said: dict[str, Any]) -> None:
        for member in said["members"]:
            del member["pauses"]

    (path,) = home.glob("studies/own/1/trials/*0/record.json")
    tamper(path, older)
    assert [m.pauses for m in records(home, "own")[0].members] == [None] * 3
    found = reproduce_trial("own", 0, home=home)
    assert found.equal == (text is WHOLE)
    assert pauses_text(found) == (
        "trained again with pauses after epoch 1, pauses were not recorded"
    )
    assert "as it was trained" not in found.difference
    assert ("; with no pause it is equal: own" in found.difference) == (not found.equal)


@pytest.mark.parametrize("text", [FORGETS_MOMENTUM, SEEDS_A_GLOBAL_GENERATOR])
@pytest.mark.parametrize("sliced", [True, False])
def test_a_trial_whose_pauses_count_is_not_called_equal(
    sliced: bool, text: str, own: WriteStudy, home: Path
) -> None:
    run(own(text), home, THREE, *[EVERY_EPOCH] * sliced)
    found = reproduce_trial("own", 0, home=home)
    assert found.difference.startswith("epoch 2, split 0: validation_accuracy ")
    with_its_pauses = (
        "; with the pauses that it had, after epochs 1, 2, it is equal: own"
        if sliced
        else "; with no pause, as it was trained, it is equal: own"
    )
    assert with_its_pauses in found.difference
    assert "everything that training changes" in found.difference
    verified = verify_study("own", home=home, trials=1)
    assert len(verified.problems) == 1


def test_a_function_that_repeats_nothing_is_told_so_without_a_word_of_pauses(
    own: WriteStudy, home: Path
) -> None:
    run(own(DRAWS_WITHOUT_A_SEED), home, THREE)
    difference = reproduce_trial("own", 0, home=home).difference
    assert "recorded" in difference
    assert "pause" not in difference


# It learns nothing; with noise in place of labels its best epoch is luck.
BEST_OF_NOISE = """
    import numpy as np

    def train(params, data, seed, state=None{FINAL}):
        rng, best = np.random.default_rng(seed), 0.0
        if state is not None:
            best, rng.bit_generator.state = state
        while True:
            guess = rng.integers(10, size=2000)
            {BODY}
"""
KEEPS_ITS_BEST = """accuracy = (guess[: len(data.y_validation)] == data.y_validation).mean()
            best = max(best, accuracy)
            yield {"validation_accuracy": best}, (best, rng.bit_generator.state)"""
IS_TOLD = """
            def scores(x, y):
                assert final or x is data.x_validation
                return {"validation_accuracy": (guess[: len(y)] == y).mean()}

            assert (data.x_validation is None) == (data.y_validation is None) == final
            yield scores, (best, rng.bit_generator.state)"""
LONG = "stages=[{trials=2, epochs=40}]"


def test_a_function_that_reads_the_test_set_while_it_trains_is_told_and_marked(
    own: WriteStudy, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = BEST_OF_NOISE.replace("{FINAL}", "").replace("{BODY}", KEEPS_ITS_BEST)
    events: list[Event] = []
    result = run(own(text), home, LONG, tell=events.append)
    (warning,) = (event.warning for event in events if isinstance(event, CodeDoubt))
    assert warning.startswith("the test score will be optimistic: own_")
    assert events.index(next(e for e in events if isinstance(e, CodeDoubt))) < 4
    assert "could use the test set while it trained" in result.saw_test
    print_report(show_study("own", home=home))
    assert "Optimistic test scores: own_" in capsys.readouterr().out
    page = write_report(RunFolder(home / "studies/own/1"), result).read_text()
    assert "Optimistic test scores: own_" in page


def test_a_function_that_is_told_of_the_final_test_gets_no_validation_data_there(
    own: WriteStudy, home: Path
) -> None:
    text = BEST_OF_NOISE.replace("{FINAL}", ", final=False").replace("{BODY}", IS_TOLD)
    text = text.replace(" or x is data.x_validation", " or y is data.y_validation")
    path = own(text)
    assert told(path, home, LONG) == []
    result = show_study("own", home=home).result
    assert result.saw_test == ""
    score = result.test["test_accuracy"]
    assert score.mean == pytest.approx(0.1, abs=0.03)  # of ten digits, by guessing
    for record in RunFolder(home / "studies/own/1").read_all("test"):
        assert record.members[0].epochs == [40]


def test_what_a_refit_can_not_do_is_told_before_the_search_ends(
    own: WriteStudy, home: Path
) -> None:
    text = BEST_OF_NOISE.replace("{FINAL}", ", final=False").replace("{BODY}", KEEPS_ITS_BEST)
    (warning,) = told(own(text), home, THREE)
    assert "must train in the final test too, where it has no validation data, got Type" in warning
    assert "object of type 'NoneType' has no len()" in warning


def test_a_refit_of_a_function_that_is_not_told_of_it_has_validation_data(
    own: WriteStudy, home: Path
) -> None:
    text = """
        import inspect

        def train(params, data, seed, state=None):
            if any(frame.function == "rehearse" for frame in inspect.stack()):
                raise RuntimeError("there alone")
            for epoch in range(state or 0, 3):
                yield {"validation_accuracy": 0.5}, epoch + 1
    """
    (warning,) = told(own(text), home, THREE)
    assert "must train in the final test too, got RuntimeError: there alone: correct it" in warning


def test_a_function_is_refitted_for_as_long_as_validation_data_said(
    own: WriteStudy, home: Path
) -> None:
    text = """
        def train(params, data, seed, state=None, final=False):
            for epoch in range(state or 0, 40 if final else 2):
                yield (lambda x, y: {"validation_accuracy": 0.5 + epoch}), epoch + 1
    """
    result = run(own(text), home, "stages=[{trials=2, epochs=8}]")
    assert result.validation.mean == 1.5
    assert result.test["test_accuracy"].mean == 1.5  # after two epochs, not after eight
    for record in RunFolder(home / "studies/own/1").read_all("test"):
        assert record.members[0].epoch == 2


def test_an_estimator_is_fitted_on_nothing_but_its_training_rows(
    own: WriteStudy, home: Path
) -> None:
    text = OWN_ESTIMATOR.replace("def fit(self, x, y):", "def fit(self, *given):").replace(
        "return self.partial_fit(x, y)", "assert len(given) == 2; return self.partial_fit(*given)"
    )
    result = run(own(text), home, THREE)
    assert result.saw_test == ""
