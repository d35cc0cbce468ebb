"""Coarse-to-fine search as an Optuna sampler.

study = optuna.create_study(sampler=CoarseToFineSampler(seed=0))
study.optimize(objective, n_trials=100)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Literal, get_args

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from hpsearch.samplers.base import Narrowing, StudySampler
from hpsearch.samplers.coarse_to_fine.box import box_of, in_box
from hpsearch.samplers.coarse_to_fine.earlier import Earlier, EarlierStudy
from hpsearch.samplers.coarse_to_fine.encoding import fits
from hpsearch.samplers.coarse_to_fine.gp_proposal import GPProposals, SecondsOf, Situation
from hpsearch.samplers.coarse_to_fine.pace import MIN_ELITES, Pace, Streams
from hpsearch.samplers.coarse_to_fine.pool import rank_weights
from hpsearch.samplers.coarse_to_fine.priors import Prior, Priors
from hpsearch.samplers.coarse_to_fine.rules import NEWEST, Per, RuleVersion, rule_of
from hpsearch.samplers.history import (
    Observation,
    branch_of,
    clocked_seconds,
    in_branch,
    observe,
)
from hpsearch.samplers.related import Relations
from hpsearch.samplers.unit import Numeric, anywhere, from_unit, to_unit

REJECTIONS = 16  # draws of a Gaussian that may fall outside the range before it is clipped
Proposal = Literal["gp", "model-free", "random", "uniform"]


class CoarseToFineSampler(StudySampler):
    """Draws coarsely at first, then closer to the best trials, but never only there.

    The declared range stays the full one; narrowing is soft and internal to the sampler. After n
    trials, s = 1 + floor((n - n_startup) / narrow_every) narrowing steps are done (0 before
    n_startup):

        startup          Latin hypercube over the full ranges ("gp": their middle 60 %), uniform
                         in log space where log
        every 10th draw  the same over the full ranges, at random ("gp": from trial 60 on)
        "gp"             a small Gaussian process of all scores, training length included, chooses
                         from candidates: half of them anywhere, the others around elites; a third
                         more around the best trial of each value of a category on which others
                         depend. Once ten results have brought less than 2 % of the possible
                         gain, every second trial, or the first of a batch, must leave the best
                         trial: its category, in turn, or its neighbourhood
        "model-free"     parameter by parameter around elites:
          numeric        u = u_e + b N(0, 1), u_e an elite's place in unit (log) space, kept in
                         [0, 1];  b = max(floor, bandwidth * shrink^s)
          categorical    with probability max(.1, .4 shrink^s) any choice, else an elite's

    Elites are the best 15 %, at least 3 and at most 10, drawn with weight log(k + 1/2) -
    log(rank). Scores of shorter trainings are adjusted by the median difference that longer
    training made. "gp" never proposes the same configuration twice and takes running trials into
    account. Parameters that no earlier trial had are drawn by the model-free rule, whose elites
    have the same categorical values (a learning rate that suits SGD says nothing about Adam).

    A draw is a function of (seed, trial number, parameter) and of the trials with lower numbers
    stored at that time; the object keeps only caches, so restarts and other processes with the
    same seed draw the same.

    Args:
        seed: the seed for all draws; None: fresh entropy.
        proposal: "gp" and "model-free" as above; "random": the textbook rule, random draws, then
            uniform ones in a box around the best, at most half as wide after each narrowing
            step; "uniform": all draws at random, no narrowing.
        batch: number of trials asked for together; larger batches use more candidates.
        n_startup: trials before the first narrowing; None: 10, which beat 100 in our benchmarks,
            or 100 for "random".
        narrow_every: trials per narrowing step; None: as n_startup.
        shrink: factor of the bandwidth per step; None: .93 for "gp", .9 for "model-free". Faster
            shrinking locks in after 40 trials.
        bandwidth: the bandwidth at the start, in unit space.
        floor: the smallest bandwidth; a fiftieth of the range.
        top: fraction of the trials that are elites.
        rule: version of the "gp" proposal; 1 to 3 draw as older versions of hpsearch did.
        relations: constraints on configurations. The candidates of "gp" satisfy them; if
            parameters drawn one by one violate them together, the caller asks `redrawn` for
            others.
        priors: where parameters are expected to be good, by name; see Priors for how they count.
            "model-free" draws some of its first trials by them, no later ones.
        earlier: studies to learn from; see Earlier for how they count.
        per: what "gp" counts as cost. "second" divides the expected improvement by a power of
            the cost that is forecast from the parameters; see `cheapness`. Seconds are measured
            by a clock: the same seed draws the same again only from the same seconds.
        seconds: with "second", the seconds that a trial took, None where that is not known. By
            default the time from its start to its end.

    Raises:
        ValueError: used in a study with several objectives, or priors with the proposal "random"
            or "uniform", or earlier studies or per = "second" with another proposal than "gp";
            when it draws, a prior does not fit its parameter.

    Source: measured against TPE by benchmarks/bench_quality.py.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        proposal: Proposal = "gp",
        batch: int = 1,
        n_startup: int | None = None,
        narrow_every: int | None = None,
        shrink: float | None = None,
        bandwidth: float = 0.25,
        floor: float = 0.02,
        top: float = 0.15,
        rule: RuleVersion = NEWEST,
        relations: Relations | None = None,
        priors: Mapping[str, Prior] | None = None,
        earlier: Sequence[EarlierStudy] = (),
        per: Per = "trial",
        seconds: SecondsOf = clocked_seconds,
    ) -> None:
        if earlier and proposal != "gp":
            raise ValueError(f"earlier must be left out beside proposal = {proposal!r}")
        if per not in get_args(Per):
            raise ValueError(f"per must be one of {', '.join(get_args(Per))}, got {per!r}")
        if per == "second" and proposal != "gp":
            raise ValueError(f"per must be left out beside proposal = {proposal!r}")
        if priors and proposal in ("random", "uniform"):
            raise ValueError(f"priors must be left out beside proposal = {proposal!r}")
        if proposal not in get_args(Proposal):
            known = ", ".join(get_args(Proposal))
            raise ValueError(f"proposal must be one of {known}, got {proposal!r}")
        self._proposal = proposal
        startup = n_startup if n_startup is not None else 100 if proposal == "random" else 10
        self._pace = Pace(
            n_startup=startup,
            narrow_every=max(1, startup) if narrow_every is None else narrow_every,
            shrink=shrink if shrink is not None else 0.93 if proposal == "gp" else 0.9,
            bandwidth=bandwidth,
            floor=floor,
            top=top,
        )
        self._streams = Streams(np.random.SeedSequence().entropy if seed is None else seed)
        self._batch, self._rule, self._relations = batch, rule_of(rule), relations
        # Versions are of "gp" alone; the other proposals start as the first one does.
        self._start = self._rule if proposal == "gp" else rule_of(1)
        self._priors = Priors(priors or {}, self._start.prior_every)
        self._earlier = Earlier(earlier)
        self._seconds = seconds if per == "second" else None
        self._attempt = 0  # of a draw that broke a relation
        self._gp = self._proposals()
        self._situation: tuple[tuple[str, int], Situation] | None = None  # of the last trial

    def redrawn(self, attempt: int) -> CoarseToFineSampler:
        again = copy(self)
        again._streams = Streams((self._streams.seed, attempt))
        again._gp, again._attempt = again._proposals(), attempt
        return again

    def _proposals(self) -> GPProposals:
        return GPProposals(
            self._streams,
            self._pace,
            self._batch,
            self._rule,
            self._relations,
            self._priors,
            self._earlier,
            self._seconds,
        )

    def ignores_results(self, number: int) -> bool:
        return self._proposal == "uniform" or number < self._pace.n_startup

    def reseed_rng(self) -> None:
        """Nothing to do: draws follow from the trial's number, which no two workers share."""

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        self._raise_error_if_multi_objective(study)
        if self._proposal != "gp":
            return {}
        known: dict[str, BaseDistribution] = {}
        for earlier in self._now(study, trial).trials:
            known |= earlier.distributions
        return {name: known[name] for name in sorted(known) if not known[name].single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._raise_error_if_multi_objective(study)
        if self._proposal != "gp" or not search_space:
            return {}
        return self._gp.propose(self._now(study, trial), search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        self._raise_error_if_multi_objective(study)
        name, distribution, pace = param_name, param_distribution, self._pace
        rng = self._streams.generator(trial.number, name)
        if self._proposal == "uniform":
            return anywhere(distribution, rng.random())
        if trial.number < pace.n_startup:
            if self._proposal == "random":
                return anywhere(distribution, rng.random())
            place = self._streams.hypercube_place(trial.number, name, pace.n_startup)
            wanted = self._priors.start(trial.number, name, distribution, place, self._attempt)
            if wanted is None:
                wanted = self._start.start(distribution, place)
            return anywhere(distribution, wanted)
        now = self._now(study, trial)
        if self._proposal == "random":
            return self._from_box(now, name, distribution, rng)
        elites = self._elites(now.seen, name, distribution, branch_of(trial))
        global_from = self._rule.anywhere_from if self._proposal == "gp" else 0
        if not elites or (trial.number % 10 == 9 and trial.number >= global_from):
            return anywhere(distribution, rng.random())
        return self._near(distribution, [o.params[name] for o in elites], len(now.seen), rng)

    def narrowed(
        self,
        trials: Sequence[FrozenTrial],
        direction: StudyDirection,
        name: str,
        distribution: BaseDistribution,
        branch: dict[str, Any],
    ) -> Narrowing | None:
        seen = observe(trials, direction)
        elites = self._elites(seen, name, distribution, branch)
        if not elites or len(seen) < self._pace.n_startup or self._proposal == "uniform":
            return None
        values = [o.params[name] for o in elites]
        low = high = weights = None
        if isinstance(distribution, CategoricalDistribution):
            p = self._choice_weights(distribution, values, len(seen))
            weights = {
                str(c): round(float(w), 4) for c, w in zip(distribution.choices, p, strict=True)
            }
            share = float(np.exp(-np.sum(p * np.log(p, where=p > 0, out=np.zeros_like(p)))))
            share /= len(p)
        else:
            below, above = self._reached(distribution, values, len(seen))
            share = above - below
            low, high = (from_unit(distribution, u) for u in (below, above))  # type: ignore[arg-type]
        survivors = tuple(o.number for o in elites)
        return Narrowing(name, branch, low, high, weights, share, survivors)

    def _now(self, study: Study, trial: FrozenTrial) -> Situation:
        # A trial is asked for several parameters in a row, from the same history.
        key, last = (study.study_name, trial.number), self._situation
        if last is None or last[0] != key:
            trials = [t for t in study.get_trials(deepcopy=False) if t.number < trial.number]
            seen = observe(trials, study.direction)
            now = Situation(study.study_name, trial.number, trials, seen, study.direction)
            last = self._situation = (key, now)
        return last[1]

    def _elites(
        self,
        seen: Sequence[Observation],
        name: str,
        distribution: BaseDistribution,
        branch: dict[str, Any],
    ) -> list[Observation]:
        """The best usable trials of the branch that have the parameter; none if too few."""
        others = {k: v for k, v in branch.items() if k != name}
        family = [
            o
            for o in seen
            if name in o.params and in_branch(o, others) and fits(distribution, o.params[name])
        ]
        usable = [o for o in family if o.usable]
        return usable[: self._pace.n_elites(len(family))] if len(usable) >= MIN_ELITES else []

    def _from_box(
        self,
        now: Situation,
        name: str,
        distribution: BaseDistribution,
        rng: np.random.Generator,
    ) -> Any:
        """A uniform draw in the box of the last narrowing step."""
        steps = self._pace.steps(now.number)
        until = self._pace.n_startup + (steps - 1) * self._pace.narrow_every
        trials = [t for t in now.trials if t.number < until]
        elites = self._elites(observe(trials, now.direction), name, distribution, {})
        if not elites:
            return anywhere(distribution, rng.random())
        values = [o.params[name] for o in elites]
        return in_box(
            distribution, box_of(distribution, values, steps, self._pace.floor), rng.random()
        )

    def _reached(
        self, distribution: BaseDistribution, values: list[Any], n_seen: int
    ) -> tuple[float, float]:
        """Where draws of a numeric parameter fall, in unit space."""
        if self._proposal == "random":
            steps = self._pace.steps(n_seen)
            return box_of(distribution, values, steps, self._pace.floor)  # type: ignore[return-value]
        places = [to_unit(distribution, v) for v in values]  # type: ignore[arg-type]
        reach = 2 * self._pace.width(n_seen)
        return max(0.0, min(places) - reach), min(1.0, max(places) + reach)

    def _near(
        self,
        distribution: BaseDistribution,
        values: list[Any],
        n_seen: int,
        rng: np.random.Generator,
    ) -> Any:
        """A draw around the elites' values, which come best first."""
        if isinstance(distribution, CategoricalDistribution):
            p = self._choice_weights(distribution, values, n_seen)
            return distribution.choices[int(rng.choice(len(p), p=p))]
        assert isinstance(distribution, Numeric)
        chosen = int(rng.choice(len(values), p=rank_weights(len(values))))
        center = to_unit(distribution, values[chosen])
        for place in center + self._pace.width(n_seen) * rng.standard_normal(REJECTIONS):
            if 0 <= place <= 1:
                return from_unit(distribution, float(place))
        return from_unit(distribution, center)

    def _choice_weights(
        self, distribution: CategoricalDistribution, values: list[Any], n_seen: int
    ) -> Any:
        """Probability of each choice, (number of choices,)."""
        if self._proposal == "random":
            left = box_of(distribution, values, 0, 0.0)
            return np.array([choice in left for choice in distribution.choices]) / len(left)
        anything = self._pace.mutation(n_seen)
        p = np.full(len(distribution.choices), anything / len(distribution.choices))
        for value, weight in zip(values, rank_weights(len(values)), strict=True):
            p[distribution.choices.index(value)] += (1 - anything) * weight
        return p / p.sum()
