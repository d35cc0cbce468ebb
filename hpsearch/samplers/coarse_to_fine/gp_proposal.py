"""Whole configurations proposed by a Gaussian process, as functions of what is stored."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from hpsearch.samplers.coarse_to_fine.earlier import EVERY, Earlier
from hpsearch.samplers.coarse_to_fine.encoding import Encoding
from hpsearch.samplers.coarse_to_fine.pace import MIN_ELITES, Pace, Streams
from hpsearch.samplers.coarse_to_fine.pool import (
    Reach,
    around_branches,
    draw_candidates,
    place_row,
    row_keys,
)
from hpsearch.samplers.coarse_to_fine.priors import Priors
from hpsearch.samplers.coarse_to_fine.rules import Rule
from hpsearch.samplers.history import Observation, observe, pending
from hpsearch.samplers.related import Relations
from hpsearch.samplers.unit import Floats

# The model is loaded when it is first fitted: it takes SciPy, for which the first trials of a
# search, and whoever only looks at a finished one, would wait a second.
if TYPE_CHECKING:
    from hpsearch.samplers.coarse_to_fine.gp import Kernel
    from hpsearch.samplers.coarse_to_fine.model import Choice, Scores, Trend

CANDIDATES = 240  # for a batch of 2; 480 for 4, 720 for 8
POOLS = 5  # drawn at most, where relations leave few of their candidates
FEW = 32  # candidates drawn uniformly, where they leave none
ATTEMPTS = 20  # to find a configuration that was not tried
STALL_AFTER, LAST = 20, 10  # results
START = 15  # results whose median tells how much there was to gain
NOTHING_MORE = 0.02  # of that, brought by the last ones
LEAVES_EVERY = 2  # trials drawn one by one; of those drawn together the first
FAR = 0.25  # of a range
SecondsOf = Callable[[FrozenTrial], float | None]
State = tuple[tuple[int, int, int], ...]  # tells whether trials have changed


def n_candidates(batch: int, rule: Rule) -> int:
    """How many candidates a batch of this size is chosen from."""
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ValueError(f"batch must be a whole number of at least 1, got {batch!r}")
    return CANDIDATES * math.ceil(math.log2(batch)) if batch > 1 else rule.candidates


@dataclass(frozen=True)
class Situation:
    """What is stored when a trial is drawn.

    Attributes:
        study: its name.
        trials: those with lower numbers.
        seen: those of them that have a score, best first.
    """

    study: str
    number: int
    trials: Sequence[FrozenTrial]
    seen: Sequence[Observation]
    direction: StudyDirection


@dataclass(frozen=True)
class _Round:
    """What all members of a batch share: the same results have been seen.

    Attributes:
        first: number of the first member.
        best: row of the best trial where the search has stalled, else None.
    """

    first: int
    encoding: Encoding
    tried: frozenset[bytes]
    choice: Choice | None
    best: Floats | None = None


class GPProposals:
    """Proposes trial `number` from trials with lower numbers.

    The members of a batch are trials whose numbers follow each other and none of which has a
    score when the last is drawn. They are chosen one after the other from the same candidates;
    each draw goes through its batch from the first, so that it does not matter which of them
    are stored, and in which order they are asked for. Nothing but caches is kept.

    Args:
        batch: how many trials are asked for together.
        rule: how they are chosen.
        relations: what all proposals keep.
        priors: where good configurations are expected.
        earlier: studies to learn from.
        seconds: what a trial took; the expected improvement is weighed by a forecast of it. None:
            it is not weighed.
    """

    def __init__(
        self,
        streams: Streams,
        pace: Pace,
        batch: int,
        rule: Rule,
        relations: Relations | None = None,
        priors: Priors | None = None,
        earlier: Earlier | None = None,
        seconds: SecondsOf | None = None,
    ) -> None:
        self._priors, self._earlier = priors or Priors({}), earlier or Earlier(())
        self._streams, self._pace, self._batch, self._rule = streams, pace, batch, rule
        self._relations, self._seconds = relations, seconds
        self._n_candidates = n_candidates(batch, rule)
        self._round: tuple[Any, _Round] | None = None
        self._kernel: tuple[Any, Kernel] | None = None

    def propose(self, now: Situation, space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
        """The params of trial `now.number`, those that it is expected to have."""
        running = pending(now.trials)
        first = now.number
        while first - 1 in running:
            first -= 1
        shared = self._shared(now, space, first)
        encoding, choice, tried = shared.encoding, shared.choice, set(shared.tried)
        if choice is not None:
            choice.restart()
        for number in (n for n in running if n < first and running[n]):
            self._take(choice, tried, number, encoding.rows([running[number]])[0])
        for number in range(first, now.number):
            row = self._member(number, shared, tried)
            if not _agree(encoding.params(row), stored := running[number]):
                row = encoding.rows([stored])[0]
            self._take(choice, tried, number, row)
        return encoding.params(self._member(now.number, shared, tried))

    def _member(self, number: int, shared: _Round, tried: set[bytes]) -> Floats:
        encoding, choice = shared.encoding, shared.choice
        anywhere = number % 10 == 9 and number >= self._rule.anywhere_from
        if choice is not None and number >= self._pace.n_startup and not anywhere:
            return choice.next(self._away(number, shared, choice.pool))
        inside = self._rule.narrows(encoding.distributions)
        for attempt in range(ATTEMPTS):
            named = zip(encoding.names, encoding.distributions, strict=True)
            places = [self._place(number, name, d, attempt, inside) for name, d in named]
            known: Iterator[Sequence[float]] = iter(())
            if self._earlier and number < self._pace.n_startup and not attempt:
                beside_priors = self._priors and self._rule.prior_every == EVERY
                turn = 2 if beside_priors else 1  # priors draw trials 1, 4 and 7
                known = self._earlier.start(encoding, number, places, turn)
            for wanted in chain(known, [places]):
                row = place_row(encoding, wanted)
                if row_keys(row[None])[0] not in tried and self._keeps(encoding, row):
                    return row
        if self._relations is None or self._keeps(encoding, row):
            return row
        rng = self._streams.generator(number, "relations")
        return np.asarray(self._uniform(encoding, rng, 1)[0])

    def _away(self, number: int, shared: _Round, pool: Floats) -> NDArray[np.bool_] | None:
        """The candidates that a member has to be one of; None: any of them."""
        turn, rest = divmod(number, max(self._batch, LEAVES_EVERY))
        leaves = number == shared.first if self._batch > 1 else not rest
        if shared.best is None or not leaves:
            return None
        return away(shared.encoding, pool, shared.best, turn)

    def _keeps(self, encoding: Encoding, row: Floats) -> bool:
        return self._relations is None or self._relations.hold(encoding.params(row))

    def _uniform(self, encoding: Encoding, rng: np.random.Generator, n: int) -> Floats:
        """So many rows at most, drawn uniformly among those that keep the relations."""
        assert self._relations is not None
        return encoding.rows(self._relations.draw(rng, n))

    def _place(
        self, number: int, name: str, distribution: BaseDistribution, attempt: int, inside: bool
    ) -> float:
        """
        Args:
            inside: whether a first trial comes from the middle, where the rule says so.
        """
        starting = number < self._pace.n_startup
        if attempt:
            place = float(self._streams.generator(number, name, attempt).random())
        elif starting:
            place = self._streams.hypercube_place(number, name, self._pace.n_startup)
        else:
            place = float(self._streams.generator(number, name).random())
        if not starting:
            return place
        by_priors = self._priors.start(number, name, distribution, place, attempt)
        if by_priors is not None:
            return by_priors
        return self._rule.start(distribution, place) if inside else place

    def _take(self, choice: Choice | None, tried: set[bytes], number: int, row: Floats) -> None:
        tried.add(row_keys(row[None])[0])
        if choice is not None:
            choice.take(row, self._streams.generator(number, "pending"))

    def _shared(self, now: Situation, space: Mapping[str, BaseDistribution], first: int) -> _Round:
        seen = {o.number for o in now.seen}
        known = _state([t for t in now.trials if t.number in seen or t.state.is_finished()])
        starting = now.number if now.number < self._pace.n_startup else None
        key = (now.study, first, known, tuple(space.items()), starting)
        if self._round is None or self._round[0] != key:
            self._round = key, self._make_round(now, space, first)
        return self._round[1]

    def _make_round(
        self, now: Situation, space: Mapping[str, BaseDistribution], first: int
    ) -> _Round:
        running = pending(now.trials)
        settled = [t.params for t in now.trials if t.number not in running]
        # Startup trials may be drawn while others train: what has ended must not matter to them.
        starting = now.number < self._pace.n_startup
        encoding = Encoding(space, [t.params for t in now.trials] if starting else settled)
        tried = frozenset(row_keys(encoding.rows(settled)))
        usable = sum(o.usable for o in now.seen)
        if starting or usable < MIN_ELITES:
            return _Round(first, encoding, tried, None)
        from hpsearch.samplers.coarse_to_fine.model import Choice, Scores

        rng = self._streams.generator(first, len(now.seen), "candidates")
        scores = Scores(encoding, now.seen, rng, mixed=self._rule.mixed_targets)
        trust = self._priors.trust(encoding, now.seen) if self._priors else 0.0
        kernel = self._fitted(now, encoding)
        trend = self._earlier.trend(encoding, scores, kernel) if self._earlier else None
        pool = self._pool(encoding, now.seen, tried, rng, trust, trend)
        # Others may be asked for while a trial that was drawn alone is pending.
        joint = CANDIDATES if self._n_candidates > CANDIDATES and self._batch == 1 else len(pool)
        choice = Choice(encoding, kernel, scores, pool, rng, trend, joint=joint)
        if self._priors:
            choice.prefer(self._priors.preference(encoding, pool, trust, len(now.seen)))
        if self._seconds is not None:
            from hpsearch.samplers.coarse_to_fine.cost import cheapness

            choice.prefer(cheapness(encoding, self._costs(now), pool, scores.longest))
        best = None
        if self._rule.leaves_stalls and stalled(now.seen):
            best = encoding.rows([now.seen[0].params])[0]
        return _Round(first, encoding, tried, choice, best)

    def _costs(self, now: Situation) -> list[tuple[Observation, float]]:
        """The trials with a score whose seconds are known, with these, by number."""
        assert self._seconds is not None
        by_number = {one.number: one for one in now.seen if one.usable}
        found = ((by_number.get(t.number), self._seconds(t)) for t in now.trials)
        return [(one, took) for one, took in found if one is not None and took is not None]

    def _pool(
        self,
        encoding: Encoding,
        seen: Sequence[Observation],
        tried: frozenset[bytes],
        rng: np.random.Generator,
        trust: float,
        trend: Trend | None,
    ) -> Floats:
        """Candidates that were not tried; if all of them were, all."""
        n_seen = len(seen)
        elites = [o.params for o in seen[: self._pace.n_elites(n_seen)] if o.usable]
        reach = Reach(self._pace.width(n_seen), self._pace.mutation(n_seen))
        drawn = self._candidates(encoding, encoding.rows(elites), reach, rng, trust)
        if self._rule.branches:
            scored = encoding.rows([o.params for o in seen if o.usable])
            more = round(self._rule.branches * self._n_candidates)
            others = around_branches(encoding, scored, more, reach.width, rng)
            drawn = np.vstack([drawn, self._kept(encoding, others)])
        if trend is not None:
            known = self._kept(encoding, self._earlier.candidates(encoding, trend))
            drawn = np.vstack([drawn, known])
        unlike = dict(zip(row_keys(drawn), drawn, strict=True))
        fresh = [row for key, row in unlike.items() if key not in tried]
        return np.array(fresh or list(unlike.values()))

    def _candidates(
        self,
        encoding: Encoding,
        elites: Floats,
        reach: Reach,
        rng: np.random.Generator,
        trust: float,
    ) -> Floats:
        """Candidates; those of them that keep the relations, of several pools where few do."""
        n, priors = self._n_candidates, self._priors
        if self._relations is None:
            return draw_candidates(encoding, elites, n, reach, rng, priors=priors, trust=trust)
        kept = np.empty((0, len(encoding.names)))
        for _ in range(POOLS):
            rows = draw_candidates(encoding, elites, n, reach, rng, priors=priors, trust=trust)
            kept = np.vstack([kept, self._kept(encoding, rows)])
            if len(kept) >= n:
                break
        return kept[:n] if len(kept) else self._uniform(encoding, rng, FEW)

    def _kept(self, encoding: Encoding, rows: Floats) -> Floats:
        """Those rows that keep the relations."""
        if self._relations is None:
            return rows
        return rows[self._relations.hold_all(encoding.columns(rows))]

    def _kernel_for(self, encoding: Encoding, scores: Scores) -> Kernel:
        from hpsearch.samplers.coarse_to_fine.model import fit

        if self._earlier:  # main effects beside these made those that are useless cost more
            kernel = fit(encoding, scores, main_effects=False)
            if trend := self._earlier.trend(encoding, scores, kernel):
                return fit(encoding, scores, trend, main_effects=False)
        return fit(encoding, scores, main_effects=self._rule.main_effects)

    def _fitted(self, now: Situation, encoding: Encoding) -> Kernel:
        """Hyperparameters, fitted on the first trials: as many as there were at the last fit."""
        from hpsearch.samplers.coarse_to_fine.model import Scores, fitted_on

        numbers = sorted(o.number for o in now.seen)[: fitted_on(len(now.seen))]
        wanted = set(numbers)
        first = [t for t in now.trials if t.number in wanted]
        key = (
            now.study,
            _state(first),
            tuple(zip(encoding.names, encoding.distributions, strict=True)),
        )
        if self._kernel is None or self._kernel[0] != key:
            seen = observe(first, now.direction)
            if not any(o.usable for o in seen):
                seen = list(now.seen)
            rng = self._streams.generator(len(seen), "fit")
            scores = Scores(encoding, seen, rng, mixed=self._rule.mixed_targets)
            self._kernel = key, self._kernel_for(encoding, scores)
        return self._kernel[1]


def stalled(seen: Sequence[Observation]) -> bool:
    """Whether the last results have brought next to nothing, of what there was to gain.

    Args:
        seen: best first.
    """
    usable = [o.score for o in sorted(seen, key=lambda o: o.number) if o.usable]
    if len(usable) < STALL_AFTER:
        return False
    best, before = min(usable), min(usable[:-LAST])
    return bool(before - best < NOTHING_MORE * (np.median(usable[:START]) - best))


def away(encoding: Encoding, pool: Floats, best: Floats, turn: int) -> NDArray[np.bool_]:
    """Which candidates differ from the best trial: in a category on which others depend, by turns
    one of those; where all is numeric, by more than FAR in some parameter."""
    gates = encoding.gates()
    if not gates:
        return np.asarray(np.abs(pool - best).max(1) > FAR)
    gate = gates[turn % len(gates)]
    return np.asarray(pool[:, gate] != best[gate])


def _state(trials: Sequence[FrozenTrial]) -> State:
    return tuple((t.number, int(t.state), len(t.intermediate_values)) for t in trials)


def _agree(proposed: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Whether what is stored of a trial so far is what was proposed for it."""
    return all(stored[name] == value for name, value in proposed.items() if name in stored)
