"""The [sampler] table of a study file, and the sampler that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import optuna
from pydantic import Field

from hpsearch import samplers  # each one's module is loaded when it is made
from hpsearch.errors import Problem
from hpsearch.samplers.coarse_to_fine.rules import NEWEST, Per, RuleVersion
from hpsearch.samplers.history import recorded_seconds
from hpsearch.studyfile.arms import Arm
from hpsearch.studyfile.entries import key_path
from hpsearch.studyfile.space import NoCells, Space
from hpsearch.studyfile.tables.base import LARGEST, Facts, Table
from hpsearch.studyfile.tables.objectives import Direction
from hpsearch.studyfile.tables.start.enqueue import wanted_in

COARSE_TO_FINE = "coarse-to-fine"
ONCE = ("grid", "listed", "brute-force")  # what they draw is counted out in the study file
OURS = {"rule", "relations", "priors", "earlier", "per", "seconds"}  # arguments that we give
BLIND = (*ONCE, "qmc", "random")  # draw whatever the trials before scored


class Sampler(Table):
    """How configurations are drawn."""

    name: str = Field(
        default=COARSE_TO_FINE,
        description="the sampler (tpe with several objectives). Others: grid, every combination "
        "of choices once, in order; brute-force, a grid in random order; listed, only the "
        "configurations of [[enqueue]]; random, tpe, gp, cmaes and nsga2, Optuna's samplers; qmc, "
        "Sobol points; or your own, package.module:Class",
    )
    proposal: Literal["gp", "model-free", "random", "uniform"] = Field(
        default="gp",
        description="how coarse-to-fine draws: gp, by a Gaussian process among candidates, best "
        "in our benchmarks; model-free, around the best trials, the cheapest; random, in a box "
        "around the best trials that is halved repeatedly; uniform, without narrowing",
    )
    rule: RuleVersion = Field(
        default=NEWEST,
        description="version of the proposal gp. 4 draws the first trials from the middle of the "
        "ranges. 3 also learns what each parameter does by itself from all trials. 2 uses how "
        "much better a score is, not only its rank, explores around the best trial of every "
        "branch, and moves away from the best trial once the gains are small. 1 to 3 are the "
        "rules of older versions. A study continues with the rule it began with",
    )
    batch: int = Field(
        default=4,
        ge=1,
        le=LARGEST,
        description="number of trials drawn together from the results so far; independent of the "
        "number of workers, so that the search is the same with any number",
    )
    per: Per = Field(
        default="trial",
        description="what the proposal gp counts as cost: trial, the same for each trial; second, "
        "its forecast of the training time, so that it prefers configurations that are cheap. The "
        "times are in the records, by which verify derives the draws; two runs of one file differ",
    )
    repeats: bool = Field(
        default=False,
        description="keep drawing after every configuration of a finite space was tried, e.g. to "
        "measure the noise of training; false: drawing ends there",
    )
    options: dict[str, object] = Field(
        default_factory=dict, description="arguments for the sampler's constructor"
    )

    def n_configurations(self, space: Space, trials: int) -> int | None:
        """How many configurations there are to draw; None where there are as many as trials, or
        more, or it draws on when all were tried.

        Args:
            trials: that the study asks for.
        """
        return None if self.repeats or self.name in ONCE else space.size(trials - 1)

    @property
    def learns(self) -> bool:
        """Whether it can learn from earlier studies."""
        return self.name == COARSE_TO_FINE and self.proposal == "gp"

    @property
    def weighs_seconds(self) -> bool:
        """Whether it is told how long trials took."""
        return self.per == "second"

    def make(
        self, space: Space, facts: Facts, earlier: Sequence[samplers.EarlierStudy] = ()
    ) -> samplers.StudySampler:
        """The sampler of a study, or of one of its arms.

        Args:
            earlier: what it learns from, if it `learns`.

        Raises:
            ValueError: there is none of this name, or it refuses the options.
        """
        name, options = self.name, dict[str, Any](self.options)
        ours = OURS if name == COARSE_TO_FINE else set[str]()
        for reserved in ({"seed", "proposal", "batch"} | ours) & options.keys():
            raise ValueError(f"must leave out {reserved}, which other keys of the study file set")
        shuffled = name == "brute-force" and bool(space.relations)
        if name in ("grid", "listed") or shuffled:
            if options:
                noun = "a list" if name == "listed" else "a grid"
                raise ValueError(f"must be left out where the sampler is {noun}, got {options}")
            if name == "grid":
                return samplers.GridSampler(space.cells())
            listed = [
                space.in_optuna({**space.fixed, **wanted_in(space, said)})
                for said in facts.enqueue
            ]
            if shuffled:  # Optuna's would draw what breaks a relation again and again
                cells = [cell for cell in space.cells() if cell not in listed]
                order = np.random.default_rng(facts.seed).permutation(len(cells))
                listed += [cells[place] for place in order]
            return samplers.GridSampler(listed)
        if name == "qmc":
            from hpsearch.samplers.sobol import SobolSampler  # loads scipy.stats

            names = [parameter.name for parameter in space.parameters]
            return SobolSampler(names, seed=facts.seed, **options)
        if name != COARSE_TO_FINE:
            return samplers.NamedSampler(name, options, relations=space.for_samplers)
        said = {"relations": space.for_samplers, "priors": space.priors, "earlier": earlier}
        return self._coarse_to_fine(facts, options | said)

    def _coarse_to_fine(self, facts: Facts, options: dict[str, Any]) -> samplers.StudySampler:
        if self.proposal == "random":  # the literal rule: one stage's worth, then the first box
            options.setdefault("n_startup", facts.trials[0])
        if self.weighs_seconds:  # of the records alone: what a clock says now would not repeat
            options |= {"per": self.per, "seconds": recorded_seconds}
        return samplers.CoarseToFineSampler(
            seed=facts.seed, proposal=self.proposal, batch=self.batch, rule=self.rule, **options
        )

    def blind(self, facts: Facts) -> Callable[[int], bool]:
        """Whether trial n of an arm is drawn whatever the trials before it scored.

        Nothing of a user's own is loaded for it.
        """
        if self.name == COARSE_TO_FINE:
            return self._coarse_to_fine(facts, dict(self.options)).ignores_results
        return lambda number: self.name in BLIND

    def problems_of_arms(self, facts: Facts, arms: Sequence[Arm]) -> Iterator[Problem]:
        for arm in arms:
            found = [*self._problems_of(arm, facts)]
            yield from found
            if found:
                return

    def _problems_of(self, arm: Arm, facts: Facts) -> Iterator[Problem]:
        for key in ("proposal", "rule", "per"):
            if key in self.model_fields_set and self.name != COARSE_TO_FINE:
                rule = f"must be left out: it belongs to coarse-to-fine, not to {self.name!r}"
                yield Problem(f"sampler.{key}", rule)
        if self.name == COARSE_TO_FINE and self.weighs_seconds and self.proposal != "gp":
            rule = 'must go with sampler.proposal = "gp", which alone weighs draws by their cost'
            yield Problem("sampler.per", rule, f"{self.proposal!r}")
            return
        if self.name != COARSE_TO_FINE or self.proposal in ("random", "uniform"):
            who = self.proposal if self.name == COARSE_TO_FINE else self.name
            rule = "must be left out: only coarse-to-fine draws by it, with gp or model-free"
            for parameter in arm.space.parameters:
                if parameter.prior is not None:
                    key = "prior" if parameter.prior.weights is None else "weights"
                    yield Problem(f"{key_path(parameter.path)}.{key}", rule, f"{who!r}")
                    return
        if self.repeats and self.name in ONCE:
            rule = f"must be left out: {self.name} draws no configuration twice by itself"
            yield Problem("sampler.repeats", rule)
        if self.name in ("grid", "brute-force"):
            try:
                n_cells = len(arm.space.cells())
            except NoCells as error:
                noun = "a grid" if self.name == "grid" else "a brute-force search"
                yield replace(error.problem, rule=f"{error.problem.rule} in {noun}")
                return
            yield from self._count_problems(n_cells, arm.name, facts)
        if self.name == "listed":
            yield from self._count_problems(len(facts.enqueue), arm.name, facts)
        try:
            self.make(arm.space, facts)
        except (TypeError, ValueError) as error:
            known = self.name in (COARSE_TO_FINE, "grid", "listed", "qmc") or self.options
            yield Problem(f"sampler.{'options' if known else 'name'}", str(error))
            return
        if facts.n_objectives > 1 and not self._takes_several(arm.space, facts):
            yield Problem(
                "sampler.name",
                f"must be able to do {facts.n_objectives} objectives, as tpe, nsga2, gp, random, "
                "qmc, grid, listed and brute-force are",
                f"{self.name!r}; or write one objective, and the others as [[constraints]]",
            )

    def _takes_several(self, space: Space, facts: Facts) -> bool:
        """Whether it draws a first trial of two objectives; what draws none of one is no sign."""
        return self._draws(2, space, facts) or not self._draws(1, space, facts)

    def _draws(self, n_objectives: int, space: Space, facts: Facts) -> bool:
        """Whether it draws a first trial of a study with so many objectives, one or two."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        both: list[Direction] = ["maximize", "minimize"]
        directions, sampler = both[:n_objectives], self.make(space, facts)
        try:
            study = optuna.create_study(directions=directions, sampler=sampler)
            if not sampler.draw_ahead(study, [0], space.suggest, (0,)):
                space.suggest(study.ask())
        except ValueError:
            return False
        return True

    def _count_problems(self, n_cells: int, arm: str, facts: Facts) -> Iterator[Problem]:
        """Of trials that are more, or in a grid fewer, than there are combinations."""
        trials, last = facts.trials, len(facts.trials) - 1
        if self.name == "brute-force":
            drawn = sum(trials) - sum(facts.promoted[1:])
            if drawn > n_cells:
                rule = f"must leave at most {n_cells} new trials in all, one per combination"
                yield Problem(f"stages.{last}.trials", rule, str(drawn))
            return
        listed = self.name == "listed"
        if last:
            noun = "a list" if listed else "a grid"
            yield Problem("stages", f"must be only one if the sampler is {noun}", str(len(trials)))
        elif trials[0] != n_cells:
            noun = "those listed" if listed else "the cells of the grid"
            where = f" of {arm}" if arm else ""
            yield Problem("stages.0.trials", f"must be {n_cells}, {noun}{where}", str(trials[0]))
