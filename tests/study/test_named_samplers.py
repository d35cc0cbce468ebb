"""Optuna's samplers by name: the same stages, record and restarts around them."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpsearch.errors import StudyFileError
from hpsearch.samplers.named import OPTUNA, NamedSampler
from hpsearch.studyfile.reading import read_study
from tests.harness.study import records, run

INSTALLED = [name for name, (_, needed) in OPTUNA.items() if not needed or find_spec(needed)]
MISSING = sorted(OPTUNA.keys() - set(INSTALLED))
# Without choices, which CMA-ES leaves to others; 6 x 9 combinations for brute force.
FINITE = [
    "space.trainer=momentum",
    "space.learning_rate={low=0.5, high=3.0, step=0.5}",
    "space.momentum={low=0.1, high=0.9, step=0.1}",
]


def test_a_sampler_of_ones_own(study_file: Path, home: Path) -> None:
    (study_file.parent / "my_samplers.py").write_text(
        "from optuna.samplers import RandomSampler\n\n\n"
        "class Lowest(RandomSampler):\n"
        "    def __init__(self, share):\n"
        "        super().__init__(seed=0)\n"
        "        self.share = share\n\n"
        "    def sample_independent(self, study, trial, name, distribution):\n"
        "        if name != 'learning_rate':\n"
        "            return super().sample_independent(study, trial, name, distribution)\n"
        "        return distribution.low * (1 + self.share + trial.number)\n"
    )
    run(study_file, home, "sampler.name=my_samplers:Lowest", "sampler.options.share=0.5")
    rates = [r.params["learning_rate"] for r in records(home)]
    assert rates == pytest.approx([1e-3 * (1.5 + n) for n in range(len(rates))])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["sampler.name=tpee"], "did you mean 'tpe'"),
        (["sampler.name=nowhere:Sampler"], "sampler.name: must be importable, got 'nowhere:Sam"),
        (["sampler.name=pathlib:Path"], "must be a class derived from optuna.samplers.BaseSampl"),
        (["sampler.name=tpe", "sampler.options.n_candidates=3"], "sampler.options: must be argum"),
        (["sampler.name=tpe", "sampler.options.seed=3"], "must leave out seed"),
        (
            ["sampler.name=tpe", "sampler.proposal=gp"],
            "it belongs to coarse-to-fine, not to 'tpe'",
        ),
        (["sampler.options.shrink=2.0"], "sampler.options: shrink must be above 0 and at most 1"),
        (
            ["sampler.options.n_startup=-1"],
            "n_startup must be a whole number of at least 0, got -1",
        ),
        (["sampler.options.shrnk=0.5"], "shrnk"),
        (["sampler.name=qmc", "sampler.options.base=3"], "base"),
        (["sampler.name=brute-force"], "space.learning_rate: must have choices"),
        (
            ["sampler.name=brute-force", *FINITE, "stages=[{trials=55, epochs=1}]"],
            "must leave at most 54 new trials in all, one per combination, got 55",
        ),
        *(([f"sampler.name={name}"], f"pip install {OPTUNA[name][1]}") for name in MISSING),
    ],
)
def test_what_cant_be_had_is_said(study_file: Path, options: list[str], said: str) -> None:
    with pytest.raises(StudyFileError, match=re.escape(said)):
        read_study(study_file, options)


def test_random_draws_cost_the_same_however_many_trials_there_are() -> None:
    class Unread(Study):
        def get_trials(self, *args: object, **kwargs: object) -> list[FrozenTrial]:
            raise AssertionError("trials are read, and copied, in vain")

    storage = InMemoryStorage()
    optuna.create_study(storage=storage, study_name="s")
    study = Unread("s", storage)

    def suggest(trial: optuna.Trial) -> dict[str, float]:
        return {"x": trial.suggest_float("x", 0, 1)}

    sampler = NamedSampler("random", {})
    first, second = (sampler.draw_ahead(study, [n, n + 1], suggest, (3,)) for n in (0, 100))
    assert [drawn.params for drawn in first] == [drawn.params for drawn in second]
    assert len(second) == 2
