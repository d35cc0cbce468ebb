"""Every mistake of a study file is found, with its key, the rule and the nearest name."""

from __future__ import annotations

import re
from pathlib import Path

import optuna
import pytest
from optuna.samplers import RandomSampler

from hpsearch.errors import StudyFileError
from hpsearch.studyfile.reading import read_study
from tests.harness.study_files import ALONE, SMALL
from tests.harness.study_mistakes import message


def test_a_valid_file_is_understood(study_file: Path) -> None:
    read = read_study(study_file)
    assert [stage.trials for stage in read.file.stages] == [14, 8, 6]
    assert read.space.fixed == {
        "network": "two-layer",
        "hidden": 12,
        "weight_decay": 0.1,
        "batch_size": 10,
    }
    assert [p.name for p in read.space.parameters] == ["trainer", "learning_rate", "momentum"]


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("{kind='fixed'}", "data.split.validation: is missing"),
        ("{validation=[0, 10]}", "data.split.kind: is missing: must be one of hold-out, k-fold"),
        ("{kind='fold'}", "got 'fold' (did you mean 'k-fold'?)"),
    ],
)
def test_what_a_split_lacks_is_said(study_file: Path, split: str, said: str) -> None:
    assert said in message(study_file, f"data.split={split}")


def test_a_key_with_the_name_of_a_split_is_a_key_like_any_other(study_file: Path) -> None:
    assert "k-fold: must be one of name, seed" in message(study_file, "k-fold=small")


@pytest.mark.parametrize(
    ("entry", "fits"),
    [
        ("{low=0.1, high=0.5, step=0.1}", True),
        ("{low=0.30000000000000004, high=0.5, step=0.1}", False),
        ("{low=0.1, high=1e200, step=1e-9}", False),
    ],
)
def test_steps_are_counted_by_their_decimals(study_file: Path, entry: str, fits: bool) -> None:
    override = f"space.learning_rate={entry}"
    if fits:
        read_study(study_file, [override])
    else:
        assert "space.learning_rate.step: must divide" in message(study_file, override)


@pytest.mark.parametrize(
    ("trainer", "name", "entry", "described"),
    [
        ("own", "dropout", "{low=0, high=1}", "a number from 0 to 1"),
        ("own", "layers", "{low=1, high=4, int=true}", "a whole number from 1 to 4"),
        ("own", "layers", "{low=2, high=8, step=2}", "a whole number from 2 to 8 in steps of 2"),
        ("own", "layers", "{low=2, high=8, step=2, int=false}", "a number from 2 to 8 in steps"),
        ("own", "reg", "{low=1, high=9, log=true}", "a number from 1 to 9, uniform on the log"),
        ("forest", "max_depth", "{low=2, high=9}", "a whole number from 2 to 9"),
        ("forest", "ccp_alpha", "{low=0, high=1}", "a number from 0 to 1"),
        ("forest", "ccp_alpha", "{low=0, high=1, int=true}", "a whole number from 0 to 1"),
        ("boosted", "n_rounds", "{low=0, high=9}", "a whole number from 0 to 9"),
        ("boosted", "n_rounds", "{low=0, high=9, int=false}", "a number from 0 to 9"),
        ("boosted", "reg_lambda", "{low=0, high=1}", "a number from 0 to 1"),
        ("boosted", "reg_alpha", "{low=0, high=1}", "a number from 0 to 1"),
        ("sgd", "batch_size", "{low=2, high=9}", "a whole number from 2 to 9"),
    ],
)
def test_whole_numbers_are_drawn_where_they_are_known_to_be_whole(
    trainer: str, name: str, entry: str, described: str, tmp_path: Path
) -> None:
    (tmp_path / "kinds_of_numbers.py").write_text(KINDS)
    trainers = {
        "own": "kinds_of_numbers:train",
        "boosted": "kinds_of_numbers.Boosted",
        "forest": "sklearn.ensemble.RandomForestClassifier",
    }
    text = ALONE.replace("TRAINER", trainers.get(trainer, trainer))
    text = text.replace("x = { low = 0.0, high = 1.0 }", f"{name} = {entry}")
    path = tmp_path / "kinds.toml"
    path.write_text(text + "[network]\nname = 'two-layer'\n" * (trainer == "sgd"))
    (parameter,) = read_study(path).space.parameters
    assert parameter.described.startswith(described)


