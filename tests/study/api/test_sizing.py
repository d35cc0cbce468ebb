"""A new study sized to a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch import run_study, study_status
from hpsearch.api.support import sizing
from hpsearch.api.support.sizing import sized
from hpsearch.errors import StudyFileError
from hpsearch.records.run_folder import RunFolder
from hpsearch.study.events import Event, StageStarted, StudySized
from hpsearch.study.probe import Cost, Probe
from hpsearch.studyfile.reading import ReadStudy, read_study, read_text


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every epoch of a member takes a tenth of a second."""

    def probe(read: ReadStudy, *, trials: int, seconds: float) -> Probe:
        return Probe(
            costs=(Cost(0.1, 0.1),) * trials,
            epochs=2,
            seconds=0.0,
            slowdown=1.0,
            metrics=2,
            row_bytes=100.0,
            state_bytes=1000.0,
        )

    monkeypatch.setattr(sizing, "probe", probe)


def numbers(read: ReadStudy, minutes: float) -> dict[str, int]:
    """What a study of this time has, by key; two train at a time."""
    found = sized(read, minutes, 2, "")
    return {key: int(value) for key, _, value in (o.partition("=") for o in found.overrides)}


@pytest.mark.usefixtures("costs")
def test_more_time_is_more_trials_in_the_same_proportion(study_file: Path) -> None:
    read = read_study(study_file)  # 14, 8 and 6 trials of 2, 4 and 8 epochs, 3 members each
    short, long = (numbers(read, minutes) for minutes in (0.5, 10))
    trials = [[found[f"stages.{n}.trials"] for n in range(3)] for found in (short, long)]
    assert trials[0] < [14, 8, 6] < trials[1]
    for few, many, file in zip(*trials, (14, 8, 6), strict=True):
        assert few / file == pytest.approx(trials[0][0] / 14, abs=1 / 6)
        assert many / file == pytest.approx(trials[1][0] / 14, abs=1 / 6)
    assert 20 <= short["budget.total_seconds"] <= 30
    assert not [key for key in long if key.startswith("confirmation")]


@pytest.mark.usefixtures("costs")
def test_where_time_is_short_repeats_are_fewer(study_file: Path) -> None:
    found = numbers(read_study(study_file), 0.2)  # 12 s; two configurations would take 8 of them
    assert found["confirmation.top"] == 1
    assert [found[f"stages.{n}.trials"] for n in range(3)] == [1, 1, 1]


def test_who_bounds_the_search_or_has_a_cluster_is_told(study_file: Path) -> None:
    bounded = read_study(study_file, ["budget.epochs=72"])
    with pytest.raises(StudyFileError, match="--minutes: must be left out, because"):
        sized(bounded, 1, 2, "")
    compared = read_study(study_file, ["compare=['trainer']"])
    with pytest.raises(StudyFileError, match="the study has several searches"):
        sized(compared, 1, 2, "")
    listed = read_study(study_file, ["space={trainer={choices=['sgd', 'adam']}}"])
    with pytest.raises(StudyFileError, match="the number of configurations says how many"):
        sized(listed, 1, 2, "")
    with pytest.raises(StudyFileError, match="must be left out beside --executor"):
        sized(read_study(study_file), 1, 2, "dask://lab:8786")


@pytest.mark.usefixtures("costs", "without_mlflow")
def test_later_starts_keep_the_size(study_file: Path, home: Path) -> None:
    told, warned = list[Event](), list[str]()
    first = run_study(study_file, home=home, workers=0, minutes=0.5, on_event=told.append)
    (size,) = (event.text for event in told if isinstance(event, StudySized))
    assert size.startswith("sized to 0.5 minutes: ")
    trials = list(RunFolder(home / "studies/small/1").read_all("trial"))
    assert len(trials) < 14 + 4 + 3
    again = run_study(study_file, home=home, workers=0)
    assert again.result == first.result
    run_study(study_file, home=home, workers=0, minutes=5, warn=warned.append)
    kept, not_new = warned
    assert kept.startswith("the study keeps the size that --minutes gave it")
    assert not_new == "--minutes sizes a new study; this one continues as it was started"
    (row,) = study_status(home=home).to_dict("records")
    assert row["state"] == "finished"


@pytest.mark.usefixtures("costs")
def test_listed_trials_and_controls_have_room(study_file: Path) -> None:
    rows = "".join("[[enqueue]]\nlearning_rate = 0.1\n" for _ in range(7))
    study_file.write_text(study_file.read_text() + rows)
    read = read_study(study_file, ["stages.1.controls=2"])
    found = numbers(read, 0.2)
    assert found["stages.0.trials"] == 7
    assert read_text(read.text, read.path, sized(read, 0.2, 2, "").overrides)


@pytest.mark.usefixtures("costs", "without_mlflow")
def test_the_same_command_goes_on_also_from_before_the_first_trial(
    study_file: Path, home: Path
) -> None:
    asked = {"home": home, "workers": 0, "minutes": 0.5, "overrides": ["stages.0.trials=13"]}

    def stop(event: Event) -> None:
        if isinstance(event, StageStarted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study_file, on_event=stop, **asked)  # type: ignore[arg-type]
    folder = RunFolder(home / "studies/small/1")
    assert list(folder.read_all("trial")) == []
    report = run_study(study_file, **asked)  # type: ignore[arg-type]
    trials = len(list(folder.read_all("trial")))
    assert trials < 13 + 4 + 3
    assert run_study(study_file, **asked).result == report.result  # type: ignore[arg-type]
