"""What a study will cost, measured by a probe of its trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import plan_study
from hpsearch.api.plan import Plan
from tests.harness.study import records, run


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
