"""A table as one member learns from it: prepared by what the training rows of its split say."""

from __future__ import annotations

from collections import OrderedDict
from weakref import WeakKeyDictionary

import numpy as np

from hpsearch.preparation.fitted import FittedPreparation, fit_preparation
from hpsearch.preparation.settings import Preparation, preparation_of
from hpsearch.trainers.base import Member, TrainingData
from hpsearch.trainers.blocks import Blocks

# Prepared tables of a study in a process: so many at most, and fewer where they are large.
MOST_KEPT, KEPT_BYTES = 4, 48 * 2**20
_Key = tuple[int, int, Preparation]
# A table and what was fitted; no table where it stays as it is: no data set must hold itself here.
_Kept = OrderedDict[_Key, tuple[TrainingData | None, FittedPreparation]]
_kept: WeakKeyDictionary[TrainingData, _Kept] = WeakKeyDictionary()


def prepared(data: TrainingData, member: Member) -> TrainingData:
    """The data that a member is trained on and scored on.

    Of a table whose columns are prepared the training rows of the member's split are prepared as
    one, and all others by what was fitted to them; other data is given back as it is. The rows
    keep their numbers. It is made once for all members of a split and a preparation.
    """
    return _prepared(data, member)[0] if data.table_columns else data


def preparation_fitted(data: TrainingData, member: Member) -> FittedPreparation | None:
    """What was fitted to the training rows of a member; None of data that is not prepared."""
    return _prepared(data, member)[1] if data.table_columns else None


def _prepared(data: TrainingData, member: Member) -> tuple[TrainingData, FittedPreparation]:
    settings = preparation_of(member.params)
    key = (member.entropy[0], member.split, settings)
    kept = _kept.setdefault(data, OrderedDict())
    if key not in kept:
        _make_room(data, kept)
        kept[key] = _fit(data, member, settings)
    kept.move_to_end(key)
    table, fitted = kept[key]
    return table or data, fitted


def _make_room(data: TrainingData, kept: _Kept) -> None:
    """Forget tables, so that one more, about as large, has its place.

    First of other data, such as that of the search in the final test, then those used longest ago.
    """
    coming = max([data.held_bytes, *_bytes(kept)])
    if len(kept) >= MOST_KEPT:
        kept.popitem(last=False)
    others = [tables for one, tables in _kept.items() if one is not data]
    for tables in (*others, kept):
        while tables and sum(map(sum, map(_bytes, _kept.values()))) + coming > KEPT_BYTES:
            tables.popitem(last=False)


def _bytes(kept: _Kept) -> list[int]:
    """Of each table."""
    return [0 if table is None else table.held_bytes for table, _ in kept.values()]


def _fit(
    data: TrainingData, member: Member, settings: Preparation
) -> tuple[TrainingData | None, FittedPreparation]:
    rows = data.splits[member.split].train
    if data.weights is not None:  # rows that do not count say nothing of the others
        rows = rows[data.weights[rows] > 0]
    seed = np.random.SeedSequence((member.entropy[0], member.split, 0x7AB1E))
    fitted, learned = fit_preparation(
        settings,
        data.table_columns,
        data.inputs[rows],
        {place: texts[rows] for place, texts in data.texts.items()},
        data.labels[rows],
        n_classes=data.n_classes,
        seed=int(seed.generate_state(1)[0]),
    )
    if fitted.transformer is None:
        return None, fitted
    blocks = [(rows, learned)]
    rest = np.setdiff1d(np.arange(len(data.labels)), rows)
    if len(rest):
        texts = {place: texts[rest] for place, texts in data.texts.items()}
        blocks.append((rest, fitted(data.inputs[rest], texts)))
    return data.with_inputs(Blocks(blocks)), fitted