KINDS = """
def train(params, data, seed):
    yield {"validation_accuracy": 0.5}

from sklearn.base import BaseEstimator, ClassifierMixin

class Boosted(ClassifierMixin, BaseEstimator):
    def __init__(self, n_rounds=10, reg_lambda=None, reg_alpha=0.0):
        self.n_rounds, self.reg_lambda, self.reg_alpha = n_rounds, reg_lambda, reg_alpha

    def fit(self, x, y): ...
    def predict(self, x): ...
"""


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("space.batch_size={low=2, high=9, int=false}", "int: must be left out: batch_size must"),
        ("space.batch_size={low=2, high=9, int=1}", "int: must be true or false, got 1"),
        (
            "space.learning_rate={low=0.5, high=2, int=true}",
            "int: must be left out if low or high is not a whole number, got 0.5 and 2",
        ),
    ],
)
def test_a_kind_that_contradicts_the_range_is_refused(
    study_file: Path, override: str, said: str
) -> None:
    assert said in message(study_file, override)


MULTI_LAYER = ("network.name=multi-layer", "space.batch_norm={choices=[true, false]}")


def test_a_networks_own_hyperparameters_are_searched_under_conditions(study_file: Path) -> None:
    dropout = "space.dropout={low=0, high=0.5, when={batch_norm=false}}"
    read = read_study(study_file, (*MULTI_LAYER, "network.hidden_layers=2", dropout))
    assert read.space.fixed["hidden_layers"] == 2
    (found,) = [p for p in read.space.parameters if p.name == "dropout"]
    assert found.active({"batch_norm": False})
    assert not found.active({"batch_norm": True})
    whole = read.space.complete({**read.space.fixed, "trainer": "sgd", "batch_norm": True})
    assert whole["dropout"] == 0
    assert whole["activation"] == "relu"


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ("space.batch_norm=1", "one of false, true, got 1"),
        ("space.batch_norm={low=0, high=1}", "one of false, true, got 0"),
        ("space.dropout=1.0", "at least 0 and below 1 (fraction of units), got 1.0"),
        ("space.activation=gelu", "one of 'relu', 'sigmoid', 'tanh', got 'gelu'"),
        ("space.loss=mse", "one of 'softmax-cross-entropy', 'mean-squared-error'"),
        ("space.filters1=3", "must be one of trainer"),
    ],
)
def test_a_networks_own_hyperparameters_are_checked(
    study_file: Path, override: str, rule: str
) -> None:
    assert rule in message(study_file, "network.name=multi-layer", override)


TRAINERS_WITH_NUMERICAL = "space.trainer={choices=['sgd', 'momentum', 'alternating-gradient']}"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "network.name=lenet",
            "network.name: must be one of two-layer, multi-layer, got 'lenet' "
            "(alternating-gradient trains no others)",
        ),
        (
            "network.batch_norm=true",
            "network.batch_norm: must be one of false, got True (alternating-gradient says so)",
        ),
        (
            "space.dropout={low=0, high=0.5}",
            "of at most 0 (fraction of units), got 0.5 "
            "(alternating-gradient says so; `when` can leave it out)",
        ),
        ("space.dropout=1.5", "space.dropout: must be a number of at least 0 and below 1"),
        ("space.alternation=epoch", "space.alternation: must be one of 'checkerboard', 'global'"),
        ("space.difference_step=0", "space.difference_step: must be a number above 0, got 0"),
    ],
)
def test_what_a_trainer_cannot_do_with_a_network_is_said(
    study_file: Path, override: str, said: str
) -> None:
    deep = (
        "network.name=multi-layer",
        TRAINERS_WITH_NUMERICAL,
        "space.momentum.when.trainer=momentum",
    )
    assert said in message(study_file, *deep, override)


