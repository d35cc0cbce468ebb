"""The contract of a trainer, and the values that it takes and returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hpsearch.datasets.table_columns import TableColumn
from hpsearch.hyperparameters import Hyperparameter, ParamValue, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.nn.base import Array
from hpsearch.trainers.answers import Answers
from hpsearch.trainers.blocks import Blocks
from hpsearch.trainers.commands import Program, Purpose

Indices = NDArray[np.intp]
Task = Literal["classification", "regression"]
# Networks by name, each with attributes of Hyperparameter that narrow its hyperparameters.
NetworkLimits = Mapping[str, Mapping[str, Mapping[str, Any]]]
# Networks of only affine layers and activations: each image by itself, nothing random.
CHAINS_OF_AFFINE_LAYERS: NetworkLimits = {
    "two-layer": {},
    "multi-layer": {"batch_norm": {"choices": (False,)}, "dropout": {"high": 0, "below": None}},
}

# Up to this size, scaled inputs are kept as floats; larger tables stay as they are (uint8 images)
# and are scaled per mini-batch: 64 MiB hold 21,000 MNIST images in float32.
FLOAT_TABLE_BYTES = 64 * 2**20
EVALUATION_CHUNK = 1000  # images; fewer cost more calls, more fall out of the cache


@dataclass(frozen=True)
class Split:
    """The rows of one split for training and for scoring, which share no row.

    Attributes:
        test: rows to score too, under a protocol that scores the test set after every epoch.
        scored_train: the rows of `train` on which training scores are measured; None: all.
    """

    train: Indices
    validation: Indices
    test: Indices | None = None
    scored_train: Indices | None = None

    def parts(self) -> dict[str, Indices]:
        """The rows to score, by the prefix of their metrics."""
        train = self.train if self.scored_train is None else self.scored_train
        known = {"train": train, "validation": self.validation}
        return known if self.test is None else known | {"test": self.test}


class TrainingData:
    """A table of examples and its splits, for a population.

    Args:
        inputs: (N, D) numbers, uint8 or floats; they may be in blocks.
        labels: (N,) classes in [0, n_classes), or the numbers to predict.
        n_classes: K; 0 if numbers are predicted.
        splits: the splits, to which members refer by index.
        scale: inputs are divided by this before use (255 for bytes of grey).
        scored: the rows on which any split is scored, sorted; None: all.
        final: the validation side is the test set, which training must not see; or it is the
            training side itself, for a model of all rows.
        table_columns: the kinds of the inputs, for a table that is prepared for each member.
        texts: (N,) for each column of texts, by its place among them.
        weights: (N,) the weight of each row, 0 or more; None: equal weights.
        balanced: every class has the same weight in training, whatever its share of the rows.
    """

    def __init__(
        self,
        inputs: NDArray[Any] | Blocks,
        labels: NDArray[Any],
        *,
        n_classes: int,
        splits: Sequence[Split],
        scale: float = 1.0,
        scored: Indices | None = None,
        final: bool = False,
        table_columns: tuple[TableColumn, ...] = (),
        texts: Mapping[int, NDArray[Any]] | None = None,
        weights: NDArray[np.float64] | None = None,
        balanced: bool = False,
    ) -> None:
        self._inputs, self.labels, self.scored = inputs, labels, scored
        self.final, self.table_columns, self.texts = final, table_columns, texts or {}
        self.weights, self.balanced = weights, balanced
        self.n_classes, self.splits, self.scale = n_classes, tuple(splits), scale
        self._tables: dict[np.dtype[Any], Array] = {}
        self._columns: dict[tuple[str, bool], list[Array]] = {}

    def as_final(self) -> TrainingData:
        """The same examples to rehearse the final test: the validation side is the test set."""
        return self._changed(final=True)

    def with_inputs(self, inputs: NDArray[Any] | Blocks) -> TrainingData:
        """The same rows with other inputs (N, D'), which are used as they are."""
        return self._changed(inputs=inputs, scale=1.0, table_columns=(), texts=None)

    def _changed(self, **changes: Any) -> TrainingData:
        kept: dict[str, Any] = {
            "inputs": self._inputs,
            "labels": self.labels,
            "n_classes": self.n_classes,
            "splits": self.splits,
            "scale": self.scale,
            "scored": self.scored,
            "final": self.final,
            "table_columns": self.table_columns,
            "texts": self.texts,
            "weights": self.weights,
            "balanced": self.balanced,
        }
        return TrainingData(**kept | changes)

    @property
    def weighted(self) -> bool:
        """Whether rows count differently in training."""
        return self.balanced or self.weights is not None

    def training_weights(self, split: Split) -> NDArray[np.float64] | None:
        """The weight of each training row of a split, (n_train,); None: equal weights.

        If balanced, a row has its weight times W / (K W_k), where W is the weight of all rows, W_k
        that of the rows of its class, and K the number of classes (scikit-learn's "balanced").
        """
        weights = None if self.weights is None else self.weights[split.train]
        if not self.balanced:
            return weights
        labels = self.labels[split.train]
        own = np.ones(len(labels)) if weights is None else weights
        of_class = np.bincount(labels, own, minlength=self.n_classes)
        there = of_class > 0
        factors = np.divide(
            own.sum() / there.sum(), of_class, out=np.zeros(len(of_class)), where=there
        )
        balanced: NDArray[np.float64] = own * factors[labels]
        return balanced

    def mean(self, values: NDArray[Any], rows: Indices) -> float:
        """The weighted mean of a value for each of these rows, (n,)."""
        if self.weights is None:
            return float(values.mean())
        return float(np.average(values, weights=self.weights[rows]))

    @property
    def inputs(self) -> NDArray[Any]:
        """(N, D) numbers; blocks are joined at the first use."""
        if isinstance(self._inputs, Blocks):
            self._inputs = self._inputs.whole()
        return self._inputs

    @property
    def held_bytes(self) -> int:
        """The bytes of the inputs, in all the forms in which they are kept."""
        columns = [column for made in self._columns.values() for column in made]
        kept = [*self._tables.values(), *columns]
        return int(self._inputs.nbytes) + sum(array.nbytes for array in kept)

    @property
    def n_inputs(self) -> int:
        """D."""
        return int(self._inputs.shape[1])

    @property
    def precision(self) -> np.dtype[Any]:
        """The dtype in which no input loses digits: float64 if a table needs it, else float32."""
        return np.result_type(self._inputs.dtype, np.float32)

    @property
    def n_scored(self) -> int:
        """The number of scored rows."""
        return len(self.labels if self.scored is None else self.scored)

    def places(self, rows: Indices) -> Indices:
        """The positions of these scored rows among `columns`."""
        return rows if self.scored is None else np.searchsorted(self.scored, rows)

    def floats(self, rows: Any, dtype: DTypeLike) -> Array:
        """Scaled inputs of these rows, (..., D); those of a block may be shared and read-only."""
        inputs = self._inputs.rows(rows) if isinstance(self._inputs, Blocks) else None
        if inputs is None:
            inputs = self.inputs[rows]
        if self.scale == 1 and inputs.dtype == dtype and inputs.base is None:
            return inputs  # which is no view of the table; dividing by 1 would make a copy
        scaled = np.empty(inputs.shape, dtype)
        return self._scale(inputs, scaled)

    def _scale(self, inputs: NDArray[Any], out: Array) -> Array:
        """Inputs over `scale`; bytes in float32 whatever follows, as the usual readers do."""
        precision = np.dtype(np.float32) if inputs.dtype == np.uint8 else out.dtype
        np.divide(inputs, self.scale, out=out, dtype=precision)
        return out

    def batch(self, rows: Indices, out: Array) -> Array:
        """Scaled inputs of one mini-batch per member, (P, B) rows -> (P, B, D).

        Args:
            out: the array to fill; a new array of this size in every step would cost more in page
                faults than filling it.
        """
        table = self._tables.get(out.dtype)
        if table is None:
            if not self._fits(out.dtype):
                return self._scale(self.inputs[rows], out)
            table = self._tables[out.dtype] = self.floats(slice(None), out.dtype)
        # All rows exist; "raise" would fill a second array first.
        np.take(table, rows, axis=0, out=out, mode="clip")
        return out

    def columns(self, dtype: DTypeLike, *, with_ones: bool = False) -> Iterator[Array]:
        """Scaled inputs of all scored rows as columns (D, C), EVALUATION_CHUNK images at a time.

        Args:
            with_ones: add a last row of ones, (D + 1, C), as the input of a bias, which then costs
                no separate pass.
        """
        if not self._fits(dtype):
            yield from self._make_columns(dtype, with_ones)
            return
        key = (np.dtype(dtype).name, with_ones)
        if key not in self._columns:
            self._columns[key] = list(self._make_columns(dtype, with_ones))
        yield from self._columns[key]

    def _make_columns(self, dtype: DTypeLike, with_ones: bool) -> Iterator[Array]:
        for start in range(0, self.n_scored, EVALUATION_CHUNK):
            portion = slice(start, start + EVALUATION_CHUNK)
            chunk = self.floats(portion if self.scored is None else self.scored[portion], dtype)
            made = np.empty((self.n_inputs + with_ones, len(chunk)), dtype)
            made[: self.n_inputs] = chunk.T
            made[self.n_inputs :] = 1
            yield made

    def _fits(self, dtype: DTypeLike) -> bool:
        n_rows, n_inputs = self._inputs.shape
        return bool(n_rows * n_inputs * np.dtype(dtype).itemsize <= FLOAT_TABLE_BYTES)


@dataclass(frozen=True)
class Member:
    """One row of a population: a trial's configuration on one split with one seed.

    Attributes:
        params: every hyperparameter by name, `trainer` included.
        entropy: seeds the member's own generator, e.g. (study seed, trial, repeat, fold).
        split: index into TrainingData.splits.
        state: the state to continue from, as returned by `Trainer.state`; None: start.
        folder: the folder where a user's code may keep files; "": none.
        purpose: the purpose of its training.
        program: how to run a user's own program.
        threshold: the probability from which a row counts as the positive class; None: not known
            yet, or not wanted.
        trees: the number of trees of an ensemble that validation rows chose before; 0: the number
            in its params.
    """

    params: Mapping[str, ParamValue]
    entropy: tuple[int, ...]
    split: int
    state: bytes | None = None
    folder: str = ""
    purpose: Purpose = "search"
    program: Program | None = None
    threshold: float | None = None
    trees: int = 0

    @property
    def repeat(self) -> int:
        """The repeat of its configuration, from 0: the third number of its entropy."""
        return self.entropy[2] if len(self.entropy) > 2 else 0

    def generator(self) -> np.random.Generator:
        """The member's own generator, the same wherever and with whomever it trains."""
        return np.random.default_rng(np.random.SeedSequence(self.entropy))


@dataclass(frozen=True)
class Progress:
    """The progress of a population; arrays are (P,), in the order of the members.

    Attributes:
        epoch: epochs trained so far.
        metrics: scores by name, NaN if a member diverged or a user's function yields an undefined
            one; empty after an epoch that is not evaluated.
        diverged: members whose loss is no longer finite, as found in an evaluation.
    """

    epoch: int
    metrics: Mapping[str, NDArray[np.float64]]
    diverged: NDArray[np.bool_]


@dataclass(frozen=True)
class Schedule:
    """The epochs after which members are evaluated, whatever the slices of their training.

    Attributes:
        every: epochs between two evaluations, counted from the start of training.
        always: epochs that are always evaluated: the stages' lengths, which give the scores.
    """

    every: int = 1
    always: tuple[int, ...] = ()

    def due(self, epoch: int, until: int) -> bool:
        """Whether this epoch of a training to `until` ends with an evaluation."""
        return epoch % self.every == 0 or epoch == until or epoch in self.always


EVERY_EPOCH = Schedule()
Around = Callable[[], AbstractContextManager[Any]]


class Fitted(Protocol):
    """A learned model, for predictions."""

    @property
    def file_name(self) -> str:
        """The name of the file in which it is kept."""

    def to_bytes(self, classes: tuple[str, ...], example: NDArray[Any]) -> bytes:
        """The content of a file that runs no code when it is read.

        Args:
            classes: the names of the classes, () for numbers.
            example: some inputs (N, D), as an example of their form.
        """

    def with_threshold(self, threshold: float, positive: int) -> Fitted:
        """The same model, which assigns the positive one of two classes from this probability."""


class Trainer(ABC):
    """Trains the members of one population; the caller iterates it and decides what follows.

    Members of one population have the same start epoch, number of training rows and shared
    hyperparameters. A member's results don't depend on who shares its population. A non-finite
    loss is reported as diverged; it never raises and never disturbs other members.

    Args (of every trainer's constructor):
        members: the P members.
        data: the examples and splits.
        n_epochs: the full training length, whatever length is trained now.
    """

    components: ClassVar[tuple[type, ...]] = ()  # dataclasses whose hyperparameters it takes
    uses_network: ClassVar[bool] = False
    networks: ClassVar[NetworkLimits | None] = None  # those it can train; None: all
    exact_state: ClassVar[bool] = True  # equal trainings have states of equal bytes
    pausable: bool = True  # False: stopping between two epochs loses the work since the start

    @abstractmethod
    def __init__(
        self, members: Sequence[Member], data: TrainingData, *, n_epochs: int
    ) -> None: ...

    @classmethod
    def population_limit(
        cls, params: Mapping[str, ParamValue], data: TrainingData, *, cache_bytes: int
    ) -> int:
        """The number of members like this one that should train together, given a core's cache."""
        return 1

    @classmethod
    def variant(cls, params: Mapping[str, ParamValue], data: TrainingData) -> Hashable:
        """What members must have in common in addition to their shared hyperparameters."""
        return None

    @classmethod
    def network_hyperparameters(cls, network: str) -> dict[str, Hyperparameter]:
        """The hyperparameters of a network, limited to the values that this trainer can train.

        Raises:
            ValueError: it can't train this network at all.
        """
        described = hyperparameters(NETWORKS[network])
        if cls.networks is None:
            return described
        if network not in cls.networks:
            raise ValueError(f"must be one of {', '.join(cls.networks)}, got {network!r}")
        limits = cls.networks[network]
        return {name: replace(h, **limits.get(name, {})) for name, h in described.items()}

    @classmethod
    def check_network(cls, params: Mapping[str, ParamValue]) -> None:
        """Raise ValueError for a network that this trainer can't train."""
        for name, described in cls.network_hyperparameters(
            str(params.get("network", "two-layer"))
        ).items():
            problem = described.problem(params.get(name, described.default))
            if problem:
                raise ValueError(f"{name} {problem}")

    @abstractmethod
    def run(
        self, until: int, schedule: Schedule = EVERY_EPOCH, around: Around = nullcontext
    ) -> Iterator[Progress]:
        """Continue to epoch `until`, yielding after every epoch; the caller may stop at any yield.

        Args:
            around: a context entered for the training of every epoch and left before its
                evaluation, for a caller who measures the cost of training.
        """

    def answers(self, row: int, part: str) -> Answers | None:
        """The predictions of member `row` now, for the scored rows of a part of its split.

        None if the trainer knows only scores.

        Args:
            part: a key of `Split.parts`, e.g. "validation".
        """
        return None

    def predictions(self, row: int) -> NDArray[np.int64] | None:
        """The class that member `row` now predicts for each row of its validation side.

        None if the trainer knows only scores, or predicts numbers.
        """
        return None

    def passes(self, row: int) -> tuple[int, int] | None:
        """Forward and backward passes of mini-batches so far, as the plain method makes them.

        Passes that a shortcut of ours saves count too. None if the number is unknown.
        """
        return None

    def images(self, row: int) -> int | None:
        """Training images in its mini-batches so far; None if the number is unknown."""
        return None

    def learning_rate(self, row: int) -> float | None:
        """The rate of member `row`'s last step; None if it is the value of `learning_rate`."""
        return None

    def fitted(self, row: int) -> Fitted | None:
        """The learned model of member `row`; None if only its scores are known."""
        return None

    @classmethod
    def keeps_model(cls) -> bool:
        """Whether what it learned can be kept for predictions."""
        return cls.fitted is not Trainer.fitted

    def ended(self, row: int) -> int:
        """The epoch after which member `row` ended by itself; its last scores count for the later
        epochs. 0 as long as it goes on."""
        return 0

    def saw_test(self, row: int) -> bool:
        """Whether the training of member `row` read the test set in the final test."""
        return False

    def printed(self, row: int) -> str:
        """The output of member `row`'s program since the last call, for its log."""
        return ""

    @abstractmethod
    def state(self, row: int) -> bytes | None:
        """Everything member `row` needs to continue bit for bit; None if it can't be paused."""
