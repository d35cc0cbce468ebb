"""Functions that yield what they predict: the study scores it, however they pause."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from hpsearch.api.verify import verify_study
from hpsearch.errors import StudyFailed, TrainerError
from hpsearch.records.run_folder import RunFolder
from hpsearch.testing import check_function
from tests.harness.study import records, run
from tests.harness.study_files import ALONE

# Its own score is what the study must find too.
CODE = """
    import pickle
    import numpy as np
    from sklearn.linear_model import SGDClassifier
    from sklearn.metrics import f1_score

    def scores(model, x, y):
        mine = f1_score(y, model.predict(x), average="macro")
        return {"validation_mine": mine, "probabilities": model.predict_proba(x)}

    def learned(model, data):
        return model.partial_fit(data.x_train, data.y_train, np.arange(10))

    def fresh(params, seed):
        return SGDClassifier(loss="log_loss", alpha=0.001 + params["x"], random_state=seed)
"""
FORMS = {
    "dict": """
    def train(params, data, seed):
        model = fresh(params, seed)
        while True:
            yield scores(learned(model, data), data.x_validation, data.y_validation)
""",
    "scorer": """
    def train(params, data, seed, state=None):
        model = state or fresh(params, seed)
        while True:
            learned(model, data)
            yield lambda x, y: scores(model, x, y), model
""",
    "ends": """
    def train(params, data, seed, state=None):
        if state is not None:  # it ended before a pause
            return
        model = learned(fresh(params, seed), data)
        yield scores(model, data.x_validation, data.y_validation), model
""",
    "checkpoint": """
    def train(params, data, seed, checkpoint):
        model, epoch = fresh(params, seed), 0
        if checkpoint.exists():
            epoch, model = pickle.loads(checkpoint.read_bytes())
        while True:
            epoch += 1
            checkpoint.write_bytes(pickle.dumps((epoch, learned(model, data))))
            yield lambda x, y: scores(model, x, y), epoch
""",
}
SCORED = [
    "objective={metric='validation_f1_macro'}",
    "evaluation.metrics=['log_loss']",
    "stages=[{trials=2, epochs=1}, {trials=1, epochs=3}]",
    "execution.slice_seconds=1e-6",
    "evaluation.per_class=false",
]


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a module that is not there yet."""
    monkeypatch.syspath_prepend(tmp_path)
    return "own_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)


def study(folder: Path, name: str, code: str) -> Path:
    (folder / f"{name}.py").write_text(textwrap.dedent(CODE) + textwrap.dedent(code))
    path = folder / "own.toml"
    path.write_text(ALONE.replace("TRAINER", f"{name}:train"))
    return path


@pytest.mark.parametrize("form", FORMS)
def test_what_a_function_predicts_is_scored(
    form: str, name: str, tmp_path: Path, home: Path
) -> None:
    path = study(tmp_path, name, FORMS[form])
    result = run(path, home, *SCORED)
    folder = RunFolder(home / "studies/own/1")
    found = [r for kind in ("trial", "confirmation", "test") for r in folder.read_all(kind)]
    lengths = set()
    for member in (m for record in found for m in record.members):
        part = "test" if "test_mine" in member.history else "validation"
        assert member.history[f"{part}_f1_macro"] == member.history[f"{part}_mine"]
        assert len(member.history[f"{part}_log_loss"]) == len(member.epochs)
        lengths.add(len(member.epochs))
    assert lengths == {1, 3}
    assert {"test_f1_macro", "test_log_loss"} <= {*result.test}
    assert (result.saw_test == "") == (form not in ("dict", "ends"))
    assert verify_study("own", home=home, trials=1).problems == []


def test_predictions_alone_are_enough(name: str, tmp_path: Path, home: Path) -> None:
    code = """
    def train(params, data, seed):
        model = learned(fresh(params, seed), data)
        while True:
            yield lambda x, y: {"predictions": model.predict(x).tolist()}
"""
    path = study(tmp_path, name, code)
    result = run(path, home, "objective={metric='validation_accuracy'}")
    assert [*result.test] == ["test_accuracy"]
    check = check_function(f"{name}:train", {"x": 0.1}, folder=tmp_path, metrics=["accuracy"])
    assert check.metrics[2]["validation_accuracy"] > 0.2
    assert check.test_sealed
    with pytest.raises(TrainerError, match="log_loss must be computed from the probability"):
        check_function(f"{name}:train", {"x": 0.1}, folder=tmp_path, metrics=["log_loss"])


def test_a_score_that_nothing_gives_fails_trials_in_words(
    name: str, tmp_path: Path, home: Path
) -> None:
    code = """
    def train(params, data, seed):
        while True:
            yield {"validation_accuracy": params["x"]}
"""
    path = study(tmp_path, name, code)
    with pytest.raises(StudyFailed, match="none did"):
        run(path, home, "evaluation.metrics=['f1_macro']")
    reason = records(home, "own")[0].reason
    assert "must report evaluation.metrics.0 'validation_f1_macro'" in reason
    assert "got validation_accuracy" in reason