def test_what_a_trainer_cannot_do_is_left_to_the_others(study_file: Path) -> None:
    dropout = "space.dropout={low=0, high=0.5, when={trainer=['momentum', 'sgd']}}"
    step = "space.difference_step={low=1e-6, high=1e-2, log=true}"
    read = read_study(
        study_file, ("network.name=multi-layer", TRAINERS_WITH_NUMERICAL, dropout, step)
    )
    found = {p.name: p for p in read.space.parameters}
    for name, trainer, active in (
        ("dropout", "sgd", True),
        ("dropout", "alternating-gradient", False),
        ("difference_step", "sgd", False),
        ("difference_step", "alternating-gradient", True),
    ):
        assert found[name].active({"trainer": trainer}) is active
    whole = read.space.complete({**read.space.fixed, "trainer": "alternating-gradient"})
    assert (whole["dropout"], whole["alternation"]) == (0, "checkerboard")
    assert "alternation" not in read.space.complete({**read.space.fixed, "trainer": "sgd"})


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        """
name = "x/2"
seeds = 3
objective = { metric = "validation_acuracy", direction = "max" }
[data]
name = "digts"
split = { kind = "kfold" }
[network]
name = "two-layr"
[space]
trainer = { choices = ["sgd", "adm"] }
learning_rate = { low = 0, high = 1.0, log = true }
[[stages]]
trials = 0
epochs = 5
"""
    )
    text = message(path)
    for key in (
        "name",
        "seeds",
        "objective.direction",
        "objective.metric",
        "data.split.kind",
        "network.name",
        "space.trainer",
        "space.learning_rate.low",
        "stages.0.trials",
    ):
        assert f"\n  {key}: " in text
    for near in (
        "'seed'",
        "'maximize'",
        "'validation_accuracy'",
        "'k-fold'",
        "'two-layer'",
        "'adam'",
    ):
        assert f"did you mean {near}?" in text
    assert "Traceback" not in text
    assert "pydantic" not in text


