"""An ensemble that grows, as scikit-learn's do with warm_start, whatever its library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpsearch.trainers.boosters.base import Library


class Ensemble:
    """Trees of one configuration; `fit` adds those that are missing to `n_estimators`.

    Trees that are added draw from a seed of their own, made from the ensemble's and from how many
    trees there are: with the same seed they would draw the same rows and columns once more.

    Args:
        library: of the class.
        make: the library's estimator class.
        params: its arguments, but for what the library's `settings` says.
        seed: of everything random.
    """

    def __init__(
        self, library: Library, make: type, params: Mapping[str, Any], *, seed: int
    ) -> None:
        from sklearn.base import is_classifier

        given = dict(params)
        sizes = [given.pop(name) for name in library.sizes if given.get(name) is not None]
        if len(sizes) > 1:
            raise ValueError(f"the number of trees must be given once, of {library.sizes}")
        self.n_estimators: int = sizes[0] if sizes else library.trees
        self.library, self.trees = library, 0
        self._make, self._params, self._seed = make, given, seed
        self._model: Any = None
        self._classifies = bool(is_classifier(make()))
        self.classes_: NDArray[np.int64] = np.empty(0, np.int64)

    def set_params(self, *, n_estimators: int) -> Ensemble:
        """Say how many trees it has after the next `fit`."""
        self.n_estimators = n_estimators
        return self

    def fit(
        self, x: NDArray[Any], y: NDArray[Any], sample_weight: NDArray[np.float64] | None = None
    ) -> Ensemble:
        """Grow on the same rows (N, D) as before, with the same weights (N,).

        Raises:
            ValueError: the library refuses, with its reason.
        """
        if self._classifies:
            self.classes_, y = np.unique(y, return_inverse=True)
        library = self.library
        more = {library.sizes[0]: self.n_estimators - self.trees}
        try:
            made = self._make(**library.settings(self._next_seed()) | self._params | more)
            grown = library.grow(made, x, y, sample_weight, self._model)
        except Exception as error:
            raise ValueError(library.reason(error)) from error
        self._model = library.as_loaded(grown, classifies=self._classifies)
        self.trees = self.n_estimators
        return self

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Classes as `fit` was given them, or numbers; (N,)."""
        if not self._classifies:
            return self.library.values(self._model, x)
        predicted: NDArray[np.int64] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return predicted

    def predict_proba(self, x: NDArray[Any]) -> NDArray[Any]:
        """(N, K), of the classes in `classes_`."""
        return self.library.probabilities(self._model, x)

    def to_bytes(self) -> bytes:
        """The model in its library's own form."""
        return self.library.dumps(self._model)

    def _next_seed(self) -> int:
        seed = self._seed
        if self.trees:
            seed = int(np.random.SeedSequence((seed, self.trees)).generate_state(1)[0])
        return seed >> 1  # of 31 bits, as LightGBM takes no others

    def __getstate__(self) -> dict[str, Any]:
        model = None if self._model is None else self.to_bytes()
        return {**self.__dict__, "_model": model}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._model is not None:
            self._model = self.library.loads(self._model, classifies=self._classifies)
