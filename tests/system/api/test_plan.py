"""What a study will cost, measured by a probe of its trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import plan_study, run_study
from hpsearch.api.plan import Plan
from hpsearch.records.run_folder import RunFolder
from tests.harness.study import records, run, spent
from tests.harness.study_files import CALM


def test_the_clock_s_limit_cuts_the_forecast(study_file: Path) -> None:
    long = ["stages.2.epochs=100000", "budget.seconds=20"]

    def planned(*options: str) -> Plan:
        return plan_study(study_file, overrides=options, trials=2, probe_seconds=0.1, workers=1)

    free, limited = planned(long[0]), planned(*long, "budget.plateau=5")
    assert limited.phases[2].cut == 6
    assert limited.total_epochs < free.total_epochs  # what the forecast multiplies
    first, second = limited.budget
    assert first.startswith("seconds = 20 end the search ")
    assert second == "plateau = 5 may end the drawing of a stage early"


def test_a_probe_forecasts_time_and_disk_and_writes_nothing(
    study_file: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(study_file.parent.iterdir())
    monkeypatch.chdir(study_file.parent)
    said: list[str] = []
    plan = plan_study(study_file, trials=4, probe_seconds=0.2, workers=1, say=said.append)
    assert sorted(study_file.parent.iterdir()) == before
    assert said
    assert plan.seconds is not None
    assert plan.disk is not None
    assert plan.probe is not None
    assert 0 < plan.seconds.low <= plan.seconds.expected <= plan.seconds.high
    assert plan.peak_disk > 14 * 3 * 1000
    assert len(plan.probe.costs) == 4
    # The records of the study itself say how long a row of one is.
    run(study_file, home)
    record = next(r for r in records(home) if r.outcome == "complete")
    bare = len(record.to_json()) / sum(len(m.epochs) for m in record.members)
    assert 0.3 * bare < plan.probe.row_bytes < bare
    assert plan.as_dict()["phases"][0]["total_epochs"] == 14 * 3 * 2


def test_more_epochs_and_trials_cost_more(study_file: Path) -> None:
    def seconds(*overrides: str) -> float:
        plan = plan_study(study_file, overrides=overrides, trials=2, probe_seconds=0.1, workers=1)
        assert plan.seconds is not None
        return plan.seconds.expected

    assert seconds("stages.2.epochs=100000") > 10 * seconds()


@pytest.mark.parametrize("epochs", [72, 95, 240, 300])
def test_what_the_budget_cuts_is_not_counted(study_file: Path, home: Path, epochs: int) -> None:
    options = [*CALM, f"budget.epochs={epochs}"]
    ended = run(study_file, home, *options).ended
    plan = plan_study(study_file, overrides=options, trials=0)
    stages = [phase for phase in plan.phases if phase.name.startswith("stage")]
    assert sum(phase.total_epochs for phase in stages) == spent(home)
    assert sum(phase.new for phase in stages) == len(records(home))
    assert sum(phase.cut for phase in stages) == 28 - sum(phase.runs for phase in stages)
    assert bool(ended) == any(phase.cut for phase in stages)
    said = f"epochs = {epochs} " + ("end the search" if ended else "suffice")
    assert [line[: len(said)] for line in plan.budget] == [said]
    confirmed = len([*RunFolder(home / "studies/small/1").read_all("confirmation")])
    assert plan.phases[3].runs == confirmed


def test_a_start_says_that_the_space_is_small(study_file: Path, home: Path) -> None:
    text = study_file.read_text().replace("{ low = 1e-3, high = 1e6, log = true }", "0.1")
    study_file.write_text(text.replace("{ low = 0.5, high = 0.99,", "{ choices = [0.5, 0.9],"))
    lines: list[str] = []
    for _ in range(2):  # a finished study only prints its result
        run_study(study_file, home=home, workers=0, warn=lines.append)
    (line,) = [line for line in lines if "configurations" in line]
    assert line.startswith("the space has 4 configurations, fewer than the 21 requested trials")