@pytest.mark.parametrize(
    ("override", "key", "rule"),
    [
        ("seed=-1", "seed", "greater than or equal to 0"),
        ("seed=true", "seed", "a whole number"),
        ("data.name=mnits", "data.name", "did you mean 'mnist'?"),
        ("data.shots=0", "data.shots", "greater than or equal to 1"),
        ("data.split.folds=7", "data.split.folds", "at most the 6 shots"),
        ("data.split.fold=2", "data.split.fold", "did you mean 'folds'?"),
        ("space.hidden=20", "space.hidden", "must not be set twice"),
        ("space.batch_sise=3", "space.batch_sise", "did you mean 'batch_size'?"),
        ("space.batch_size=2.5", "space.batch_size", "whole number of at least 1"),
        ("space.learning_rate.low=2e6", "space.learning_rate.high", "above low"),
        ("space.learning_rate.lo=1", "space.learning_rate.lo", "did you mean 'low'?"),
        ("space.learning_rate.step=0.1", "space.learning_rate.step", "left out where log"),
        ("space.learning_rate.high=inf", "space.learning_rate.high", "a finite number"),
        (f"space.learning_rate.high=1{'0' * 400}", "space.learning_rate.high", "a finite number"),
        (
            "space.trainer={low=1, high=2}",
            "space.trainer",
            "a name or choices without a condition",
        ),
        ("space.trainer={choices=5}", "space.trainer", "a name or choices without a condition"),
        ("space.momentum.when={trainer=[]}", "space.momentum.when.trainer", "at least one value"),
        ("space.momentum.step=0.3", "space.momentum.step", "must divide the range"),
        ("space.momentum.high=1", "space.momentum.high", "below 1"),
        ("space.momentum.when.trainer=sgd", "space.momentum.when.trainer", "takes momentum"),
        ("space.momentum.when.trainr=sgd", "space.momentum.when.trainr", "'trainer'?"),
        ("space.dtype={choices=['float16']}", "space.dtype.choices", "one of 'float32'"),
        ("space.dtype={low=1, high=2}", "space.dtype", "got 1"),
        (
            "space.trainer=no_such_module:train",
            "space.trainer",
            "No module named 'no_such_module'",
        ),
        ("network.name=lenett", "network.name", "two-layer, multi-layer, lenet, got 'lenett'"),
        ("network.dropout=0.5", "network.dropout", "must be one of name, initial_weights"),
        ("network.hiden=3", "network.hiden", "did you mean 'hidden'?"),
        ("network.hidden=0", "network.hidden", "at least 1"),
        ("objective.metric=test_accuracy", "objective.metric", "must not look at the test set"),
        ("stages=[]", "stages", "at least 1 item"),
        ("stages.1.epochs=2", "stages.1.epochs", "above the 2"),
        ("stages.1.trials=60", "stages.1.trials", "at most the 14 trials"),
        ("confirmation.seeds=1", "confirmation.seeds", "greater than or equal to 2"),
        ("sampler.nme=tpe", "sampler.nme", "did you mean 'name'?"),
        ("execution.workers=-1", "execution.workers", "greater than or equal to 0"),
        ("execution.gpus=[]", "execution.gpus", "a list of devices, each once, by number or id"),
        ("execution.gpus='some'", "execution.gpus", 'must be "all" or a list of devices'),
        ("execution.gpus=2", "execution.gpus", 'must be "all" or a list of devices'),
        (
            "execution.gpus=[0, '0']",
            "execution.gpus",
            "each once, by number or id, such as [0, 1]",
        ),
        ("execution.gpus=[-1]", "execution.gpus", "by number or id, such as [0, 1], got [-1]"),
        ("execution.gpus=[true]", "execution.gpus", "by number or id, such as [0, 1], got [True]"),
        ("execution.gpus=['0,1']", "execution.gpus", "such as [0, 1], got ['0,1']"),
        ("execution.per_gpu=2", "execution.per_gpu", "must be left out without execution.gpus"),
        ("execution.gpus_per_trial=2", "execution.gpus_per_trial", "must be left out without"),
        (
            "execution={gpus=[0, 1], per_gpu=2, gpus_per_trial=2}",
            "execution.per_gpu",
            "must be 1 where execution.gpus_per_trial is 2, got 2",
        ),
        (
            "execution={gpus=[0, 1, 2], gpus_per_trial=2}",
            "execution.gpus",
            "must name a multiple of execution.gpus_per_trial = 2 devices, got [0, 1, 2]",
        ),
        (
            "execution={gpus=[0, 1], workers=3}",
            "execution.workers",
            "must be at most 2, the workers that execution.gpus has devices for, got 3",
        ),
        (
            "execution={gpus='all', executor='dask://host:8786'}",
            "execution.gpus",
            "set CUDA_VISIBLE_DEVICES where the Dask workers start",
        ),
        ("space=3", "space", "must be a table"),
        ("space.momentum.step=inf", "space.momentum.step", "a finite number"),
        ("space.batch_size=[1]", "space.batch_size", "a number, a text, true or false or a table"),
        ("space.batch_size={choices=[[1]]}", "space.batch_size.choices", "must hold numbers"),
        ("stages.0.trials=99999999", "stages.0.trials", "less than or equal to 1000000"),
        ("objective.metric=train_loss", "objective.metric", "measured on validation data"),
    ],
)
def test_a_mistake_names_its_key_and_the_rule(
    study_file: Path, override: str, key: str, rule: str
) -> None:
    text = message(study_file, override)
    assert key in text
    assert rule in text


def test_conditions_in_a_circle_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "circle.toml"
    path.write_text(
        SMALL.replace(
            "batch_size = 10",
            'initial_weights = { choices = ["he", "normal"], when = { dtype = "float32" } }\n'
            'dtype = { choices = ["float32", "float64"], when = { initial_weights = "he" } }',
        )
    )
    assert "must not lead back to itself" in message(path)


def test_a_hyperparameter_is_active_only_for_trainers_that_take_it(tmp_path: Path) -> None:
    path = tmp_path / "auto.toml"
    path.write_text(SMALL.replace(', when = { trainer = "momentum" }', ""))
    momentum = next(p for p in read_study(path).space.parameters if p.name == "momentum")
    assert momentum.when == {"trainer": ("momentum",)}


