"""Budgets: what ends a search, that it repeats, and that a wider one goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.api.methods import study_methods
from hpsearch.api.verify import verify_study
from hpsearch.errors import StudyFailed
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.confirmation.extent import Extent
from hpsearch.study.events import BudgetEnded, Event
from hpsearch.study.opening import open_run
from hpsearch.study.plan import course
from hpsearch.study.recorded import find_run
from hpsearch.study.spending import Batch, Spending, carry_clock
from hpsearch.study.study import Study
from hpsearch.studyfile.arms import ArmPlace
from hpsearch.studyfile.reading import read_study
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.study_file import StudyFile
from tests.harness.interrupts import interrupt_after
from tests.harness.study import records, run, spent
from tests.harness.study_files import CALM, ONE_STAGE
from tests.harness.study_mistakes import message

MEMBERS = 3


@pytest.mark.parametrize(
    ("epochs", "trials", "used", "complete"),
    [
        (72, 12, 72, 0),  # 3 batches of 4 trials x 2 epochs x 3 members
        (95, 14, 90, 0),  # all 14 of the first stage, and one of the 4 promoted
        (240, 18, 192, 3),  # the promoted of the last stage, but not its 3 new ones
    ],
)
def test_epochs_are_never_overshot(
    study_file: Path, home: Path, epochs: int, trials: int, used: int, complete: int
) -> None:
    result = run(study_file, home, *CALM, f"budget.epochs={epochs}")
    assert (len(records(home)), spent(home)) == (trials, used)
    assert result.ended == "budget.epochs"
    assert result.counts.get("complete", 0) == complete
    assert len(result.validation.values) == 3
    assert result.test_score is not None


def test_what_diverged_leaves_its_epochs_to_others(study_file: Path, home: Path) -> None:
    rates = "space.learning_rate={low=0.001, high=1e9, log=true}"
    result = run(study_file, home, rates, "budget.epochs=72")
    assert result.counts["diverged"] > 1
    assert len(records(home)) > 12  # as many as if none had
    assert spent(home) <= 72


def test_a_plateau_ends_the_drawing_of_a_stage(study_file: Path, home: Path) -> None:
    options = [*CALM, "budget.plateau=1", "budget.plateau_improvement=1.0"]
    options += ["sampler.batch=2"]
    read, stores = read_study(study_file, options), Home(home)
    stores.create()
    opened = open_run(read, stores, fresh=False)
    study, told = Study(read, opened, stores.storage_url, 0), list[Event]()
    study.execute(told.append)
    ended = [(e.key, e.stage) for e in told if isinstance(e, BudgetEnded)]
    opened.close()
    assert ended == [("plateau", 0), ("plateau", 1), ("plateau", 2)]
    # Of each stage one batch of new trials; the promoted don't count.
    result = study.finished()
    assert result is not None
    assert result.ended == "budget.plateau"
    assert [sum(r.stage == stage for r in records(home)) for stage in range(3)] == [2, 2, 2]


def test_each_arm_has_the_budget_anew(study_file: Path, home: Path) -> None:
    result = run(study_file, home, *ONE_STAGE, "compare=['trainer']", "budget.epochs=30")
    assert sorted(r.number % 3 for r in records(home)) == [0] * 4 + [1] * 4 + [2] * 4
    assert result.ended == "budget.epochs"
    assert [arm.best_number is not None for arm in result.arms] == [True] * 3


def test_a_target_is_looked_for_in_the_last_stage_alone(study_file: Path, home: Path) -> None:
    result = run(study_file, home, *CALM, "budget.target=0.0")
    assert [sum(r.stage == stage for r in records(home)) for stage in range(3)] == [14, 4, 0]
    assert result.counts["complete"] == 3  # those promoted
    assert result.ended == "budget.target"


def test_the_clock_is_kept_over_starts_and_ends_the_search(study_file: Path, home: Path) -> None:
    options = [*ONE_STAGE, "budget.seconds=1e6"]
    stores = Home(home)
    stores.create()
    opened = open_run(read_study(study_file, options), stores, fresh=False)
    interrupt_after(Study(read_study(study_file, options), opened, stores.storage_url, 0), 6)
    kept = opened.folder.required(opened.folder.files.clock(0))
    assert kept["seconds"] > 0
    # As if the first start had taken all of it.
    opened.folder.write_sealed(opened.folder.files.clock(0), kept | {"seconds": 1e6})
    opened.close()
    result = run(study_file, home, *options)
    assert result.ended == "budget.seconds"
    assert result.counts == {"complete": 8}  # the batch that had begun is trained to its end
    assert opened.folder.required(opened.folder.files.clock(0))["cut"]["before"] == [0, 2]
    verified = verify_study("small", home=home, trials=0)
    assert verified.problems == []
    assert verified.replay.result
    assert run(study_file, home, *ONE_STAGE, "budget.seconds=1.2e6").ended == "budget.seconds"
    assert run(study_file, home, *ONE_STAGE).counts == {"complete": 16}


def test_what_follows_trains_no_longer_than_the_search(study_file: Path, home: Path) -> None:
    text = study_file.read_text()
    study_file.write_text(text.replace("top = 2\nseeds = 3\ntest_seeds = 2\n", ""))
    result = run(study_file, home, *CALM, "budget.epochs=72")
    assert len(result.confirmed) == 1
    assert len(result.validation.values) == 2
    assert result.shares == (
        "no trial finished stages 2 and 3; the search trained for 72 epochs, the confirmation for "
        "48, the test for 16"
    )
    assert result.shortened == (
        "top = 1, seeds = 2, test_seeds = 2 instead of 3, 5, 5, to train no longer than the "
        "search; a new run can set more in [confirmation]"
    )
    verified = verify_study("small", home=home, trials=0)
    assert verified.problems == []
    assert verified.replay.result
    # Methods and the forecast of a running study go by what was run.
    places = " ".join(study_methods("small", home=home).sources()["place"])
    assert all(f"result/extent/{key}" in places for key in ("seeds", "test_seeds"))
    assert course(find_run(Home(home), "small").file).extent == Extent(**result.extent)
    # A wider budget confirms more, and what was run stays.
    wider = run(study_file, home, *CALM, "budget.epochs=160")
    assert len(wider.validation.values) == 3
    assert run(study_file, home, *CALM).shortened == ""


def test_the_time_of_all_is_kept_to_and_stays_decided(study_file: Path, home: Path) -> None:
    options = [*ONE_STAGE, "budget.total_seconds=1e6"]
    stores = Home(home)
    stores.create()
    opened = open_run(read_study(study_file, options), stores, fresh=False)
    interrupt_after(Study(read_study(study_file, options), opened, stores.storage_url, 0), 6)
    kept = opened.folder.required(opened.folder.files.clock(0))
    # As if the first start had taken all of it.
    opened.folder.write_sealed(opened.folder.files.clock(0), kept | {"seconds": 1e6})
    opened.close()
    result = run(study_file, home, *options)
    assert result.ended == "budget.total_seconds"
    assert result.counts == {"complete": 8}
    assert "to end within budget.total_seconds" in result.shortened
    assert len(result.validation.values) == 2
    verified = verify_study("small", home=home, trials=0)
    assert verified.problems == []
    assert verified.replay.result


def test_a_budget_that_nothing_can_come_of_is_a_mistake(study_file: Path) -> None:
    assert "budget.epochs: must be at least 24, the first batch's 4 trials x 2 epochs x 3" in (
        message(study_file, "budget.epochs=23")
    )
    assert "budget.plateau_improvement: must be used with budget.plateau" in (
        message(study_file, "budget.plateau_improvement=0.1")
    )
    assert "budget.seconds" in message(study_file, "budget.seconds=inf")
    assert "did you mean 'epochs'" in message(study_file, "budget.epoch=100")


OWN = """
def train(params, data, seed):
    if params["x"] > BAD:
        raise ValueError(f"x is {params['x']}")
    while True:
        yield {"validation_accuracy": 1 - params["x"]}
