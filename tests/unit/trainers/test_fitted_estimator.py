"""A fitted estimator as a file predicts what it predicted, and its file runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from hpsearch.errors import HpsearchError
from hpsearch.trainers import Member, Split, TrainingData
from hpsearch.trainers.estimator import EstimatorTrainer
from hpsearch.trainers.fitted_estimator import EstimatorFile, load_model

# One for each kind of object inside that skops would not make by itself, and some it would.
ESTIMATORS: dict[str, dict[str, Any]] = {
    "sklearn.calibration.CalibratedClassifierCV": {},
    "sklearn.ensemble.HistGradientBoostingClassifier": {"max_iter": 3},
    "sklearn.ensemble.GradientBoostingClassifier": {"n_estimators": 3},
    "sklearn.gaussian_process.GaussianProcessClassifier": {},
    "sklearn.linear_model.SGDClassifier": {"loss": "modified_huber"},
    "sklearn.linear_model.TweedieRegressor": {},
    "sklearn.neighbors.KNeighborsClassifier": {"algorithm": "kd_tree"},
    "sklearn.neighbors.KNeighborsRegressor": {"algorithm": "ball_tree"},
    "sklearn.neural_network.MLPClassifier": {"hidden_layer_sizes": 4},
    "sklearn.svm.SVC": {},
    "sklearn.tree.DecisionTreeRegressor": {},
}


@pytest.mark.parametrize("path", ESTIMATORS)
def test_its_file_predicts_what_the_trainer_does(path: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 255, (60, 3)).astype(np.uint8)
    labels = (inputs[:, 0] > inputs[:, 1]).astype(np.int64)
    data = TrainingData(
        inputs,
        labels,
        n_classes=0 if "Regressor" in path else 2,
        splits=[Split(np.arange(50), np.arange(50, 60))],
        scale=255.0,
    )
    member = Member({"trainer": path, **ESTIMATORS[path]}, (0,), 0)
    trainer = EstimatorTrainer([member], data, n_epochs=2)
    for _ in trainer.run(2):
        pass
    fitted = trainer.fitted(0)
    place = tmp_path / "estimator.skops"
    place.write_bytes(fitted.to_bytes((), inputs[:2]))
    said, model = EstimatorFile.read(str(place)), load_model(str(place))
    assert np.array_equal(said.example, inputs[:2])
    rows = said.inputs(inputs[50:])
    assert np.array_equal(model.predict(rows), fitted.model.predict(rows))
    expected = trainer.predictions(0)
    assert expected is None or np.array_equal(model.predict(rows), expected)


def test_a_file_of_foreign_types_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "estimator.skops"
    path.write_bytes(skops.io.dumps(Path("/")))
    with pytest.raises(HpsearchError, match="pathlib"):
        load_model(str(path))
