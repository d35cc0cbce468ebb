"""Mini-batch training by backpropagation, for all optimizers."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hpsearch.hyperparameters import ParamValue, build
from hpsearch.learning_rates import LearningRates
from hpsearch.nn import Affine, Architecture
from hpsearch.nn.base import Array, Buffers
from hpsearch.nn.fitted import FittedNetwork
from hpsearch.nn.losses import ClassLoss, Labels, scored_columns
from hpsearch.nn.networks import Added
from hpsearch.nn.targets import AS_THEY_ARE, Targets
from hpsearch.optimizers import OPTIMIZERS, Optimizer
from hpsearch.trainers.answers import GivenAnswers
from hpsearch.trainers.base import (
    EVERY_EPOCH,
    Around,
    Indices,
    Member,
    Progress,
    Schedule,
    Split,
    Trainer,
    TrainingData,
)
from hpsearch.trainers.inputs import Reduction
from hpsearch.trainers.live_inputs import LiveFirst, LiveInputs
from hpsearch.trainers.settings import BackpropSettings, network_of, policy_of, streams_of
from hpsearch.trainers.span import Span
from hpsearch.trainers.updates import Update, updates
from hpsearch.trainers.weight_decay import PopulationDecay, WeightDecay


class Backprop(Trainer):
    """Shuffled mini-batches, one pass over the training rows an epoch, all members in step.

    Each member shuffles by its own stream. Rows are sorted by optimizer, so that each
    optimizer updates one slice of the flat weights. The last mini-batch of a pass may be short.
    With `epoch_iterations` an epoch is so many mini-batches, and passes go on across epochs.
    Where the training images allow it, the same network is trained with far fewer first-layer
    weights (trainers.inputs).

    Numbers are predicted by one output, which each member learns with mean 0 and deviation 1 over
    its own training rows (nn.targets); scores are in the units of the data.

    Raises:
        ValueError: the members are not of one `variant`.
    """

    uses_network = True
    components: ClassVar[tuple[type, ...]] = (BackpropSettings, WeightDecay)
    rotatable: ClassVar[bool] = True  # its gradient in rotated coordinates is the rotated one

    def __init__(self, members: Sequence[Member], data: TrainingData, *, n_epochs: int) -> None:
        # order[r] is the member in row r; Progress and state() speak of members, not of rows.
        self._order = sorted(range(len(members)), key=lambda i: self._place(members[i]))
        rows = self._members = [members[i] for i in self._order]
        self._given = data
        settings = build(BackpropSettings, rows[0].params)
        self._batch_size = settings.batch_size
        self._dtype = np.dtype(settings.dtype)
        kind = self._one_variant(rows, data)
        self._reduction = kind.of(data, self._dtype) if kind else None
        self._data = self._reduction.data if self._reduction else data
        self._splits = [data.splits[member.split] for member in rows]
        # How much each row counts in the loss, 1 on average over a member's training rows, (P, N).
        self._weights = _loss_weights(data, self._splits, self._dtype) if data.weighted else None
        self._batch_weights: Array | None = None  # of one mini-batch, (P, B)
        self._targets = None
        if not data.n_classes:
            weights = [data.training_weights(split) for split in self._splits]
            self._targets = Targets(data.labels, [s.train for s in self._splits], weights)
        self._streams = [
            streams_of(member.params)(member, split.train, data.labels)
            for member, split in zip(rows, self._splits, strict=True)
        ]
        self._epoch, self._step = 0, 0
        self._pass_batches = -(-len(self._splits[0].train) // self._batch_size)
        self._n_batches = settings.epoch_iterations or self._pass_batches
        # The training rows in this pass's order, (P, n_train).
        self._pass: Indices = np.empty((len(rows), len(self._splits[0].train)), np.intp)
        self._pass_starts: list[Any] = []  # the streams before they drew it
        self._at = 0  # mini-batches of this pass that are done
        self._buffers = Buffers()
        self._portion = network_of(rows[0].params).images_scored_together
        self._with_ones = network_of(rows[0].params).first_is_affine
        self._scored = self._reduction.scored if self._reduction else data
        self._network = network_of(rows[0].params).build(
            self._scored.n_inputs,
            data.n_classes,
            len(rows),
            self._dtype,
            with_scale=self._reduction is not None and self._reduction.scales,
        )
        decays = [build(WeightDecay, member.params) for member in rows]
        self._decay = PopulationDecay(decays, self._network)
        self._scratch = np.empty_like(self._network.w)
        self._updates = list(self._group(rows))
        self._rates = self._learning_rates(rows, n_epochs)
        # What the inputs left out add to the first layer, by member and portion of images.
        self._fixed: list[list[Added] | None] = [None] * len(rows)
        for row, member in enumerate(rows):
            self._start(row, network_of(member.params), data)
            if member.state is not None:
                self._restore(row, member.state)
        if self._at:
            self._begin_pass()

    @classmethod
    def _place(cls, member: Member) -> Any:
        """What rows are sorted by: members with equal ones stand side by side."""
        return str(member.params["trainer"])

    def _start(self, row: int, described: Architecture, data: TrainingData) -> None:
        """Member `row`'s initial weights, drawn for all inputs whether reduced or not."""
        network, streams = self._network, self._streams[row]
        described.set_member(network, row, streams.masks)
        if self._reduction is None:
            described.initialize(network, row, streams.weights)
            return
        whole = described.build(data.n_inputs, data.n_classes, 1, self._dtype)
        described.initialize(whole, 0, streams.weights)
        first, narrow = whole.layers[0], network.layers[0]
        assert isinstance(first, Affine)
        assert isinstance(narrow, Affine)
        narrow.w[row], self._fixed[row] = self._reduction.split(first.w[0], data)
        narrow.b[row] = first.b[0]
        narrow.train_inputs(self._data.n_inputs)
        n_rest = whole.w.shape[1] - first.n_params
        network.w[row, narrow.n_params : narrow.n_params + n_rest] = whole.w[0, first.n_params :]
        if network.scale is not None:
            network.scale[row] = 1

    @classmethod
    def optimizer_of(cls, params: Mapping[str, ParamValue]) -> type[Optimizer]:
        """What moves the weights along the gradient."""
        return OPTIMIZERS[str(params["trainer"])]

    @classmethod
    def variant(
        cls, params: Mapping[str, ParamValue], data: TrainingData
    ) -> type[Reduction] | None:
        """How its inputs are reduced; None: not at all."""
        optimizer, decay = cls.optimizer_of(params), build(WeightDecay, params)
        if not network_of(params).first_is_affine:
            return None
        if not decay.scales(optimizer):
            return LiveFirst if cls.rotatable and LiveFirst.worthwhile(data) else None
        if cls.rotatable and optimizer.rotation_invariant and Span.worthwhile(data):
            return Span
        return LiveInputs if LiveInputs.worthwhile(data) else None

    @classmethod
    def _one_variant(cls, members: Sequence[Member], data: TrainingData) -> type[Reduction] | None:
        variants = {cls.variant(member.params, data) for member in members}
        if len(variants) > 1:
            names = sorted(v.__name__ if v else "None" for v in variants)
            raise ValueError(
                f"members of a population must have one variant, got {', '.join(names)}: "
                "group them by Backprop.variant"
            )
        return variants.pop()

    @classmethod
    def population_limit(
        cls, params: Mapping[str, ParamValue], data: TrainingData, *, cache_bytes: int
    ) -> int:
        described, reduction = network_of(params), cls.variant(params, data)
        if described.trains_alone:
            return 1
        narrower = reduction is not None and reduction.scales
        n_inputs = reduction.width(data) if reduction and narrower else data.n_inputs
        network = described.build(n_inputs, data.n_classes, 0, np.float32)
        n = network.w.shape[1]
        # Weights and gradients stay in the cache.
        itemsize = np.dtype(build(BackpropSettings, params).dtype).itemsize
        limit = cache_bytes // (2 * itemsize * n)
        if narrower:
            first = network.layers[0]
            assert isinstance(first, Affine)
            limit = min(limit, FIXED_BYTES // (itemsize * first.n_out * data.n_scored))
        return int(np.clip(limit, 1, MAX_POPULATION))

    def _group(self, rows: Sequence[Member]) -> Iterator[Update]:
        return updates(rows, self.optimizer_of, self._network.w)

    def _learning_rates(self, rows: Sequence[Member], n_epochs: int) -> LearningRates:
        """The rates of all members, of which every optimizer gets its rows as a view."""
        base = np.concatenate([u.columns["learning_rate"] for u in self._updates])
        policies = [policy_of(member.params) for member in rows]
        rates = LearningRates(base, policies, horizon=n_epochs * self._n_batches)
        for u in self._updates:
            u.columns["learning_rate"] = rates.now[u.rows]
        return rates

    def run(
        self, until: int, schedule: Schedule = EVERY_EPOCH, around: Around = nullcontext
    ) -> Iterator[Progress]:
        with np.errstate(all="ignore"):  # a diverging member overflows; it is reported instead
            while self._epoch < until:
                with around():
                    self._train_epoch()
                if schedule.due(self._epoch, until):
                    yield self._progress()
                else:
                    yield Progress(self._epoch, {}, np.zeros(len(self._order), bool))

    def _train_epoch(self) -> None:
        data = self._data
        for _ in range(self._n_batches):
            if self._at == 0:
                self._begin_pass()
            start = self._at * self._batch_size
            rows = self._pass[:, start : start + self._batch_size]
            x = self._buffers.get("x", (*rows.shape, data.n_inputs), self._network.w)
            if self._weights is not None:
                self._batch_weights = np.take_along_axis(self._weights, rows, axis=1)
            self._update(data.batch(rows, x), self._learned(rows))
            self._at = (self._at + 1) % self._pass_batches
        self._epoch += 1

    def _learned(self, rows: Indices) -> Labels:
        """What the network is to say of one mini-batch a member, (P, B)."""
        if self._targets is None:
            return self._data.labels.take(rows)
        return self._targets.standardised(rows, self._dtype)

    def _begin_pass(self) -> None:
        if self._n_batches != self._pass_batches:  # else no epoch ends within a pass
            self._pass_starts = [streams.state() for streams in self._streams]
        for order, streams in zip(self._pass, self._streams, strict=True):
            order[...] = streams.order()

    def _update(self, x: Array, labels: Labels) -> None:
        """One step of every member on its own mini-batch, (P, B, D) and (P, B)."""
        self._network.gradient(x, labels, self._batch_weights)
        self._move()

    def _move(self) -> None:
        """One step of every member's optimizer with the network's gradient."""
        network = self._network
        self._rates.move_to(self._step)
        self._decay.add_gradients()
        self._decay.shrink(self._rates.now)
        self._step += 1
        with np.errstate():  # whose end gives the size of the buffer back
            np.setbufsize(SMALL_BUFFER)
            for u in self._updates:
                u.optimizer.update(
                    network.w[u.rows],
                    network.g[u.rows],
                    u.slots,
                    u.columns,
                    step=self._step,
                    scratch=self._scratch[u.rows],
                )

    def _progress(self) -> Progress:
        found = self._scored_rows()
        metrics = {
            f"{part}_{name}": np.empty(len(self._order))
            for part in self._splits[0].parts()
            for name in found
        }
        for row, member in enumerate(self._order):
            for part, rows in self._splits[row].parts().items():
                indices = self._data.places(rows)
                for name, values in found.items():
                    metrics[f"{part}_{name}"][member] = self._given.mean(
                        values[row, indices], rows
                    )
        first = next(iter(found))
        diverged = ~np.isfinite(metrics[f"train_{first}"])
        diverged |= ~np.isfinite(metrics[f"validation_{first}"])
        if self._targets is not None:
            metrics |= self._explained(metrics)
        return Progress(self._epoch, metrics, diverged)

    def _explained(self, metrics: Mapping[str, Array]) -> dict[str, NDArray[np.float64]]:
        """R^2 of every part, from its mean squared errors; NaN where all numbers are equal."""
        r2 = {f"{part}_r2": np.full(len(self._order), np.nan) for part in self._splits[0].parts()}
        for row, member in enumerate(self._order):
            for part, rows in self._splits[row].parts().items():
                true, mean = self._data.labels[rows], self._given.mean
                if np.ptp(true) > 0:  # the variance of equal numbers may be above 0 by rounding
                    variance = mean(np.square(true - mean(true, rows)), rows)
                    r2[f"{part}_r2"][member] = 1 - metrics[f"{part}_mse"][member] / variance
        return r2

    def predictions(self, row: int) -> NDArray[np.int64] | None:
        if self._targets is not None:
            return None
        index = self._order.index(row)
        predicted = np.concatenate(
            [self._logits(index, i, x).argmax(axis=0) for i, (_, x) in enumerate(self._chunks())]
        )
        places = self._data.places(self._splits[index].validation)
        scored: NDArray[np.int64] = predicted[places]
        return scored

    def answers(self, row: int, part: str) -> GivenAnswers:
        index = self._order.index(row)
        places = self._data.places(self._splits[index].parts()[part])
        if self._targets is not None:
            return GivenAnswers(self._numbers(index)[places])
        logits = np.concatenate(
            [self._logits(index, i, x).copy() for i, (_, x) in enumerate(self._chunks())], axis=1
        )
        return GivenAnswers.of_outputs(logits[:, places].T, self._network.loss.softmax)

    def _scored_rows(self) -> dict[str, NDArray[Any]]:
        """By score, what each member has of each scored row, (P, N); first what it lessens."""
        if self._targets is None:
            hits, losses = self._evaluate()
            return {"loss": losses, "accuracy": hits}
        labels = self._data.labels
        labels = labels if self._data.scored is None else labels[self._data.scored]
        told = np.stack([self._numbers(row) for row in range(len(self._order))])
        return {"mse": np.square(told - labels)}

    def _evaluate(self) -> tuple[NDArray[np.bool_], Array]:
        """Whether each member has each scored image right, and its loss, both (P, N)."""
        loss = self._network.loss
        assert isinstance(loss, ClassLoss)
        n_members, labels = len(self._order), self._data.labels
        labels = labels if self._data.scored is None else labels[self._data.scored]
        hits = np.empty((n_members, len(labels)), bool)
        losses = np.empty((n_members, len(labels)))
        for number, (part, x) in enumerate(self._chunks()):
            logits = np.empty((n_members, self._data.n_classes, x.shape[1]), self._dtype)
            for row in range(n_members):
                logits[row] = self._logits(row, number, x)
            hits[:, part], losses[:, part] = scored_columns(logits, labels[part], loss)
        return hits, losses

    def _numbers(self, index: int) -> NDArray[np.float64]:
        """What the member in this row predicts for every scored row, (N,), in the data's units."""
        assert self._targets is not None
        outputs = [self._logits(index, i, x)[0].copy() for i, (_, x) in enumerate(self._chunks())]
        return self._targets.scales[index].in_units(np.concatenate(outputs))

    def _chunks(self) -> Iterator[tuple[slice, Array]]:
        """Scored images in portions: their places, and they as columns (D, C) or (D + 1, C)."""
        start = 0
        for x in self._scored.columns(self._dtype, with_ones=self._with_ones):
            yield slice(start, start + x.shape[1]), x
            start += x.shape[1]

    def _logits(self, row: int, number: int, x: Array) -> Array:
        """Logits (K, C) of x, portion `number` of `_chunks`; valid until the next call."""
        fixed, n = self._fixed[row], self._portion
        if fixed is None and n < x.shape[1]:
            portions = range(0, x.shape[1], n)
            made = [self._network.logits(row, x[:, i : i + n]).copy() for i in portions]
            return np.concatenate(made, axis=1)
        return self._network.logits(row, x, None if fixed is None else fixed[number])

    def passes(self, row: int) -> tuple[int, int] | None:
        return self._step, self._step

    def images(self, row: int) -> int | None:
        n = len(self._splits[0].train)
        return self._step // self._pass_batches * n + min(self._at * self._batch_size, n)

    def learning_rate(self, row: int) -> float | None:
        return self._rates.rate(self._order.index(row))

    def fitted(self, row: int) -> FittedNetwork | None:
        index, network, data = self._order.index(row), self._network, self._given
        member = self._members[index]
        described = network_of(member.params)
        weights = network.w[index].copy()
        if self._reduction is not None:
            weights = self._widened(index, member, described)
        return FittedNetwork(
            params=dict(member.params),
            n_inputs=data.n_inputs,
            n_classes=data.n_classes,
            scale=data.scale,
            weights=weights,
            statistics=network.statistics[index].copy(),
            targets=AS_THEY_ARE if self._targets is None else self._targets.scales[index],
        )

    def _widened(self, index: int, member: Member, described: Architecture) -> Array:
        """The weights for all inputs, of a network that was trained with reduced ones."""
        assert self._reduction is not None
        data, network = self._given, self._network
        whole = described.build(data.n_inputs, data.n_classes, 1, self._dtype)
        # What the reduction left out of the initial weights is found by drawing them again.
        streams = streams_of(member.params)(member, self._splits[index].train, data.labels)
        described.initialize(whole, 0, streams.weights)
        first, narrow = whole.layers[0], network.layers[0]
        assert isinstance(first, Affine)
        assert isinstance(narrow, Affine)
        factor = 1.0 if network.scale is None else float(network.scale[index, 0])
        first.w[0] = self._reduction.joined(narrow.w[index], first.w[0], factor)
        first.b[0] = narrow.b[index]
        n_rest = whole.w.shape[1] - first.n_params
        rest = network.w[index, narrow.n_params : narrow.n_params + n_rest]
        whole.w[0, first.n_params :] = rest
        widened: Array = whole.w[0]
        return widened

    def state(self, row: int) -> bytes | None:
        index = self._order.index(row)
        update = next(u for u in self._updates if u.rows.start <= index < u.rows.stop)
        slots = {name: a[index - update.rows.start] for name, a in update.slots.items()}
        said = {
            "epoch": self._epoch,
            "step": self._step,
            "generator": self._pass_starts[index] if self._at else self._streams[index].state(),
            "at": self._at,
        }
        network = self._network
        masks = network.mask_generators[index]
        if masks is not None:
            said["masks"] = masks.bit_generator.state
        arrays = {"weights": network.w[index], **slots}
        if network.statistics.size:
            arrays["statistics"] = network.statistics[index]
        file = io.BytesIO()
        text = np.frombuffer(json.dumps(said).encode(), np.uint8)
        np.savez(file, said=text, **arrays)
        return file.getvalue()

    def _restore(self, row: int, state: bytes) -> None:
        update = next(u for u in self._updates if u.rows.start <= row < u.rows.stop)
        with np.load(io.BytesIO(state), allow_pickle=False) as saved:
            said: dict[str, Any] = json.loads(saved["said"].tobytes())
            self._network.w[row] = saved["weights"]
            if "statistics" in saved:
                self._network.statistics[row] = saved["statistics"]
            for name, array in update.slots.items():
                array[row - update.rows.start] = saved[name]
        self._streams[row].restore(said["generator"])
        masks = self._network.mask_generators[row]
        if masks is not None:
            masks.bit_generator.state = said["masks"]
        self._epoch, self._step, self._at = said["epoch"], said["step"], said["at"]


MAX_POPULATION = 32  # members; beyond it a step's fixed cost is spread thin enough
FIXED_BYTES = 64 * 2**20  # of what a population holds of images with a fixed part
# Elements. NumPy widens a column (P, 1) beside whole rows to its buffer, of 8192 by default, if
# rows are shorter, which takes twice as long as the arithmetic. No bit depends on it.
SMALL_BUFFER = 256
METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
METRICS_OF_NUMBERS = ("train_mse", "train_r2", "validation_mse", "validation_r2")


def _loss_weights(data: TrainingData, splits: Sequence[Split], dtype: np.dtype[Any]) -> Array:
    """The weights of all rows, of each member over their mean, (P, N); 0 of what it leaves out."""
    weights: Array = np.zeros((len(splits), len(data.labels)), dtype)
    for row, split in enumerate(splits):
        own = data.training_weights(split)
        assert own is not None
        weights[row, split.train] = own / own.mean()
    return weights
