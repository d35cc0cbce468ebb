"""Studies whose learning rate has another range for each kind of trainer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from hpsearch import best_configuration, plan_study, verify_study
from hpsearch.console.tables import ranges_table
from hpsearch.records.layout import Home
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.chapters import made_charts
from hpsearch.reports.study_view import StudyView
from hpsearch.reports.tables import trials_table
from hpsearch.study.opening import open_run
from hpsearch.study.recorded import Recorded
from hpsearch.study.starting.warm_start import warm_started
from hpsearch.study.study import Study
from hpsearch.studyfile.reading import read_study
from tests.harness.interrupts import interrupt_after
from tests.harness.stores import new_home
from tests.harness.study import records, run, stored, table
from tests.harness.study_files import TINY

RATES = """\
learning_rate = [
    { low = 1e-3, high = 1.0, log = true, when = { trainer = ["sgd", "momentum"] } },
    { low = 1e-5, high = 1e-2, log = true, when = { trainer = "adam" } },
]"""
SPACE = {0: (1e-3, 1.0), 1: (1e-5, 1e-2)}
FIRST = """
[[enqueue]]
trainer = "adam"
learning_rate = 0.0005
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return write(tmp_path)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study with its file, which no test may change."""
    folder = tmp_path_factory.mktemp("ended")
    run(write(folder), folder / "home")
    return folder


def write(folder: Path) -> Path:
    path = folder / "small.toml"
    text = TINY.replace("learning_rate = { low = 1e-3, high = 10.0, log = true }", RATES)
    path.write_text(text.replace("trials = 5", "trials = 14") + FIRST)
    return path


def place_of(trainer: object) -> int:
    return int(trainer == "adam")


def test_trials_have_the_rate_of_their_trainer(ended: Path) -> None:
    home = ended / "home"
    found = records(home)
    assert found[0].params["learning_rate"] == 0.0005
    for record, trial in zip(found, stored(home).trials, strict=True):
        place = place_of(record.params["trainer"])
        low, high = SPACE[place]
        assert low <= float(str(record.params["learning_rate"])) <= high
        name = f"learning_rate[{place}]"
        assert {n for n in trial.params if n.startswith("learning_rate")} == {name}
        assert trial.distributions[name] == FloatDistribution(low, high, log=True)
    assert {place_of(r.params["trainer"]) for r in found} == {0, 1}
    assert verify_study("small", home=home, trials=2).problems == []
    assert "learning_rate = " in best_configuration("small", home=home)


def test_a_resumed_study_is_the_undisturbed_one(ended: Path, tmp_path: Path) -> None:
    stores, written = Home(new_home(tmp_path / "cut")), ended / "small.toml"
    stores.create()
    for stop in (9, 4):
        opened = open_run(read_study(written), stores, fresh=False)
        interrupt_after(Study(read_study(written), opened, stores.storage_url, 0), stop)
        opened.close()
    run(written, tmp_path / "cut")
    assert table(tmp_path / "cut") == table(ended / "home")


def test_a_lost_storage_is_filled_from_the_records(ended: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(ended / "home", home)
    before = [(t.params, t.distributions) for t in stored(home).trials]
    for path in home.glob("optuna.db*"):
        path.unlink()
    run(ended / "small.toml", home, "stages.2.trials=4")
    again = [(t.params, t.distributions) for t in stored(home).trials]
    assert again[: len(before)] == before


@pytest.mark.parametrize("sampler", ["tpe", "qmc", "brute-force"])
def test_samplers_by_name_draw_each_range_by_itself(
    sampler: str, written: Path, home: Path
) -> None:
    overrides = [f"sampler.name={sampler}", "enqueue=[]"]
    if sampler == "brute-force":
        overrides += [
            "space.learning_rate.0.log=false",
            "space.learning_rate.1.log=false",
            "space.learning_rate.0.low=0.25",
            "space.learning_rate.0.step=0.25",
            "space.learning_rate.1={choices=[1e-4, 1e-3, 1e-2], when={trainer='adam'}}",
            "space.momentum=0.9",
            *("stages.0.trials=11", "stages.1.promote=1.0", "stages.1.trials=3"),
            *("stages.2.promote=1.0", "stages.2.trials=2"),
        ]
    run(written, home, *overrides)
    for record in records(home):
        low, high = SPACE[place_of(record.params["trainer"])]
        assert low <= float(str(record.params["learning_rate"])) <= high
    if sampler == "brute-force":
        assert len({tuple(t.params.items()) for t in stored(home).trials}) == 11


def test_a_grid_has_each_range_where_it_holds(written: Path, home: Path) -> None:
    head, _, rest = written.read_text().partition("[space]")
    space = (
        'trainer = { choices = ["sgd", "adam"] }\nlearning_rate = [\n'
        '    { low = 0.25, high = 0.75, step = 0.25, when = { trainer = "sgd" } },\n'
        '    { choices = [1e-4, 1e-3], when = { trainer = "adam" } },\n]\nbatch_size = 10\n'
    )
    stage = "[[stages]]\ntrials = 5\nepochs = 2\n[confirmation]"
    rest = rest.partition("[confirmation]")[2].partition("[[enqueue]]")[0]
    written.write_text(f'{head}[space]\n{space}[sampler]\nname = "grid"\n{stage}{rest}')
    run(written, home)
    drawn = [(r.params["trainer"], r.params["learning_rate"]) for r in records(home)]
    rates = {"sgd": (0.25, 0.5, 0.75), "adam": (1e-4, 1e-3)}
    assert drawn == [(trainer, rate) for trainer, of in rates.items() for rate in of]


def test_a_compared_trainer_has_its_range_alone(written: Path, home: Path) -> None:
    run(written, home, 'compare=["trainer"]', "enqueue=[{ learning_rate = 0.005 }]")
    found = records(home)
    assert [r.params["learning_rate"] for r in found[:3]] == [0.005] * 3
    for record in found:
        low, high = SPACE[place_of(record.params["trainer"])]
        assert low <= float(str(record.params["learning_rate"])) <= high


def new_file(folder: Path, storage: Path) -> Path:
    path = write(folder)
    text = path.read_text().partition("[[enqueue]]")[0].replace('"small"', '"new"')
    path.write_text(f"{text}[warm_start]\nstorage = '{storage}'\ntop = 2\n")
    return path


def taken(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    said: list[str] = []
    home = Home(path.parent / "nowhere")
    started = warm_started(read_study(path), home, fresh=False, warn=said.append)
    return started.read.file.enqueue, said


def test_an_old_study_of_ours_is_a_start(ended: Path, tmp_path: Path) -> None:
    found, said = taken(new_file(tmp_path, ended / "home" / "optuna.db"))
    best = max(
        (r for r in records(ended / "home") if r.outcome == "complete"), key=lambda r: r.scores[8]
    )
    assert found[0]["trainer"] == best.params["trainer"]
    assert found[0]["learning_rate"] == best.params["learning_rate"]
    assert said == []


def test_an_old_value_lies_in_the_range_that_holds_beside_it(tmp_path: Path) -> None:
    old = optuna.create_study(storage=f"sqlite:///{tmp_path}/old.db", direction="maximize")
    kinds = {
        "learning_rate": FloatDistribution(1e-6, 1.0, log=True),
        "trainer": CategoricalDistribution(["sgd", "adam"]),
    }
    for trainer, rate in (("adam", 0.5), ("sgd", 0.5)):
        params = {"learning_rate": rate, "trainer": trainer}
        one = optuna.trial.create_trial(params=params, distributions=kinds, value=rate)
        old.add_trial(one)
    found, said = taken(new_file(tmp_path, tmp_path / "old.db"))
    assert found == [{"trainer": "adam"}, {"trainer": "sgd", "learning_rate": 0.5}]
    assert said == [
        "warm start: left out of 1 old configuration: learning_rate, which lies outside "
        "1e-05 … 0.01"
    ]


def test_the_plan_names_each_range(ended: Path) -> None:
    plan = plan_study(ended / "small.toml", trials=0)
    assert plan.searched["learning_rate[1]"] == (
        "a number from 1e-05 to 0.01, uniform on the log scale, where trainer = adam"
    )
    assert plan.searched["learning_rate[0]"].endswith(", where trainer = sgd or momentum")


def test_the_figures_show_each_range_and_the_tables_the_hyperparameter(ended: Path) -> None:
    folder = RunFolder(ended / "home" / "studies" / "small" / "1")
    result = Recorded("small", 1, folder).result()
    assert result is not None
    view = StudyView.of(folder, result)
    both = {"learning_rate[0]", "learning_rate[1]"}
    assert {row.parameter for row in view.ranges} == {"trainer", "momentum", *both}
    for row in view.ranges:
        assert row.hyperparameter in ("trainer", "momentum", "learning_rate")
    charts = {c.name: c for of_question in made_charts(view).values() for c in of_question}
    for name in ("slices", "narrowing"):
        panels = charts[name].panels
        rates = {p.x_label if name == "slices" else p.y_label: p for p in panels}
        assert rates.keys() >= both
        assert all(rates[one].log_x or rates[one].log_y for one in both)
    assert {axis.label for axis in charts["parallel_coordinates"].axes} >= both
    assert "learning_rate" in trials_table(view.records)
    assert not both & {*trials_table(view.records)}
    shown = [str(cell) for cell in ranges_table(result).columns[0].cells]
    assert shown.count("learning_rate") == 1
    assert not both & {*shown}
