"""What a refit predicted of the test rows, in a file beside its record: figures are drawn from it.

Records of older versions, and of trainers that know scores alone, have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hpsearch.errors import DamagedError
from hpsearch.records.run_folder import RunFolder

FILE = "answers.npz"
MOST_CLASSES = 10  # with more, the probabilities of all would be larger than the table


@dataclass(frozen=True)
class RefitAnswers:
    """Predictions for the N test rows, and what is true of them.

    Attributes:
        labels: (N,) classes in [0, K), or numbers.
        predicted: (N,) likewise.
        classes: the K names, () for numbers.
        probabilities: (N, K); None where the trainer gives none, or there are more than
            MOST_CLASSES.
        decisions: numbers that are larger the likelier class 1 of two is, (N,), or each class,
            (N, K), where there are no probabilities; None: neither.
        weights: (N,) of each row; None: all alike.
        positive: the positive one of two classes.
        threshold: the probability from which on a row was taken for it; None: the likelier class
            was taken.
    """

    labels: NDArray[Any]
    predicted: NDArray[Any]
    classes: tuple[str, ...] = ()
    probabilities: NDArray[np.float64] | None = None
    decisions: NDArray[np.float64] | None = None
    weights: NDArray[np.float64] | None = None
    positive: int = 1
    threshold: float | None = None

    @property
    def n_classes(self) -> int:
        """K; 0 where numbers are predicted."""
        return len(self.classes)

    def of_class(self, number: int) -> NDArray[np.float64] | None:
        """(N,) the probability of a class, or numbers that order rows by it; None: not known."""
        if self.probabilities is not None:
            probability: NDArray[np.float64] = self.probabilities[:, number]
            return probability
        if self.decisions is None or self.decisions.ndim == 1:
            sign = 1 if number == 1 else -1
            return None if self.decisions is None else sign * self.decisions
        decision: NDArray[np.float64] = self.decisions[:, number]
        return decision

    def to_bytes(self) -> bytes:
        """The file."""
        few = self.n_classes <= MOST_CLASSES
        arrays: dict[str, Any] = {
            "labels": self.labels,
            "predicted": self.predicted,
            "classes": np.array(self.classes, str),
            "positive": self.positive,
            "probabilities": self.probabilities if few else None,
            "decisions": self.decisions if few and self.probabilities is None else None,
            "weights": self.weights,
            "threshold": self.threshold,
        }
        file = BytesIO()
        known = {name: array for name, array in arrays.items() if array is not None}
        np.savez_compressed(file, **known)
        return file.getvalue()

    @classmethod
    def read(cls, path: Path) -> RefitAnswers | None:
        """The answers in a file; None where there is no file.

        Raises:
            DamagedError: it is not what was written.
        """
        try:
            with np.load(path, allow_pickle=False) as saved:
                arrays = {name: saved[name] for name in saved.files}
            return cls(
                arrays["labels"],
                arrays["predicted"],
                tuple(map(str, arrays["classes"])),
                arrays.get("probabilities"),
                arrays.get("decisions"),
                arrays.get("weights"),
                int(arrays["positive"]),
                float(arrays["threshold"]) if "threshold" in arrays else None,
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, OSError, EOFError, BadZipFile, TypeError) as error:
            raise DamagedError(path, f"no answers: {error}") from error


def refit_answers(
    folder: RunFolder, number: int, kind: Literal["test", "default-test"] = "test"
) -> list[RefitAnswers]:
    """What the refits of a trial, or of the defaults, predict; [] where one does not say.

    Raises:
        DamagedError: a record or its file is not what was written.
    """
    records = (record for record in folder.read_all(kind) if record.number == number)
    places = [folder.files.record(kind, number, record.seed_number) for record in records]
    found = [RefitAnswers.read(place.file(FILE)) for place in places]
    known = [answers for answers in found if answers is not None]
    return known if len(known) == len(found) else []
