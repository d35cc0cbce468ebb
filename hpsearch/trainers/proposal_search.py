"""A search over learning rates and directions in every iteration, the first proposed trainer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from hpsearch.hyperparameters import ParamValue, build
from hpsearch.nn.base import Array
from hpsearch.optimizers import SGD
from hpsearch.trainers.backprop import Backprop
from hpsearch.trainers.base import (
    CHAINS_OF_AFFINE_LAYERS,
    EVALUATION_CHUNK,
    Indices,
    Member,
    NetworkLimits,
    TrainingData,
)
from hpsearch.trainers.candidate_losses import CandidateLosses, Images
from hpsearch.trainers.inputs import Reduction
from hpsearch.trainers.live_inputs import LiveInputs
from hpsearch.trainers.proposal_rules import (
    CandidateGroup,
    Mask,
    ProposalSettings,
    Rules,
    candidate_groups,
    shape,
)
from hpsearch.trainers.settings import BackpropSettings
from hpsearch.trainers.span import Span
from hpsearch.trainers.updates import Update


class ProposalSearch(Backprop):
    """Of the steps W - s g that a few learning rates give, take the one with the least loss.

    g is the gradient of the mini-batch and L0 its loss at W, S the set of rates. In an iteration:

    1. Where the loss has come down to `handover_loss`, the step is SGD's, s = lr; go to 4 with
       L = L0. `handover_rule`: it is L0, or L' of 2, and is tested every time; or latched.
    2. The candidates are s = r (descent) and s = -r (ascent) for r in S; each has a loss. The
       constraint is that it be below L', the loss of the iteration before (at first infinite).
       Step 1: if some descent candidate meets it, or no candidate at all, descent remains.
       Step 2: if ascent candidates alone meet it, ascent remains.
    3. The step is that of the remaining candidate with the least loss L.
    4. If equation (1) holds, e.g. L > 0.37, momentum: v <- a v - s g, W <- W + v.
    5. L' <- L.

    What else these may be, by hyperparameter:

        candidate_loss    L0 and L on the mini-batch, or on the whole training set
        previous_loss     L' is the L chosen before; L0 of this iteration; L0 of the one before;
                          or the loss where momentum led, if it was applied (else L)
        direction_rule    steps 1 and 2 (where ascent remains it is always the better one: its
                          loss is below L', descent's is not); the least loss; descent alone
        momentum_rule     equation (1) with L, |L - L'|, L - L' or L / L'
        momentum_step     W + v from the candidate, or from W instead of the candidate's step
        momentum_rate     v takes the chosen rate, or the base rate in the chosen direction
        momentum_gradient g, or for an extra step the mini-batch's gradient at the candidate
        velocity_moves    v changes where momentum is applied, or in every iteration
        velocity_reset    v <- 0 in an iteration in which momentum is not applied
        momentum_during_handover   whether 4 is for SGD's steps too; if not, they leave v alone

    A candidate whose loss is no number loses against all others; of equals the first counts, in
    S's order, and descent. The loss is the network's, whatever it is; the defaults 0.3 and 0.37
    are meant for softmax cross-entropy in nats. There is no weight decay: the document has none,
    and a candidate's loss would have to include it. A policy moves lr and with it its multiples.

    Passes are counted as the plain method makes them: one forward for each candidate, gradient
    and loss, each of a mini-batch; the training set counts as the mini-batches of an epoch.

    Source: papers/000 of the project's documents, Figure 1 and equation (1). All steps are sums of
    gradients, so that training stays in the span of the images (trainers.inputs).

    Raises:
        ValueError: the network is not affine layers with activations between.
    """

    components: ClassVar[tuple[type, ...]] = (ProposalSettings, BackpropSettings)
    # Losses of candidates are functions of the weights alone, without statistics or masks.
    networks: ClassVar[NetworkLimits | None] = CHAINS_OF_AFFINE_LAYERS

    def __init__(self, members: Sequence[Member], data: TrainingData, *, n_epochs: int) -> None:
        for member in members:
            self.check_network(member.params)
        super().__init__(members, data, n_epochs=n_epochs)
        self._candidates = CandidateLosses(self._network)
        self._trained = np.stack([split.train for split in self._splits])
        rows = [build(ProposalSettings, members[i].params) for i in self._order]
        whole = np.array([s.on_training_set for s in rows])
        # L0 of the mini-batch comes with its gradient.
        self._needs_start = whole & [s.needs_start for s in rows]
        self._n_candidates = np.array([s.n_rates * s.n_directions for s in rows])
        self._loss_passes = np.where(whole, -(-self._trained.shape[1] // self._batch_size), 1)

    @classmethod
    def variant(
        cls, params: Mapping[str, ParamValue], data: TrainingData
    ) -> type[Reduction] | None:
        return next((kind for kind in (Span, LiveInputs) if kind.worthwhile(data)), None)

    @classmethod
    def _place(cls, member: Member) -> Any:
        """Members whose candidates make arrays of one shape stand side by side."""
        return shape(build(ProposalSettings, member.params))

    def _group(self, rows: Sequence[Member]) -> Iterator[Update]:
        settings = [build(ProposalSettings, member.params) for member in rows]
        self._rules = Rules(settings, self._dtype)
        self._groups = list(candidate_groups(settings, self._dtype))
        n = len(rows)
        self._slots = {
            "velocity": np.zeros_like(self._network.w),
            "previous_loss": np.full(n, np.inf, self._dtype),
            "latched": np.zeros(n, bool),
            "passes": np.zeros((n, 2), np.int64),
        }
        base = np.array([[s.learning_rate] for s in settings], self._dtype)
        yield Update(SGD, slice(0, n), self._slots, {"learning_rate": base})

    def _update(self, x: Array, labels: Indices) -> None:
        rules, slots = self._rules, self._slots
        self._rates.move_to(self._step)
        self._step += 1
        start = self._start_loss(x, labels)
        same = rules.which("previous_loss", "same-batch")
        previous = np.where(same, start, slots["previous_loss"])
        over = rules.handed_over(start, previous, slots["latched"])
        step, loss = self._chosen(labels, start, previous, over)
        applied = rules.applies_momentum(loss, previous, over)
        again = self._step_and_momentum(x, labels, step, applied, over)
        after = applied & rules.which("previous_loss", "after-momentum")
        if after.any():
            np.copyto(loss, self._loss_now(x, labels, after), where=after)
        of_start = rules.which("previous_loss", "previous-start")
        slots["previous_loss"][...] = np.where(of_start, start, loss)
        self._count(over, again, after)

    def _start_loss(self, x: Array, labels: Indices) -> Array:
        """L0, (P,); the mini-batch's gradient and first pre-activations are kept."""
        n_hidden = self._candidates.first.n_out
        self._first = self._buffers.get("first", (*labels.shape, n_hidden), self._network.w)
        start = self._network.loss_and_gradient(x, labels, first=self._first)
        for group in self._groups:
            if group.on_training_set and self._needs_start[group.rows].any():
                start[group.rows] = self._training_set_loss(group.rows)
        return start

    def _training_set_loss(self, rows: slice) -> Array:
        still = np.zeros((rows.stop - rows.start, 1), self._dtype)
        return self._candidates.over(self._portions(rows), still, rows)[:, 0]

    def _portions(self, rows: slice) -> Iterator[Images]:
        """The whole training set of the members in these rows."""
        for start in range(0, self._trained.shape[1], EVALUATION_CHUNK):
            which = self._trained[rows, start : start + EVALUATION_CHUNK]
            x = self._buffers.get("portion", (*which.shape, self._data.n_inputs), self._network.w)
            yield self._data.batch(which, x), self._data.labels[which]

    def _chosen(
        self, labels: Indices, start: Array, previous: Array, over: Mask
    ) -> tuple[Array, Array]:
        """The step s of each member, (P,), and the loss L it leads to."""
        base = self._rates.now[:, 0]
        steps = np.stack([base, base])  # of descent and of ascent
        least = np.full_like(steps, np.inf)
        for group in self._groups:
            rows = group.rows
            if over[rows].all():
                continue
            tried = group.steps(self._rates.now[rows])
            losses = self._candidate_losses(group, tried, labels)
            losses[np.isnan(losses)] = np.inf
            each = np.arange(len(losses))
            for direction, part in enumerate(group.directions):
                best = part.start + losses[:, part].argmin(axis=1)
                steps[direction, rows], least[direction, rows] = (
                    tried[each, best],
                    losses[each, best],
                )
        ascends = self._rules.ascends(least[0], least[1], previous)
        step = np.where(over, base, np.where(ascends, steps[1], steps[0]))
        return step, np.where(over, start, np.where(ascends, least[1], least[0]))

    def _candidate_losses(self, group: CandidateGroup, steps: Array, labels: Indices) -> Array:
        rows = group.rows
        if group.on_training_set:
            return self._candidates.over(self._portions(rows), steps, rows)
        slope = self._candidates.slopes(self._candidates.first.x[rows], rows)
        return self._candidates.of(self._first[rows], slope, labels[rows], steps, rows)

    def _step_and_momentum(
        self, x: Array, labels: Indices, step: Array, applied: Mask, over: Mask
    ) -> Mask:
        """Move the weights by each member's step and momentum; who needed a second gradient."""
        rules, network, v = self._rules, self._network, self._slots["velocity"]
        instead = rules.which("momentum_step", "instead")
        self._add(network.w, -np.where(applied & instead, 0, step))
        reset = rules.which("velocity_reset", True) & ~applied
        allowed = ~over | rules.which("momentum_during_handover", True)
        moves = applied | (rules.which("velocity_moves", "always") & allowed & ~reset)
        again = moves & rules.which("momentum_gradient", "again") & ~instead
        if not (moves | reset).any():
            return again
        v *= _column(np.where(reset, 0, np.where(moves, rules.momentum, 1)), v)
        base = np.copysign(self._rates.now[:, 0], step)
        rate = -np.where(rules.which("momentum_rate", "base"), base, step)
        self._add(v, rate, moves & ~again)
        if again.any():
            network.gradient(x, labels)
            self._add(v, rate, again)
        np.add(network.w, v, out=network.w, where=applied[:, None])
        return again

    def _add(self, to: Array, factor: Array, where: Mask | None = None) -> None:
        """to <- to + factor g, of all members or of some."""
        moved = np.multiply(self._network.g, _column(factor, to), out=self._scratch)
        np.add(to, moved, out=to, where=True if where is None else where[:, None])

    def _loss_now(self, x: Array, labels: Indices, wanted: Mask) -> Array:
        loss = self._network.mean_loss(x, labels)
        for group in self._groups:
            if group.on_training_set and wanted[group.rows].any():
                loss[group.rows] = self._training_set_loss(group.rows)
        return loss

    def _count(self, over: Mask, again: Mask, after: Mask) -> None:
        forward, backward = self._slots["passes"].T
        forward += 1 + again
        forward += self._loss_passes * (~over * self._n_candidates + after + self._needs_start)
        backward += 1 + again

    def passes(self, row: int) -> tuple[int, int] | None:
        forward, backward = self._slots["passes"][self._order.index(row)]
        return int(forward), int(backward)


def _column(values: Array, like: Array) -> Array:
    return values.astype(like.dtype)[:, None]
