"""Which changed study files extend a finished run: each allowed and each refused change."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.study.chapters.extension import extension
from hpsearch.studyfile.reading import read_text
from hpsearch.studyfile.study_file import StudyFile
from tests.harness.study_files import TINY

STAGE = "[[stages]]\ntrials = 2\nepochs = 20\n"
NAMED = 'initial_weights = { choices = ["he", "xavier"] }\n'
BASE = TINY.replace("batch_size = 10\n", "batch_size = { low = 5, high = 15, step = 5 }\n" + NAMED)


def file(text: str) -> StudyFile:
    return read_text(text, Path("study.toml"), ()).file


def changed(*pairs: tuple[str, str], base: str = BASE) -> str:
    for old, new in pairs:
        assert old in base, old
        base = base.replace(old, new)
    return base


ALLOWED = {
    "more trials in the first stage": [("trials = 5", "trials = 9")],
    "more trials in the last stage": [("trials = 3", "trials = 4")],
    "a longer last stage": [("epochs = 8", "epochs = 12")],
    "one more stage": [("[confirmation]", f"{STAGE}[confirmation]")],
    "a wider range": [("low = 1e-3, high = 10.0", "low = 1e-4, high = 100.0")],
    "a wider range of whole steps": [("low = 5, high = 15", "low = 5, high = 25")],
    "one more choice": [('"adam"]', '"adam", "rmsprop"]')],
    "a parameter of a choice that is new": [
        ('"adam"]', '"adam", "rmsprop"]'),
        (NAMED, NAMED + 'epsilon = { low = 1e-8, high = 1e-4, when = { trainer = "rmsprop" } }\n'),
    ],
    "another objective": [("validation_accuracy", "validation_loss"), ("maximize", "minimize")],
    "the best epoch": [('"maximize"', '"maximize", best_epoch = true')],
    "more repeats": [("seeds = 3", "seeds = 4")],
    "more refits": [("test_seeds = 2", "test_seeds = 3")],
    "more that are confirmed": [("top = 2", "top = 3")],
}

REFUSED = {
    "another seed": ([("seed = 7", "seed = 8")], "seed must stay 7, got 8"),
    "other data": ([("shots = 6", "shots = 7")], "data.shots must stay 6, got 7"),
    "another split": (
        [("folds = 3", "folds = 4")],
        'data.split must stay { kind = "k-fold", folds = 3 }, got { kind = "k-fold", folds = 4 }',
    ),
    "another network": ([("hidden = 12", "hidden = 13")], "network.hidden must stay 12, got 13"),
    "several objectives": (
        [
            (
                'objective = { metric = "validation_accuracy", direction = "maximize" }',
                "objectives = [\n"
                '    { metric = "validation_accuracy", direction = "maximize" },\n'
                '    { metric = "validation_loss", direction = "minimize" },\n'
                "]",
            ),
        ],
        "objective must stay: one objective, or several",
    ),
    "a constraint": (
        [
            (
                "[data]",
                '[[constraints]]\nmetric = "validation_loss"\nat_most = 2.0\n[data]',
            ),
        ],
        "constraints.0.at_most must stay left out, got 2.0",
    ),
    "fewer trials": (
        [("trials = 5", "trials = 4")],
        "stages.0.trials must be at least the earlier 5, got 4",
    ),
    "a shorter last stage": (
        [("epochs = 8", "epochs = 6")],
        "stages.2.epochs must be at least the earlier 8, got 6",
    ),
    "a longer first stage": (
        [("epochs = 2", "epochs = 3")],
        "stages.0.epochs must stay 2: only the last stage can be made longer, got 3",
    ),
    "a stage less": (
        [("[[stages]]\ntrials = 3\nepochs = 8\n", "")],
        "stages must be at least the earlier 3, got 2",
    ),
    "other promotion": (
        [("trials = 3\n", "trials = 3\npromote = 0.25\n")],
        "stages.2.promote must stay 0.5, got 0.25",
    ),
    "controls in a new stage": (
        [("[confirmation]", f"{STAGE}controls = 1\n[confirmation]")],
        "stages.3.controls must be 0 in a stage that an extension adds, got 1",
    ),
    "a narrower range": (
        [("high = 10.0", "high = 1.0")],
        "space.learning_rate.high must be at least the earlier 10.0: a range can only become "
        "wider, got 1.0",
    ),
    "a range that begins later": (
        [("low = 1e-3", "low = 1e-2")],
        "space.learning_rate.low must be at most the earlier 0.001: a range can only become "
        "wider, got 0.01",
    ),
    "another scale": (
        [("high = 10.0, log = true", "high = 10.0")],
        "space.learning_rate.log must stay true, got none",
    ),
    "other steps": (
        [("low = 5, high = 15, step = 5", "low = 5, high = 25, step = 10")],
        "space.batch_size.step must stay 5, got 10",
    ),
    "a start between the steps": (
        [("low = 5, high = 15, step = 5", "low = 2, high = 17, step = 5")],
        "space.batch_size.low must be whole steps of 5 below the earlier 5, got 2",
    ),
    "a choice less": (
        [('"sgd", "momentum", "adam"', '"momentum", "adam"')],
        'space.trainer.choices must keep "sgd", which earlier trials may have',
    ),
    "another condition": (
        [
            ('when = { trainer = "momentum" }', 'when = { trainer = ["momentum", "nesterov"] }'),
            ('"adam"]', '"adam", "nesterov"]'),
        ],
        'space.momentum.when must stay { trainer = "momentum" }, got '
        '{ trainer = ["momentum", "nesterov"] }',
    ),
    "another fixed value": (
        [("weight_decay = 0.1", "weight_decay = 0.2")],
        "space.weight_decay must stay 0.1, got 0.2",
    ),
    "a parameter that all trials would have": (
        [(NAMED, f"{NAMED}weight_std = {{ low = 0.1, high = 0.5 }}\n")],
        "space.weight_std must be left out, or have a condition `when` on choices that this file "
        "adds: earlier trials have no such parameter, got { low = 0.1, high = 0.5 }",
    ),
    "a parameter less": (
        [(NAMED, "")],
        'space.initial_weights must stay { choices = ["he", "xavier"] }, got none',
    ),
    "fewer repeats": (
        [("seeds = 3", "seeds = 2")],
        "confirmation.seeds must be at least the earlier 3, got 2",
    ),
    "another sampler": (
        [("[confirmation]", '[sampler]\nname = "tpe"\n[confirmation]')],
        'sampler.name must stay "coarse-to-fine", got "tpe"',
    ),
    "an enqueued configuration": (
        [("[confirmation]", '[[enqueue]]\ntrainer = "sgd"\n[confirmation]')],
        'enqueue.0 must stay left out, got { trainer = "sgd" }',
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_file_that_asks_for_more_extends(name: str) -> None:
    found = extension(file(BASE), file(changed(*ALLOWED[name])))
    assert [problem.statement for problem in found.problems] == []
    assert found.asks


@pytest.mark.parametrize("name", REFUSED)
def test_what_earlier_trials_rest_on_is_refused_by_its_key(name: str) -> None:
    pairs, statement = REFUSED[name]
    found = extension(file(BASE), file(changed(*pairs)))
    assert statement in [problem.statement for problem in found.problems]


def test_the_keys_that_grew_are_named() -> None:
    pairs = [("high = 10.0", "high = 100.0"), ('"adam"]', '"adam", "rmsprop"]')]
    found = extension(file(BASE), file(changed(*pairs)))
    assert list(found.wider) == ["space.trainer", "space.learning_rate"]


def test_the_same_file_asks_for_nothing_more() -> None:
    found = extension(file(BASE), file(BASE))
    assert (list(found.problems), list(found.wider), found.asks) == ([], [], False)


def test_what_may_change_at_any_start_asks_for_nothing_more() -> None:
    found = extension(file(BASE), file(BASE + "[execution]\nslice_seconds = 0.5\n"))
    assert (list(found.problems), found.asks) == ([], False)


@pytest.mark.parametrize(
    ("end", "statement"),
    [
        (
            '[pruner]\nname = "median"\nrungs = [1]\n',
            "pruner must be left out of a study that is extended",
        ),
        ("[budget]\nepochs = 1000\n", "budget must have no limit of epochs, seconds"),
        ("[budget]\nplateau = 5\n", "budget must have no limit of epochs, seconds"),
        (
            '[validation]\nouter = { kind = "k-fold", folds = 3 }\n',
            "validation.outer must be left out of a study that is extended",
        ),
    ],
)
def test_searches_that_no_chapter_goes_on_with_are_refused(end: str, statement: str) -> None:
    now = changed(("trials = 3", "trials = 4")) + end
    found = extension(file(BASE + end), file(now))
    assert any(problem.statement.startswith(statement) for problem in found.problems)


def test_compared_cases_and_grids_are_refused() -> None:
    compared = 'compare = ["trainer"]\n' + BASE
    found = extension(file(compared), file(changed(("trials = 3", "trials = 4"), base=compared)))
    assert [problem.key for problem in found.problems] == ["compare"]
