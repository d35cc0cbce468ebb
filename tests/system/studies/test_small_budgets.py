"""Every study of studies/ that asks something, with a tiny budget: all its claims are answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpsearch import run_study
from hpsearch.studyfile.reading import read_study
from hpsearch.trainers import load_function
from tests.harness.study_files import REPOSITORY

pytestmark = [pytest.mark.mnist, pytest.mark.usefixtures("real_mnist", "without_mlflow")]

FEW_SEEDS = (
    *("evaluation.seeds=1", "confirmation.top=1", "confirmation.seeds=2"),
    "confirmation.default=false",
)
FEW_ROWS = ("data.split.validation=[59900, 60000]", "evaluation.train_images=100")
SMALL = {
    "overfitting": ["stages.0.epochs=3"],
    "batch_norm": [
        "space.weight_std.choices=[0.1, 0.01]",
        "stages.0.trials=2",
        "stages.0.epochs=2",
    ],
    "initial_weights": [*FEW_ROWS, "stages.0.epochs=1", "space.epoch_iterations=5"],
    "coarse_to_fine": [
        "stages.0.trials=24",
        "stages.0.epochs=1",
        "stages.1.trials=4",
        "stages.1.epochs=2",
    ],
    "optimizers": [
        *FEW_ROWS,
        "stages.0.trials=3",
        "stages.0.epochs=1",
        "space.epoch_iterations=5",
    ],
    "lenet_batch_lr": [
        *FEW_ROWS,
        'network={name="two-layer", hidden=10}',  # that of lenet_search is LeNet
        "compare=[]",
        "space.momentum=0.9",
        "space.epoch_iterations=2",
        "evaluation.every=10",
    ],
    "lenet_search": [
        *FEW_ROWS,
        "space.epoch_iterations=2",
        "stages.0.trials=4",
        "stages.0.epochs=1",
        "stages.1.trials=2",
        "stages.1.epochs=2",
        "stages.2.trials=2",
        "stages.2.epochs=3",
    ],
    "trainers_fewshot": [
        "space.shots.choices=[2]",
        "stages.0.trials=2",
        "stages.0.epochs=1",
        "stages.1.trials=2",
        "stages.1.epochs=2",
    ],
}


@pytest.mark.parametrize("name", SMALL)
def test_all_claims_are_answered(name: str, home: Path) -> None:
    path = REPOSITORY / "studies" / f"{name}.toml"
    few = [*FEW_SEEDS, "confirmation.test_seeds=1", *SMALL[name]]
    report = run_study(path, overrides=few, home=home, workers=0)
    folder = Path(report.result.folder)
    claims = json.loads((folder / "claims.json").read_text())
    assert [c["text"] for c in claims] == [c.text for c in read_study(path).file.claims]
    assert not [c["detail"] for c in claims if "Error" in c["detail"]]
    assert {c["verdict"] for c in claims} <= {"holds", "does not hold", "depends", "not shown"}
    assert all((folder / c["figure"]).stat().st_size > 3000 for c in claims if c["figure"])


def test_a_reading_of_paper_000_is_scored_on_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "studies")
    train = load_function("proposal_search_readings:train")
    quarters = train.__globals__["_quarters"]()
    few = quarters[0].query("shots <= 3")
    monkeypatch.setitem(train.__globals__, "_quarters", lambda: [few])
    study = read_study(REPOSITORY / "studies" / "proposal_search_readings.toml")
    metrics, errors = next(train({**study.file.enqueue[0]}, None, (0,)))
    # The defaults on the cells of few images, which are trained fastest; nothing is random.
    assert [len(quarter) for quarter in quarters] == [20, 20, 20, 20]
    assert metrics["table_error"] == pytest.approx(0.01144, abs=5e-6)
    assert [len(quarter) for quarter in errors] == [8]
