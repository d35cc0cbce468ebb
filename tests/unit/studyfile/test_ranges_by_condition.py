"""A hyperparameter with several ranges, each under a condition of its own."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler

from hpsearch.analysis.narrowing import last_alarms, narrowing
from hpsearch.errors import StudyFileError
from hpsearch.records.range_row import RangeRow
from hpsearch.records.run_folder import RunFolder
from hpsearch.samplers import CoarseToFineSampler
from hpsearch.study.stored_space import keep_arms, kept_arms, kept_space, with_kinds
from hpsearch.studyfile.configuration import configuration_text
from hpsearch.studyfile.parameter import Parameter
from hpsearch.studyfile.reading import read_study
from hpsearch.studyfile.space import Space
from hpsearch.studyfile.tables.space import read_space
from tests.harness.functions import WriteModule
from tests.harness.study_files import SMALL
from tests.harness.study_mistakes import message

NETWORK = {"name": "two-layer", "hidden": 8}
TRAINERS = {"choices": ["sgd", "momentum", "adam"]}
PLAIN: dict[str, Any] = {
    "low": 1e-3,
    "high": 1.0,
    "log": True,
    "when": {"trainer": ["sgd", "momentum"]},
}
OF_ADAM: dict[str, Any] = {"low": 1e-5, "high": 1e-2, "log": True, "when": {"trainer": "adam"}}
RATES = [PLAIN, OF_ADAM]
IN_FILE = (
    "learning_rate = [{ low = 1e-3, high = 1.0, log = true, "
    'when = { trainer = ["sgd", "momentum"] } }, '
    '{ low = 1e-5, high = 1e-2, log = true, when = { trainer = "adam" } }]'
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(
        SMALL.replace("learning_rate = { low = 1e-3, high = 1e6, log = true }", IN_FILE)
    )
    return path


def space_of(**entries: Any) -> Space:
    space, problems = read_space(NETWORK, {"trainer": TRAINERS, **entries})
    assert [*map(str, problems)] == []
    assert space is not None
    return space


def test_each_range_is_a_parameter_of_optuna_and_trials_have_the_hyperparameter() -> None:
    space = space_of(learning_rate=RATES)
    assert space.parameters == (
        Parameter("trainer", CategoricalDistribution(["sgd", "momentum", "adam"]), {}),
        Parameter(
            "learning_rate",
            FloatDistribution(1e-3, 1.0, log=True),
            {"trainer": ("sgd", "momentum")},
            0,
        ),
        Parameter(
            "learning_rate", FloatDistribution(1e-5, 1e-2, log=True), {"trainer": ("adam",)}, 1
        ),
    )
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    for _ in range(30):
        trial = study.ask()
        params = space.suggest(trial)
        of_adam = params["trainer"] == "adam"
        name, low, high = ("[1]", 1e-5, 1e-2) if of_adam else ("[0]", 1e-3, 1.0)
        assert low <= float(params["learning_rate"]) <= high
        assert trial.params.keys() == {"trainer", f"learning_rate{name}"}
        assert space.searched(params).keys() == {"trainer", "learning_rate"}
        assert space.in_optuna(params) == {
            "trainer": params["trainer"],
            f"learning_rate{name}": params["learning_rate"],
        }


def test_it_is_not_drawn_where_no_condition_holds() -> None:
    space = space_of(weight_decay=[{"low": 0.1, "high": 0.2, "when": {"trainer": "adam"}}])
    study = optuna.create_study(sampler=RandomSampler(seed=0))
    for _ in range(12):
        params = space.suggest(study.ask())
        assert (float(params["weight_decay"]) >= 0.1) == (params["trainer"] == "adam")
        assert ("weight_decay" in space.searched(params)) == (params["trainer"] == "adam")


def test_cells_and_size_count_each_range_where_it_holds() -> None:
    batches = [
        {"low": 2, "high": 6, "step": 2, "when": {"trainer": ["sgd", "momentum"]}},
        {"choices": [16, 32], "when": {"trainer": "adam"}},
    ]
    space = space_of(batch_size=batches)
    assert [type(p.distribution) for p in space.parameters[1:]] == [
        IntDistribution,
        CategoricalDistribution,
    ]
    assert space.size(100) == 3 + 3 + 2
    assert space.cells() == [
        *({"trainer": "sgd", "batch_size[0]": n} for n in (2, 4, 6)),
        *({"trainer": "momentum", "batch_size[0]": n} for n in (2, 4, 6)),
        *({"trainer": "adam", "batch_size[1]": n} for n in (16, 32)),
    ]


def test_others_depend_on_whichever_of_the_lists_choices_is_drawn() -> None:
    policies = [
        {"choices": ["constant", "exp"], "when": {"trainer": "sgd"}},
        {"choices": ["exp", "inv"], "when": {"trainer": "adam"}},
    ]
    space = space_of(exp_gamma={"choices": [0.9, 0.99]}, learning_rate_policy=policies)
    names = [parameter.name for parameter in space.parameters]
    assert names.index("exp_gamma") > names.index("learning_rate_policy[1]")
    assert space.size(100) == (1 + 2) + 1 + (2 + 1)


def test_parents_come_in_the_order_of_the_file() -> None:
    parents = {"batch_size": {"choices": [4, 8]}, "weight_decay": {"choices": [0.0, 0.1]}}
    child = {"low": 0.1, "high": 1.0, "when": {"weight_decay": 0.1, "batch_size": 4}}
    space = space_of(learning_rate=child, **parents)
    names = [parameter.name for parameter in space.parameters]
    assert names == ["trainer", "batch_size", "weight_decay", "learning_rate"]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("[]", "space.learning_rate: must be a number, a text, true or false or a table such as"),
        ("[0.1, 0.2]", "or a list of ranges that have a `when` each, got [0.1, 0.2]"),
        (
            '[0.1, { low = 0.1, high = 0.2, when = { trainer = "adam" } }]',
            "space.learning_rate.0: must be a range or choices with a `when`, got 0.1: a value "
            "that is fixed under a condition is { choices = [value] }",
        ),
        (
            '[{ low = 0.1, high = 0.2, when = { trainer = "sgd" } }, { low = 0.1, high = 0.2 }]',
            "space.learning_rate.1.when: is missing: each range of a list needs one",
        ),
        (
            '[{ low = 0.1, high = 0.2, when = { trainer = ["sgd", "adam"] } }, '
            '{ low = 0.3, high = 0.4, when = { trainer = "momentum" } }, '
            '{ low = 0.5, high = 0.6, when = { trainer = ["momentum", "adam"] } }]',
            "space.learning_rate.2.when: must exclude space.learning_rate.0.when: both must name "
            "a parameter, with other values of it, got both where trainer = 'adam'",
        ),
        (
            '[{ low = 0.1, high = 0.2, when = { trainer = "adam" } }, '
            '{ low = 0.3, high = 0.2, when = { trainer = "sgd" } }]',
            "space.learning_rate.1.high: must be above low (0.3), got 0.2",
        ),
        (
            "[{ low = 0.1, high = 0.2, when = { learning_rate = 0.1 } }]",
            "space.learning_rate.0.when.learning_rate: must name a parameter with choices; must",
        ),
        (
            "[{ choices = [0.1], when = { learning_rate = 0.2 } }, "
            "{ choices = [0.2], when = { learning_rate = 0.1 } }]",
            "space.learning_rate.0.when: must not lead back to itself, got learning_rate[0]",
        ),
    ],
)
def test_mistakes_name_the_entry(said: str, line: str, study_file: Path) -> None:
    assert line in message(study_file, f"space.learning_rate={said}")


def test_two_ranges_that_can_meet_are_one_problem(study_file: Path) -> None:
    both = '[{ low = 0.1, high = 0.2, when = { trainer = "adam" } }]'
    twice = f"space.learning_rate={both[:-1]}, {both[1:]}"
    with pytest.raises(StudyFileError) as caught:
        read_study(study_file, [twice])
    assert [problem.key for problem in caught.value.problems] == ["space.learning_rate.1.when"]


def test_a_name_that_optuna_has_for_a_range_is_refused(write: WriteModule) -> None:
    both = {"choices": [write("def train(params, data, seed):\n    yield {}\n"), "adam"]}
    entries = {"learning_rate": [OF_ADAM], "learning_rate[0]": {"low": 0.0, "high": 1.0}}
    _, problems = read_space(NETWORK, {"trainer": both, **entries})
    assert [*map(str, problems)] == [
        "space.learning_rate[0]: must have another name: in Optuna, a range of the list "
        "beside it has this name"
    ]


def test_trainers_stand_in_no_list(study_file: Path) -> None:
    assert "space.trainer: must be a name or choices without a condition, got ['sgd']" in message(
        study_file, 'space.trainer=["sgd"]'
    )


def test_a_name_among_choices_means_the_same_in_the_whole_list() -> None:
    svc, forest = "sklearn.svm.SVC", "sklearn.ensemble.RandomForestClassifier"
    trainer = {"choices": [svc, forest]}

    def read(one: Any, other: Any) -> tuple[Space | None, list[str]]:
        weights = [
            {"choices": one, "when": {"trainer": svc}},
            {"choices": other, "when": {"trainer": forest}},
        ]
        space, problems = read_space({}, {"trainer": trainer, "class_weight": weights})
        return space, [*map(str, problems)]

    space, _ = read({"even": "balanced"}, {"no": "none", "even": "balanced"})
    assert space is not None
    assert space.named == {"class_weight": {"even": "balanced", "no": None}}
    _, problems = read({"any": "balanced"}, {"any": "none"})
    assert problems == [
        "space.class_weight.1.choices: must have the value of 'any' in the other ranges of the "
        "list, got None"
    ]


def test_a_named_choice_of_a_list_is_written_with_what_it_stands_for() -> None:
    small = {"choices": {"small": [50]}, "when": {"trainer": "a"}}
    deep = {"choices": {"deep": [50, 50]}, "when": {"trainer": "b"}}
    params = {"trainer": "own:train", "sizes": "deep"}
    text = configuration_text(params, "toml", {"sizes": [small, deep]})
    assert tomllib.loads(text)["space"]["sizes"] == {"choices": {"deep": [50, 50]}}


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ({"trainer": "adam", "learning_rate": 1e-4}, ""),
        ({"trainer": "sgd", "learning_rate": 0.5}, ""),
        (
            {"trainer": "adam", "learning_rate": 0.5},
            "enqueue.0.learning_rate: must lie in 1e-05 … 0.01, got 0.5",
        ),
        (
            {"learning_rate": 5.0},
            "enqueue.0.learning_rate: must lie in 0.001 … 1.0 or 1e-05 … 0.01, got 5.0",
        ),
        (
            {"learning_rate": 0.005},
            "enqueue.0.learning_rate: must have its condition met by the values beside it",
        ),
        (
            {"learning_rate[0]": 0.5},
            "enqueue.0.learning_rate[0]: must be searched in [space]; must be one of trainer, "
            "learning_rate, momentum",
        ),
    ],
)
def test_an_enqueued_value_lies_in_the_range_that_holds_beside_it(
    wanted: dict[str, Any], line: str, written: Path
) -> None:
    said = ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in wanted.items())
    override = f"enqueue=[{{ {said} }}]"
    if line:
        assert line in message(written, override)
    else:
        assert read_study(written, [override]).file.enqueue == [wanted]


def test_a_value_fits_in_every_arm_that_draws_it(written: Path) -> None:
    compared = ['compare=["trainer"]', "enqueue=[{ learning_rate = 0.005 }]"]
    assert len(read_study(written, compared).arms) == 3
    assert "enqueue.0.learning_rate: must lie in 1e-05 … 0.01, got 0.5" in message(
        written, 'compare=["trainer"]', "enqueue=[{ learning_rate = 0.5 }]"
    )


def test_the_kept_space_is_the_space(written: Path, tmp_path: Path) -> None:
    read = read_study(written, ["space.batch_size=[{low=2, high=8, when={trainer='sgd'}}]"])
    folder = RunFolder(tmp_path / "run")
    folder.artifacts.mkdir(parents=True)
    keep_arms(folder, read.space, read.arms)
    kept = kept_space(folder)
    assert kept is not None
    assert kept.parameters == read.space.parameters
    assert kept_arms(folder)[0].space.parameters == read.space.parameters
    said = with_kinds(read.file, kept).space["batch_size"]
    assert said == [{"low": 2, "high": 8, "when": {"trainer": "sgd"}, "int": True}]


def test_both_ranges_narrow_by_themselves_and_the_winner_has_its_own_alarm(written: Path) -> None:
    (arm,) = read_study(written).arms
    by_name = {p.name: p.distribution for p in arm.space.parameters}
    study = optuna.create_study(direction="maximize")
    for number in range(24):
        trainer, name = ("adam", "learning_rate[1]") if number % 2 else ("sgd", "learning_rate[0]")
        place = 10 ** (-0.1 * (number // 2))  # the first of each at the upper end is the best
        rate = place * (1e-2 if trainer == "adam" else 1.0)
        params = {"trainer": trainer, name: rate}
        study.add_trial(
            optuna.trial.create_trial(
                params=params,
                distributions={key: by_name[key] for key in params},
                value=place,
            )
        )
    rows = narrowing(study, CoarseToFineSampler(seed=0), arm, 0, [])
    rates = {(row.parameter, row.branch): row for row in rows if row.key == "learning_rate"}
    assert rates.keys() == {
        ("learning_rate[0]", ""),
        ("learning_rate[0]", "trainer=sgd"),
        ("learning_rate[1]", ""),
        ("learning_rate[1]", "trainer=adam"),
    }
    assert rates["learning_rate[0]", ""].declared == "0.001 … 1"
    assert rates["learning_rate[1]", ""].declared == "1e-05 … 0.01"
    of_adam = {"trainer": "adam", "learning_rate": 0.01}
    (line,) = last_alarms(rows, of_adam)
    assert line.startswith("learning_rate[1] where trainer = adam: the best trial, 1 with 0.01")
    assert "e.g. high = 0.1" in line
    assert [RangeRow.from_dict(row.as_dict()) for row in rows] == rows
    (of_trainer,) = (row for row in rows if row.parameter == "trainer")
    assert not {"key", "when"} & of_trainer.as_dict().keys()
