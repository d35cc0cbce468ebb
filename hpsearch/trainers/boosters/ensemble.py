"""An ensemble that grows, as scikit-learn's do with warm_start, whatever its library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.trainers.boosters.base import Library
from hpsearch.trainers.boosters.early_stopping import ARGUMENT, EarlyStopping, Watched


class Ensemble:
    """Trees of one configuration; `fit` adds those that are missing to `n_estimators`.

    Trees that are added draw from a seed of their own, made from the ensemble's and from how many
    trees there are: with the same seed they would draw the same rows and columns once more.

    Args:
        library: of the class.
        make: the library's estimator class.
        params: its arguments, but for what the library's `settings` says.
        seed: of everything random.
        chosen: the number of trees, where it was chosen before; 0: as `params` say.

    Raises:
        ValueError: the number of trees is given twice, or early stopping can't take back trees.
    """

    def __init__(
        self,
        library: Library,
        make: type,
        params: Mapping[str, Any],
        *,
        seed: int,
        chosen: int = 0,
    ) -> None:
        from sklearn.base import is_classifier

        given = dict(params)
        sizes = [given.pop(name) for name in library.sizes if given.get(name) is not None]
        if len(sizes) > 1:
            raise ValueError(f"the number of trees must be given once, of {library.sizes}")
        rounds = given.pop(ARGUMENT, None)
        for name, values in library.unsteady.items():
            if rounds is not None and given.get(name) in values:
                raise ValueError(
                    f"{ARGUMENT} must be left out if a new tree changes earlier ones, "
                    f"got {name} = {given[name]!r}"
                )
        self.early = EarlyStopping(rounds) if rounds is not None and not chosen else None
        self._chosen = chosen
        self.n_estimators: int = chosen or (sizes[0] if sizes else library.trees)
        self.library, self.trees = library, 0
        self._make, self._params, self._seed = make, given, seed
        self._model: Any = None
        self._used: Any = None  # of it, the trees to predict with
        self._classifies = bool(is_classifier(make()))
        self.classes_: NDArray[np.int64] = np.empty(0, np.int64)

    def set_params(self, *, n_estimators: int) -> Ensemble:
        """Say how many trees it has after the next `fit`."""
        self.n_estimators = n_estimators
        return self

    @property
    def ended(self) -> bool:
        """Whether it has stopped to grow."""
        return self.early is not None and self.early.ended

    @property
    def counts(self) -> tuple[int, ...]:
        """Trees that it predicts with, and trees that were grown; () where it chose none."""
        if self.early is not None and self.early.seen:
            return self.early.best, self.early.seen
        return (self.trees, self.trees) if self._chosen else ()

    def fit(
        self,
        x: NDArray[Any],
        y: NDArray[Any],
        sample_weight: NDArray[np.float64] | None = None,
        watched: Watched | None = None,
    ) -> Ensemble:
        """Grow on the same rows (N, D) as before, with the same weights (N,).

        Args:
            watched: rows that say when it has enough trees, if it is to stop early; the same as
                before. None: it gets all of them.

        Raises:
            ValueError: the library refuses, with its reason.
        """
        if self._classifies:
            self.classes_, y = np.unique(y, return_inverse=True)
        if self.early is None:
            watched = None
        elif watched is not None:
            watched = watched.of_classes(self.classes_) if self._classifies else watched.weighing()
        while self.trees < self.n_estimators and not self.ended:
            self._grow(x, y, sample_weight, watched)
        return self

    def _grow(
        self,
        x: NDArray[Any],
        y: NDArray[Any],
        weights: NDArray[np.float64] | None,
        watched: Watched | None,
    ) -> None:
        """Add trees, up to `n_estimators` or to where it is asked whether to stop."""
        library, early = self.library, self.early
        more = self.n_estimators - self.trees
        if early is not None and watched is not None:
            more = min(more, early.step)
        given = self._params | {library.sizes[0]: more}
        try:
            made = self._make(**library.settings(self._next_seed()) | given)
            grown, losses = library.grow(made, x, y, weights, self._model, watched)
        except Exception as error:
            raise ValueError(library.reason(error)) from error
        self._model = library.as_loaded(grown, classifies=self._classifies)
        self.trees += more
        if early is not None:
            early.see(losses)
        self._use()

    def _use(self) -> None:
        """Predict with all trees, or with the best number of them."""
        early, self._used = self.early, self._model
        if early is not None and 0 < early.best < self.trees:
            first = self.library.first
            self._used = first(self._model, early.best, classifies=self._classifies)
        if self.ended:  # the others are not needed any more
            self._model = self._used

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Classes as `fit` was given them, or numbers; (N,)."""
        if not self._classifies:
            return self.library.values(self._used, x)
        predicted: NDArray[np.int64] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return predicted

    def predict_proba(self, x: NDArray[Any]) -> NDArray[Any]:
        """(N, K), of the classes in `classes_`."""
        return self.library.probabilities(self._used, x)

    def to_bytes(self) -> bytes:
        """The model that it predicts with, in its library's own form."""
        return self.library.dumps(self._used)

    def _next_seed(self) -> int:
        seed = self._seed
        if self.trees:
            seed = int(np.random.SeedSequence((seed, self.trees)).generate_state(1)[0])
        return seed >> 1  # of 31 bits, as LightGBM takes no others

    def __getstate__(self) -> dict[str, Any]:
        model = None if self._model is None else self.library.dumps(self._model)
        return {**self.__dict__, "_model": model, "_used": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.early, self._chosen = None, 0  # written before there was early stopping
        self.__dict__.update(state)
        if self._model is not None:
            self._model = self.library.loads(self._model, classifies=self._classifies)
        self._use()