SEARCHED = "space.trainer.choices=['sgd', 'momentum', 'proposal-search']"
DEEP = "network.name=multi-layer"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ["network.name=lenet"],
            "network.name: must be one of two-layer, multi-layer, got 'lenet' (proposal-search",
        ),
        ([DEEP, "network.batch_norm=true"], "one of false, got True (proposal-search says so)"),
        (
            [DEEP, "space.dropout={low=0.0, high=0.5}"],
            "got 0.5 (proposal-search says so; `when` can leave it out)",
        ),
        (["space.proposed_rates='1, 0'"], "numbers with commas between, each a number above 0"),
        (["space.momentum_rule=loss"], "space.momentum_rule: must be one of 'loss-above'"),
        (
            ["objective.metric=passes/forward"],
            "objective.metric: must be measured to be used here: set ",
        ),
    ],
)
def test_what_the_proposal_search_cant_do_is_refused(
    study_file: Path, overrides: list[str], said: str
) -> None:
    assert said in message(study_file, SEARCHED, *overrides)


def test_other_trainers_of_the_study_may_have_what_one_refuses(study_file: Path) -> None:
    dropout = "space.dropout={low=0.0, high=0.5, when={trainer=['sgd', 'momentum']}}"
    space = read_study(study_file, [SEARCHED, DEEP, dropout, "space.rates_are=absolute"]).space
    params = {"network": "multi-layer", "trainer": "proposal-search", **space.fixed}
    whole = space.complete(params)
    assert (whole["dropout"], whole["rates_are"]) == (0.0, "absolute")
    assert "weight_decay" not in whole
    assert "rates_are" not in space.complete({**params, "trainer": "sgd"})


POLICY = (
    "batch_size = 10\n"
    'learning_rate_policy = { choices = ["constant", "step", "multistep"] }\n'
    "step_gamma = { low = 0.1, high = 1.0 }\n"
    "step_size = 0.25\n"
    'multistep_milestones = { choices = ["0.5", "0.5, 0.75"] }\n'
)


def test_a_hyperparameter_of_a_policy_is_active_with_that_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(SMALL.replace("batch_size = 10", POLICY))
    when = {p.name: p.when for p in read_study(path).space.parameters}
    assert when["step_gamma"] == {"learning_rate_policy": ("step",)}
    assert when["multistep_milestones"] == {"learning_rate_policy": ("multistep",)}
    assert when["learning_rate_policy"] == {}


