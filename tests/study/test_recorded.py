"""What a study says of itself when it is over: in its result, and in the records."""

from __future__ import annotations

from pathlib import Path

from tests.harness.study import records, run
from tests.harness.study_files import LITTLE, LITTLE_TESTED

TEXT = f"""\
{LITTLE}
[network]
name = "two-layer"
hidden = 5
[space]
trainer = "sgd"
learning_rate = {{ low = 0.001, high = 0.1, log = true }}
[evaluation]
per_class = true
[[stages]]
trials = 3
epochs = 1
{LITTLE_TESTED}"""


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_result_and_records_say_what_they_are_of(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "repository"
    for below in ("objects", "refs"):
        (folder / ".git" / below).mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text(COMMIT)
    path = folder / "small.toml"
    path.write_text(TEXT)

    result = run(path, home)
    assert (result.study, result.objective, result.direction) == (
        "small",
        "validation_accuracy",
        "maximize",
    )
    assert (result.counts, result.untested, result.test_uses) == ({"complete": 3}, "", 1)
    assert result.best_number in range(3)
    said = {"trainer": "sgd", "hidden": 5, **result.searched}
    assert said.items() <= result.best_params.items()
    assert list(result.searched) == ["learning_rate"]
    assert (result.arms, result.front, result.unmet, result.ended) == ([], [], [], "")
    assert len(result.validation.values) == 2
    assert len(result.top) == 3
    for record in records(home):
        assert record.environment["commit"] == COMMIT
        assert record.environment["dirty"] == "unknown"  # the commit itself is not there
        assert {
            f"validation_accuracy/class_{digit}" for digit in range(10)
        } < record.mean_history().keys()