"""


def test_failures_in_a_row_end_the_study_and_more_of_them_go_on(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "fragile_one.py").write_text(OWN.replace("BAD", "0.5"))
    path = tmp_path / "own.toml"
    xs = [0.1, 0.9, 0.8, 0.2, 0.7, 0.6, 0.55, 0.3]
    listed = "\n".join(f"[[enqueue]]\nx = {x}" for x in xs)
    path.write_text(f"""
name = "own"
objective = {{ metric = "validation_accuracy", direction = "maximize" }}
[data]
name = "digits"
shots = 4
[space]
trainer = "fragile_one:train"
x = {{ low = 0.0, high = 1.0 }}
[sampler]
name = "listed"
[[stages]]
trials = 8
epochs = 1
[confirmation]
top = 1
seeds = 2
test_seeds = 1
[budget]
failures = 3
{listed}
""")
    for _ in range(2):  # the second start finds them in the records
        with pytest.raises(StudyFailed) as caught:
            run(path, home)
        assert "3 trials in a row failed (limit: budget.failures = 3)" in str(caught.value)
        assert "trial 6, with:\n" in str(caught.value)
        assert "x is 0.55" in str(caught.value)
    assert run(path, home, "budget.failures=4").counts == {"complete": 3, "failed": 5}


def test_a_replay_ends_by_the_clock_only_where_the_study_did(
    study_file: Path, tmp_path: Path
) -> None:
    file = read_study(study_file, ["budget.seconds=1e-9"]).file
    arm = ArmPlace({}, 0, 1, Space((), {}))
    recorded, again = RunFolder(tmp_path / "1"), RunFolder(tmp_path / "2")
    carry_clock(recorded, again, arm, file)
    assert clock_ends(file, arm, again) == ""
    cut = {"limit": 1e-9, "before": [0, 1]}
    recorded.write_json(recorded.files.clock(0), {"seconds": 5.0, "cut": cut})
    carry_clock(recorded, again, arm, file)
    assert clock_ends(file, arm, again) == "seconds"


def clock_ends(file: StudyFile, arm: ArmPlace, folder: RunFolder) -> str:
    """What ends a search before the second batch."""
    spending = Spending(file, arm, folder)
    spending.epochs = 24
    return spending.ends(Batch(0, 1, 4, False, False), [])