def test_a_trial_has_the_hyperparameters_of_its_own_policy_alone(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(SMALL.replace("batch_size = 10", POLICY))
    space, study = read_study(path).space, optuna.create_study(sampler=RandomSampler(seed=0))
    seen = {}
    for _ in range(20):
        params = space.suggest(study.ask())
        own = {k: v for k, v in params.items() if k.split("_")[0] in ("step", "multistep", "inv")}
        seen[params["learning_rate_policy"]] = own
    assert seen["constant"] == {}
    assert set(seen["step"]) == {"step_gamma", "step_size"}
    assert seen["step"]["step_size"] == 0.25
    assert set(seen["multistep"]) == {"multistep_gamma", "multistep_milestones"}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "space.learning_rate_policy=cosin",
            "space.learning_rate_policy: must be one of 'constant', 'inv', 'step'",
        ),
        (
            "space.inv_gamma=0.1",
            "space.inv_gamma: must go with learning_rate_policy = 'inv', got 'constant', 'step'",
        ),
        (
            "space.learning_rate_policy=cosine",
            "space.step_gamma: must go with learning_rate_policy = 'step', got 'cosine'",
        ),
        (
            'space.step_gamma.when={learning_rate_policy="constant"}',
            "space.step_gamma.when.learning_rate_policy: must be one of step, got 'constant'",
        ),
        (
            "space.multistep_milestones={low=0.1, high=0.2}",
            "space.multistep_milestones.low: must be numbers with commas between",
        ),
        (
            "space.multistep_milestones='0.5, 1.5'",
            "each a number above 0 and below 1 (fractions of the training), got '0.5, 1.5'",
        ),
        ("space.step_gamma=2.0", "space.step_gamma: must be a number above 0 and of at most 1"),
    ],
)
def test_a_mistake_about_a_policy_is_said(tmp_path: Path, override: str, said: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(SMALL.replace("batch_size = 10", POLICY))
    assert said in message(path, override)


def test_a_policy_that_is_fixed_takes_its_own_hyperparameters(study_file: Path) -> None:
    fixed = ["space.learning_rate_policy=inv", "space.inv_gamma={low=1e-5, high=1e-2, log=true}"]
    space = read_study(study_file, fixed).space
    params = space.suggest(optuna.create_study(sampler=RandomSampler(seed=0)).ask())
    assert 1e-5 <= float(params["inv_gamma"]) <= 1e-2
    assert params["inv_power"] == 0.75
    assert "step_gamma" not in params


def test_a_value_of_any_length_gives_a_short_message(study_file: Path) -> None:
    text = message(study_file, "space.batch_size=" + "[" * 90 + "1, " * 5000 + "]" * 90)
    assert len(text) < 2500
    assert "1 mistake;" in text


@pytest.mark.parametrize(
    "text",
    ["name = ", "\xff", "= 3", f"seed = {'9' * 5000}", "a = " + "[" * 3000 + "]" * 3000],
    ids=["cut", "bytes", "no-key", "digits", "depth"],
)
def test_what_is_no_toml_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(text.encode("latin-1"))
    assert "must be" in message(path)


def test_a_missing_file_is_said_in_one_line(tmp_path: Path) -> None:
    assert "No such file" in message(tmp_path / "none.toml")


def test_overrides_reach_nested_keys_and_list_items(study_file: Path) -> None:
    read = read_study(study_file, ["stages.2.epochs=9", "space.batch_size=5", "name=other"])
    assert read.file.stages[2].epochs == 9
    assert read.space.fixed["batch_size"] == 5
    assert read.file.name == "other"


@pytest.mark.parametrize("override", ["seed", "=3", "stages.9.epochs=3", "seed.x=3"])
def test_a_wrong_override_is_refused(study_file: Path, override: str) -> None:
    assert "--set" in message(study_file, override)


@pytest.mark.parametrize(
    ("metric", "direction", "other"),
    [
        ("validation_accuracy", "minimize", "maximize"),
        ("validation_loss", "maximize", "minimize"),
        ("validation_accuracy", "maximize", ""),
        ("validation_loss", "minimize", ""),
    ],
)
def test_a_direction_that_makes_the_worst_the_winner_is_doubted(
    metric: str, direction: str, other: str, study_file: Path
) -> None:
    goal = f'objective={{metric="{metric}", direction="{direction}"}}'
    doubts = read_study(study_file, [goal]).file.doubts
    if not other:
        assert doubts == []
        return
    (doubt,) = doubts
    assert doubt.startswith(f"{metric} is usually better when it is ")
    assert f'write direction = "{other}"' in doubt


def test_how_soon_a_level_is_reached_is_to_be_small(study_file: Path) -> None:
    goal = 'objective={metric="validation_accuracy", direction="minimize", rises_to=0.5}'
    assert read_study(study_file, [goal]).file.doubts == []


def test_a_mark_at_the_beginning_of_a_file_is_no_part_of_it(study_file: Path) -> None:
    plain = read_study(study_file)
    study_file.write_bytes(b"\xef\xbb\xbf" + study_file.read_bytes())
    assert read_study(study_file).file == plain.file


def test_a_file_that_is_not_there_names_the_one_that_is_meant(study_file: Path) -> None:
    with pytest.raises(StudyFileError, match=rf"did you mean {re.escape(str(study_file))}\?"):
        read_study(study_file.with_name("smal.toml"))
    with pytest.raises(StudyFileError) as caught:
        read_study(study_file.with_name("another.toml"))
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("space.learning_rate=[5, 10]", "got [5, 10]: write { choices = [5, 10] }"),
        ("space.learning_rate.low='1e-3'", "got '1e-3': drop the quotes: low = 1e-3"),
    ],
)
def test_what_was_meant_is_said(study_file: Path, override: str, hint: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        read_study(study_file, [override])
    assert hint in str(caught.value)
