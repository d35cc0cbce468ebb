"""The arms of a study: what it compares, each with a search and a budget of its own.

In a nested search they are the searches of the outer folds and, last, the one on all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from optuna.distributions import CategoricalDistribution

from hpsearch.datasets.selection import OuterFold, Selection
from hpsearch.datasets.split_kinds import Split
from hpsearch.hyperparameters import ParamValue
from hpsearch.studyfile.space import Space

SHOTS = "shots"  # of the data; it can be compared, each number being a data set of its own


@dataclass(frozen=True)
class ArmPlace:
    """One combination of the compared values; the only one, without any, of most studies.

    Attributes:
        values: the compared values, by name.
        index, n_arms: its place among all arms.
        space: what is searched in it, the compared values fixed.
        fold: the outer fold whose rows its search does not see, from 1; None: it sees all.
    """

    values: dict[str, ParamValue]
    index: int
    n_arms: int
    space: Space
    fold: int | None = field(default=None, kw_only=True)

    @property
    def name(self) -> str:
        """ "trainer=sgd, shots=5", or "outer fold 2"; "" of a search without either."""
        if self.fold is not None:
            return f"outer fold {self.fold}"
        return ", ".join(f"{name}={value}" for name, value in self.values.items())

    @property
    def label(self) -> str:
        """Its name, as people are told of it while others run beside it; "" of the only one."""
        return self.name or ("all rows" if self.n_arms > 1 else "")

    def number(self, local: int) -> int:
        """The study's number of this arm's trial `local`; it stays when trials are added."""
        return local * self.n_arms + self.index

    def local(self, number: int) -> int:
        """The inverse of `number`."""
        return number // self.n_arms

    def holds(self, number: int) -> bool:
        """Whether the study's trial of this number is one of its own."""
        return number % self.n_arms == self.index

    @property
    def case(self) -> int | None:
        """Its number among the study's searches; None where it is the only one."""
        return None if self.n_arms == 1 else self.index


@dataclass(frozen=True)
class Arm(ArmPlace):
    """An arm that can be run: with its data.

    Attributes:
        selection: the data.
    """

    selection: Selection


def make_arms(
    compare: Sequence[str],
    space: Space,
    selection: Selection,
    shots: Sequence[int] | None,
    outer: Split | None = None,
) -> tuple[Arm, ...]:
    """All combinations of the compared values, the last name changing fastest.

    Nothing is compared in a nested search: its arms are those of the outer folds, then that of
    all rows, whose winner is the study's.

    Args:
        compare: categorical parameters of the space without conditions, and "shots".
        shots: the numbers of shots, if they are compared.
        outer: the split of a nested search; None: it is none.
    """
    if outer is not None:
        n = outer.n_splits
        folds = [
            Arm({}, k, n + 1, space, replace(selection, outer=OuterFold(outer, k)), fold=k + 1)
            for k in range(n)
        ]
        return (*folds, Arm({}, n, n + 1, space, selection))
    choices: dict[str, Sequence[ParamValue]] = {}
    for name in compare:
        if name == SHOTS:
            choices[name] = list(shots or ())
            continue
        (parameter,) = [p for p in space.parameters if p.name == name]
        assert isinstance(parameter.distribution, CategoricalDistribution)
        choices[name] = parameter.distribution.choices  # type: ignore[assignment]
    chosen = product(*choices.values())
    combinations = [dict(zip(choices, values, strict=True)) for values in chosen]
    left = tuple(p for p in space.parameters if p.name not in compare)
    return tuple(
        Arm(
            values=values,
            index=index,
            n_arms=len(combinations),
            space=replace(space, parameters=left, fixed={**space.fixed, **values}),
            selection=replace(selection, shots=values.get(SHOTS, selection.shots)),  # type: ignore[arg-type]
        )
        for index, values in enumerate(combinations)
    )
